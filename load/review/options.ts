/** What a run of the review benchmark does, from its command line. */
import { FLAG, groupedOption, onlyOption, readArguments, TEXT } from "../command-line.ts";

export const PARTS = ["lists", "approve", "reject"] as const;
export type Part = (typeof PARTS)[number];

export interface ReviewBenchOptions {
  /** Quarantined readings of the lists, and of each task. */
  readonly rows: number;
  /** Requests of each question. */
  readonly requests: number;
  readonly parts: readonly Part[];
  /** Only questions whose name has this text; null: all. */
  readonly match: string | null;
  /** Leave the database of the lists, or take the one that a run left. */
  readonly keep: boolean;
  /** Write load/results. */
  readonly save: boolean;
}

export const USAGE = `Usage: bun run bench:review [OPTIONS]
  --rows N          quarantined readings, of the lists and of each task (1,000,000)
  --requests N      requests of each question (60)
  --only A,B        parts of ${PARTS.join(", ")}
  --match TEXT      of the lists, only questions whose name has this text
  --keep            leave the database of the lists, and take the one that a run of the same size left today
  --quick           50,000 readings, 10 requests; saves nothing
  --no-save         leave load/results as it is
DATABASE_URL and REDIS_URL (both or none) name services to use; else private ones are started in .data/bench-review.
The tasks kill a process of the service's with SIGKILL halfway. 1,000,000 readings take about 4 GB.
`;

/** @throws {UsageError} @returns null when help is asked for */
export function readOptions(args: readonly string[]): ReviewBenchOptions | null {
  const given = readArguments(args, {
    rows: TEXT,
    requests: TEXT,
    only: TEXT,
    match: TEXT,
    keep: FLAG,
    quick: FLAG,
    "no-save": FLAG,
    help: FLAG,
  });
  if (given.help) return null;
  const quick = given.quick === true;
  return {
    rows: groupedOption("rows", given.rows, quick ? 50_000 : 1_000_000),
    requests: groupedOption("requests", given.requests, quick ? 10 : 60),
    parts: onlyOption(given.only, PARTS),
    match: given.match ?? null,
    keep: given.keep === true,
    save: !quick && given["no-save"] !== true && given.match === undefined,
  };
}
