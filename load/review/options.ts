/** What a run of the review benchmark does, from its command line. */
import { parseArgs } from "node:util";
import { UsageError } from "../bench/options.ts";

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

function whole(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text.replaceAll(",", ""));
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} is a whole number from 1, not "${text}"`);
  return value;
}

function partsOf(text: string | undefined): readonly Part[] {
  if (text === undefined) return PARTS;
  const names = text.split(",");
  const unknown = names.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new UsageError(`--only takes ${PARTS.join(", ")}, not "${unknown}"`);
  return PARTS.filter((part) => names.includes(part));
}

/** @throws {UsageError} @returns null when help is asked for */
export function readOptions(args: readonly string[]): ReviewBenchOptions | null {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const parse = () =>
    parseArgs({
      args: [...args],
      options: {
        rows: text,
        requests: text,
        only: text,
        match: text,
        keep: flag,
        quick: flag,
        "no-save": flag,
        help: flag,
      },
    }).values;
  let given: ReturnType<typeof parse>;
  try {
    given = parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (given.help) return null;
  const quick = given.quick === true;
  const isWhole = given.only === undefined && given.match === undefined;
  return {
    rows: whole("rows", given.rows, quick ? 50_000 : 1_000_000),
    requests: whole("requests", given.requests, quick ? 10 : 60),
    parts: partsOf(given.only),
    match: given.match ?? null,
    keep: given.keep === true,
    save: !quick && given["no-save"] !== true && isWhole,
  };
}
