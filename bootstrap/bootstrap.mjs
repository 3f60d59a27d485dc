/**
 * The commands behind package.json's scripts, for machines with only Node.js or only Bun: gets the pinned Bun and
 * the dependencies when they are missing, then stands in for the program. Plain JavaScript without dependencies,
 * because at this point nothing is installed.
 */
import { readFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { standIn } from "./child.mjs";
import { BootstrapFailure, explain } from "./failure.mjs";
import { findBun } from "./find-bun.mjs";
import { installDependencies } from "./install-dependencies.mjs";

const MIN_NODE_MAJOR = 20;
const ERASE_LINE = "\r\x1b[2K";
const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

const USAGE = `Usage: npm start [-- OPTIONS]          start the services, the API and the workers
       npm test [-- FILTER…]            type check, lint and all suites (FILTER: unit, security, flow, fault,
                                        browser, types, lint, or the path of a test file)
       npm run verify [-- OPTIONS]      is everything in order? --benchmark also measures
       npm run bench [-- OPTIONS]       the benchmark against raw COPY
       npm run bench:queries [-- OPTIONS]  how long questions take, at 1 and 25 million readings
       npm run e2e [-- URL]             a newcomer's story against a running service; --help says more
       npm run pack:client              the TypeScript client as a package for other projects
       npm run bench:review [-- OPTIONS]  lists and decisions, with a million quarantined readings
       npm run load -- SCENARIO         load with k6, and a check of what is stored; --help lists scenarios
       npm run faults -- [OPTIONS]      faults drawn from a seed, under load: is anything lost? --help says more
       npm run hostile -- [OPTIONS]     100,000 hostile requests, and a look at what is left of them
       npm run hydraulic -- COMMAND …   any other command of the program; --help lists them
With Bun instead of npm: bun start, bun run test, bun run verify, bun run hydraulic COMMAND …
`;

/**
 * Bun's allocator (mimalloc) gives memory back after 100 ms and asks for it again with the next batch; after a second
 * it costs the service a twentieth less processor time (docs/performance.md).
 */
const GIVE_MEMORY_BACK_MS = "1000";

/** What each command runs with bun. */
const PROGRAMS = {
  start: ["src/main.ts", "start"],
  run: ["src/main.ts"],
  verify: ["src/main.ts", "verify"],
  bench: ["load/bench.ts"],
  "bench-queries": ["load/queries.ts"],
  e2e: ["tests/e2e/run.ts"],
  "bench-review": ["load/review.ts"],
  load: ["load/load.ts"],
  faults: ["load/faults.ts"],
  hostile: ["load/hostile.ts"],
  test: ["bootstrap/test-run.ts"],
  "pack-client": ["bootstrap/pack-client.ts"],
};

async function main([command, ...args]) {
  if (command === "--help" || command === "-h") {
    process.stdout.write(USAGE);
    return 0;
  }
  const program = Object.hasOwn(PROGRAMS, command ?? "") ? PROGRAMS[command] : undefined;
  if (!program) {
    process.stderr.write(`Unknown command: ${command ?? "(none)"}\n${USAGE}`);
    return 2;
  }
  checkSystem();
  const { bunVersion } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const bun = await findBun(ROOT, bunVersion, say);
  await installDependencies(ROOT, bun, say);
  const path = isAbsolute(bun) ? [dirname(bun), process.env.PATH ?? ""].join(delimiter) : process.env.PATH;
  const env = { MIMALLOC_PURGE_DELAY: GIVE_MEMORY_BACK_MS, ...process.env, PATH: path };
  return standIn([bun, ...program, ...args], { cwd: ROOT, env });
}

/** @throws BootstrapFailure on a system that the program is not made for */
function checkSystem() {
  if (process.platform !== "linux" && process.platform !== "darwin") {
    throw new BootstrapFailure(
      `This program runs on Linux and macOS, not on ${process.platform}.`,
      "On Windows use WSL (https://learn.microsoft.com/windows/wsl/install) and clone inside it.",
    );
  }
  if (!process.versions.bun && Number.parseInt(process.versions.node, 10) < MIN_NODE_MAJOR) {
    throw new BootstrapFailure(
      `Node.js ${MIN_NODE_MAJOR} or newer is needed; this is ${process.version}.`,
      "Install a newer one (https://nodejs.org), or Bun (https://bun.com), and start again.",
    );
  }
}

/** Progress goes to stderr, so that the program's own output stays clean. */
function say(text) {
  process.stderr.write(`${process.stderr.isTTY ? ERASE_LINE : ""}${text}\n`);
}
/** A line that the next one overwrites; left out where there is no terminal. */
say.progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`${ERASE_LINE}  ${text}`);
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const known = explain(error, ROOT);
  if (!(known instanceof BootstrapFailure)) throw known;
  process.stderr.write(`\n${known.message}\n${known.remedy}\n`);
  process.exitCode = 1;
}
