/**
 * Coverage of src over all suites, from the lcov files that Bun writes.
 *
 * Bun counts lines by number but functions only as totals per file, and it counts nothing in child processes or
 * worker threads. So lines are united across suites; of functions the best single suite counts (a lower bound);
 * files that no suite loaded count as wholly uncovered.
 */
import { readFileSync } from "node:fs";

/** What is known of one source file. */
export interface FileCoverage {
  /** Line number → times run, of all executable lines. */
  readonly lines: Map<number, number>;
  functionsFound: number;
  functionsHit: number;
}

export interface CoverageTotals {
  /** Shares, 0 to 1. */
  readonly lines: number;
  readonly functions: number;
  /** Files with the most uncovered lines, worst first: `path (n of m lines uncovered)`. */
  readonly worst: readonly string[];
}

/**
 * Files that only ever run in a process or thread of their own. What they do is tested from outside; their lines
 * cannot be counted.
 */
const RUN_ELSEWHERE = new Set(["src/main.ts", "src/services/dev-services.ts"]);

/** Adds one lcov text (geninfo(1) format) to what is known. */
export function addLcov(known: Map<string, FileCoverage>, lcov: string): void {
  let file: FileCoverage | undefined;
  for (const line of lcov.split("\n")) {
    const [, key, value = ""] = /^(SF|FNF|FNH|DA):(.*)$/.exec(line) ?? [];
    if (key === "SF") {
      file = known.get(value) ?? { lines: new Map(), functionsFound: 0, functionsHit: 0 };
      known.set(value, file);
    } else if (file && key === "FNF") {
      file.functionsFound = Math.max(file.functionsFound, Number(value));
    } else if (file && key === "FNH") {
      file.functionsHit = Math.max(file.functionsHit, Number(value));
    } else if (file && key === "DA") {
      const [number = 0, hits = 0] = value.split(",").map(Number);
      file.lines.set(number, (file.lines.get(number) ?? 0) + hits);
    }
  }
}

/** Adds every file of `sources` (paths relative to the cwd) that no suite loaded, as uncovered. */
export function addUnloaded(known: Map<string, FileCoverage>, sources: readonly string[]): void {
  for (const path of sources) {
    if (!known.has(path)) known.set(path, uncovered(readFileSync(path, "utf8")));
  }
}

/** Totals over src. @param threadFiles further files that run elsewhere, such as worker thread entries */
export function totals(
  known: ReadonlyMap<string, FileCoverage>,
  threadFiles: readonly string[] = [],
): CoverageTotals {
  const counted = [...known].filter(
    ([path]) => path.startsWith("src/") && !RUN_ELSEWHERE.has(path) && !threadFiles.includes(path),
  );
  let found = 0;
  let hit = 0;
  let functionsFound = 0;
  let functionsHit = 0;
  const worst: { path: string; missed: number; all: number }[] = [];
  for (const [path, file] of counted) {
    const missed = [...file.lines.values()].filter((hits) => hits === 0).length;
    found += file.lines.size;
    hit += file.lines.size - missed;
    functionsFound += file.functionsFound;
    functionsHit += file.functionsHit;
    if (missed > 0) worst.push({ path, missed, all: file.lines.size });
  }
  worst.sort((a, b) => b.missed - a.missed);
  return {
    lines: found === 0 ? 0 : hit / found,
    functions: functionsFound === 0 ? 0 : functionsHit / functionsFound,
    worst: worst.map(({ path, missed, all }) => `${path} (${missed} of ${all} lines uncovered)`),
  };
}

/** Estimate for a file that never ran: its lines and functions once types and comments are gone. */
function uncovered(source: string): FileCoverage {
  const code = new Bun.Transpiler({ loader: "ts" }).transformSync(source);
  const isCode = (line: string): boolean =>
    /\S/.test(line) && !/^\s*(import|export \{|\}|\)|\/\/)/.test(line);
  const numbers = code.split("\n").flatMap((line, index) => (isCode(line) ? [index + 1] : []));
  const functions = code.match(/\bfunction\b|=>|^\s+(async )?#?\w+\([^()]*\) \{$/gm)?.length ?? 0;
  return { lines: new Map(numbers.map((number) => [number, 0])), functionsFound: functions, functionsHit: 0 };
}
