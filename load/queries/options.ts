/** What a run of the query benchmark does, from its command line. */
import { parseArgs } from "node:util";
import { UsageError } from "../bench/options.ts";

export interface QueryBenchOptions {
  /** Readings of the large and of the small database. */
  readonly rows: number;
  readonly small_rows: number;
  /** Requests of each question to each database. */
  readonly requests: number;
  /** Community: compress every chunk, not only those that are older than 7 days. */
  readonly compress_all: boolean;
  /** Leave the databases, or take those that a run left. */
  readonly keep: boolean;
  /** Write load/results. */
  readonly save: boolean;
}

export const USAGE = `Usage: bun run bench:queries [OPTIONS]
  --rows N          readings of the large database (25,000,000)
  --small-rows N    readings of the small one (1,000,000)
  --requests N      requests of each question to each database (200)
  --compress-all    Community: compress every chunk, not only those older than 7 days
  --keep            leave the databases, and take those that a run of the same size left in the last 6 hours
  --quick           250,000 and 100,000 readings, 20 requests; saves nothing
  --no-save         leave load/results as it is
DATABASE_URL and REDIS_URL (both or none) name services to use; else private ones are started in .data/bench-queries.
25,000,000 readings take about 7 GB.
`;

function whole(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text.replaceAll(",", ""));
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} is a whole number from 1, not "${text}"`);
  return value;
}

/** @throws {UsageError} @returns null when help is asked for */
export function readOptions(args: readonly string[]): QueryBenchOptions | null {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const parse = () =>
    parseArgs({
      args: [...args],
      options: {
        rows: text,
        "small-rows": text,
        requests: text,
        "compress-all": flag,
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
  return {
    rows: whole("rows", given.rows, quick ? 250_000 : 25_000_000),
    small_rows: whole("small-rows", given["small-rows"], quick ? 100_000 : 1_000_000),
    requests: whole("requests", given.requests, quick ? 20 : 200),
    compress_all: given["compress-all"] === true,
    keep: given.keep === true,
    save: !quick && given["no-save"] !== true,
  };
}
