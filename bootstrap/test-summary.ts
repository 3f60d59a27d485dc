/** Reads the counts that `bun test` prints at its end. */

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
    const matches = lines.flatMap((line) => new RegExp(`^\\s*(\\d+) ${word}$`).exec(line)?.[1] ?? []);
    return Number(matches.at(-1) ?? 0);
  };
  const ended = lines.some((line) => /^Ran \d+ tests? across \d+ files?\./.test(line));
  const passed = number("pass");
  const failed = number("fail");
  const skipped = number("skip") + number("todo");
  if (!ended) return { passed, failed: failed + 1, skipped };
  return { passed, failed: exitCode !== 0 && failed === 0 ? 1 : failed, skipped };
}

/** Sums of several runs. */
export function addCounts(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** The closing line: `N passed, N failed`, and `, N skipped` if any. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
