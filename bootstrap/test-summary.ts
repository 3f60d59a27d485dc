/** Reads what `bun test` prints: the counts at its end, and what was said of each failed test. */

/** Numbers of tests. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NO_TESTS: Counts = { passed: 0, failed: 0, skipped: 0 };

/**
 * Counts of one run. Without a summary the run counts as one failure, whatever its exit code: a `process.exit(0)`
 * inside a test ends Bun with success and no summary. So does a bad exit code that no failed test explains.
 *
 * @param output everything that the process wrote
 * @param exitCode its exit code; null when a signal ended it
 */
export function readCounts(output: string, exitCode: number | null): Counts {
  const lines = Bun.stripANSI(output).split("\n");
  const number = (word: string): number => {
    const matches = lines.flatMap((line) => {
      const [, count, what] = /^\s*(\d+) (\w+)$/.exec(line) ?? [];
      return count !== undefined && what === word ? [count] : [];
    });
    return Number(matches.at(-1) ?? 0);
  };
  const ended = lines.some((line) => /^Ran \d+ tests? across \d+ files?\./.test(line));
  const passed = number("pass");
  const failed = number("fail");
  const skipped = number("skip") + number("todo");
  if (!ended) return { passed, failed: failed + 1, skipped };
  return { passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed, skipped };
}

/** A failed test as it was printed. */
export interface Failure {
  /** Path of the test file; empty when none was printed before it. */
  readonly file: string;
  /** The errors and logs since the test before it, at most the last 60 lines, and the line with its name. */
  readonly lines: readonly string[];
}

const RESULT_LINE = /^\((pass|fail|skip|todo)\) /;
const FILE_LINE = /^\S+\.test\.tsx?:$/;
/** Bun repeats the names of failed tests at the end of a long run. */
const REPEATED_FROM = /^\s*\d+ tests? failed:$/;
const SHOWN_LINES = 60;

/** The failed tests of one run, in their order, so that they can be told once more where people look: at the end. */
export function readFailures(output: string): readonly Failure[] {
  const failures: Failure[] = [];
  let file = "";
  let since: string[] = [];
  for (const line of Bun.stripANSI(output).split("\n")) {
    if (REPEATED_FROM.test(line)) break;
    if (FILE_LINE.test(line)) {
      file = line.slice(0, -1);
      since = [];
      continue;
    }
    since.push(line);
    const result = RESULT_LINE.exec(line)?.[1];
    if (result === "fail") failures.push({ file, lines: since.slice(-SHOWN_LINES) });
    if (result) since = [];
  }
  return failures;
}

/** Sums of several runs. */
export function addCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The closing line: `N passed, N failed`, and `, N skipped` if any. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
