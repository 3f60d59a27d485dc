/** What `npm test` runs: two checks and the suites, narrowed by the filters of the command line. */
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";

/**
 * One `bun test` process. Times in ms. Both limits end what hangs, and nothing else: they are several times what a slow
 * machine needs that is busy with other things, because one test that is ended too early fails the whole run.
 */
export interface Suite {
  readonly name: string;
  /** A test without a time limit of its own gets this one. */
  readonly testTimeoutMs: number;
  /** The whole process is killed after this. */
  readonly deadlineMs: number;
}

const SUITES: readonly Suite[] = [
  { name: "unit", testTimeoutMs: 60_000, deadlineMs: 30 * 60_000 },
  { name: "security", testTimeoutMs: 300_000, deadlineMs: 30 * 60_000 },
  { name: "flow", testTimeoutMs: 180_000, deadlineMs: 60 * 60_000 },
  { name: "fault", testTimeoutMs: 240_000, deadlineMs: 60 * 60_000 },
  { name: "browser", testTimeoutMs: 180_000, deadlineMs: 45 * 60_000 },
];

export const CHECKS = ["types", "lint"] as const;
export type CheckName = (typeof CHECKS)[number];

/** A suite and the files of it to run. */
export interface PlannedSuite {
  readonly suite: Suite;
  /** Paths relative to the project. */
  readonly files: readonly string[];
}

export interface Plan {
  readonly checks: readonly CheckName[];
  readonly suites: readonly PlannedSuite[];
  /** True when nothing is left out: only then does the coverage gate make sense. */
  readonly whole: boolean;
  /** Filters that select nothing; each is a failure, or a typing error would pass. */
  readonly unmatched: readonly string[];
}

/**
 * @param root the project
 * @param filters names of suites or checks, or (parts of) paths of test files; none means everything
 */
export function planTests(root: string, filters: readonly string[]): Plan {
  const all = SUITES.map((suite) => ({ suite, files: testFiles(root, suite.name) }));
  const present = all.filter(({ files }) => files.length > 0);
  if (filters.length === 0) return { checks: CHECKS, suites: present, whole: true, unmatched: [] };
  const matches = ({ suite, files }: PlannedSuite, filter: string): readonly string[] =>
    filter === suite.name ? files : files.filter((file) => file.includes(filter.replace(/^\.\//, "")));
  return {
    checks: CHECKS.filter((check) => filters.includes(check)),
    suites: present
      .map((planned) => ({
        suite: planned.suite,
        files: planned.files.filter((file) =>
          filters.some((filter) => matches(planned, filter).includes(file)),
        ),
      }))
      .filter(({ files }) => files.length > 0),
    whole: false,
    unmatched: filters.filter(
      (filter) =>
        !CHECKS.some((check) => check === filter) &&
        !present.some((planned) => matches(planned, filter).length > 0),
    ),
  };
}

function testFiles(root: string, suite: string): string[] {
  if (!existsSync(join(root, "tests", suite))) return [];
  return globSync(`tests/${suite}/**/*.test.ts`, { cwd: root }).sort();
}
