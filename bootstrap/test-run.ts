/**
 * `npm test`: type check, lint, and every suite in a process of its own against private services; then the coverage
 * gate and one closing line, `N passed, N failed`. Exits 1 when anything failed.
 */
import { globSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ServicesError } from "../src/services/services-error.ts";
import { addLcov, addUnloaded, type FileCoverage, totals } from "./coverage.ts";
import { type CheckName, type Plan, type PlannedSuite, planTests } from "./test-plan.ts";
import { TestProcesses } from "./test-process.ts";
import { startTestServices, type TestServices } from "./test-services.ts";
import {
  addCounts,
  type Counts,
  closingLine,
  type Failure,
  NO_TESTS,
  readCounts,
  readFailures,
} from "./test-summary.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const MIN_COVERAGE = 0.9;
const WORST_SHOWN = 8;
const CHECK_DEADLINE_MS = 5 * 60_000;
const TOOLS_DEADLINE_MS = 40 * 60_000;
/** The console's client runs in browsers: other globals, so another configuration. */
const CLIENT = "src/console/client";
/** The client for producers runs on Node.js as well: without Bun's globals. */
const PRODUCERS_CLIENT = "src/client";
/** Scripts of the load tests run in k6: its globals, and none of Bun's. */
const K6_SCRIPTS = "load/k6";
/** A check passes when all its commands do. */
const CHECK_ARGV: Record<CheckName, readonly (readonly string[])[]> = {
  types: [
    ["node_modules/.bin/tsc", "--noEmit"],
    ["node_modules/.bin/tsc", "--noEmit", "-p", CLIENT],
    ["node_modules/.bin/tsc", "--noEmit", "-p", PRODUCERS_CLIENT],
    ["node_modules/.bin/tsc", "--noEmit", "-p", K6_SCRIPTS],
  ],
  lint: [["node_modules/.bin/biome", "check", "."]],
};
/** Worker thread entries, which Bun's coverage does not see. */
const THREAD_FILES: readonly string[] = ["src/ingest/thread.ts"];

const processes = new TestProcesses();
let interrupted = false;
const failures: Failure[] = [];

async function main(filters: readonly string[]): Promise<Counts> {
  process.chdir(ROOT);
  const plan = planTests(ROOT, filters);
  let counts = NO_TESTS;
  for (const filter of plan.unmatched) {
    console.log(`No check, suite or test file matches "${filter}"`);
    counts = addCounts(counts, { passed: 0, failed: 1, skipped: 0 });
  }
  const tools = plan.whole ? fetchTools() : undefined;
  for (const check of plan.checks) counts = addCounts(counts, await runCheck(check));
  if (plan.suites.length === 0) return counts;
  const services = await startTestServices(ROOT);
  try {
    counts = addCounts(counts, await runSuites(plan, services));
  } finally {
    await services.stop();
    await tools;
  }
  return plan.whole && !interrupted ? addCounts(counts, await coverageGate(plan.suites)) : counts;
}

/** Downloads what tests will ask for while types and lint are checked; whoever asks earlier waits for it. */
async function fetchTools(): Promise<void> {
  await processes.run([process.execPath, "tests/support/tools/fetch.ts"], {
    cwd: ROOT,
    env: process.env,
    deadlineMs: TOOLS_DEADLINE_MS,
  });
}

async function runCheck(check: CheckName): Promise<Counts> {
  console.log(`\n== ${check}`);
  for (const command of CHECK_ARGV[check]) {
    const { exitCode } = await processes.run([process.execPath, ...command], {
      cwd: ROOT,
      env: process.env,
      deadlineMs: CHECK_DEADLINE_MS,
    });
    if (exitCode !== 0) return { ...NO_TESTS, failed: 1 };
  }
  return { ...NO_TESTS, passed: 1 };
}

async function runSuites(plan: Plan, services: TestServices): Promise<Counts> {
  for (const line of services.description) console.log(line);
  const env = { ...process.env, ...services.env, NO_COLOR: "1", FORCE_COLOR: undefined };
  let counts = NO_TESTS;
  for (const planned of plan.suites) {
    if (interrupted) break;
    counts = addCounts(counts, await runSuite(planned, env));
  }
  return counts;
}

async function runSuite({ suite, files }: PlannedSuite, env: NodeJS.ProcessEnv): Promise<Counts> {
  console.log(`\n== ${suite.name}`);
  const folder = coverageFolder(suite.name);
  rmSync(folder, { recursive: true, force: true });
  const coverage = ["--coverage", "--coverage-reporter=lcov", `--coverage-dir=${folder}`];
  const argv = [
    "test",
    "--config=bootstrap/bunfig.test.toml",
    `--timeout=${suite.testTimeoutMs}`,
    ...coverage,
  ];
  const result = await processes.run([process.execPath, ...argv, ...files.map((file) => `./${file}`)], {
    cwd: ROOT,
    env,
    deadlineMs: suite.deadlineMs,
  });
  failures.push(...readFailures(result.output));
  return readCounts(result.output, result.exitCode);
}

/** The failed tests once more: whoever sees only the end of a long output must see what failed. */
function tellFailures(): void {
  if (failures.length === 0) return;
  console.log("\n== failed");
  for (const { file, lines } of failures) console.log(`\n${[file, ...lines].join("\n")}`);
}

/** One failure when lines or functions of src are covered below 90 %. */
async function coverageGate(suites: readonly PlannedSuite[]): Promise<Counts> {
  const known = new Map<string, FileCoverage>();
  for (const { suite } of suites) {
    const path = join(coverageFolder(suite.name), "lcov.info");
    if (await Bun.file(path).exists()) addLcov(known, await readFile(path, "utf8"));
  }
  // What runs in the browser is tested there, where Bun's coverage does not look.
  const ours = globSync("src/**/*.ts", { cwd: ROOT }).filter((path) => !path.startsWith(CLIENT));
  addUnloaded(known, ours);
  const { lines, functions, worst } = totals(known, THREAD_FILES);
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  console.log(`\n== coverage of src: lines ${percent(lines)}, functions ${percent(functions)}`);
  if (lines >= MIN_COVERAGE && functions >= MIN_COVERAGE) return NO_TESTS;
  console.log(`At least ${percent(MIN_COVERAGE)} of each is required. Most is missing in:`);
  for (const line of worst.slice(0, WORST_SHOWN)) console.log(`  ${line}`);
  return { ...NO_TESTS, failed: 1 };
}

function coverageFolder(suite: string): string {
  return join(ROOT, "coverage", suite);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    interrupted = true;
    processes.stopAll();
  });
}

try {
  const counts = await main(process.argv.slice(2));
  tellFailures();
  console.log(`\n${closingLine(counts)}`);
  process.exitCode = counts.failed > 0 || interrupted ? 1 : 0;
} catch (error) {
  if (!(error instanceof ServicesError)) throw error;
  console.log(`\n${error.message}\n${error.remedy}\n\n0 passed, 1 failed`);
  process.exitCode = 1;
}
