/** What a run of the query benchmark does, from its command line. */
import { FLAG, groupedOption, readArguments, TEXT } from "../command-line.ts";

export interface QueryBenchOptions {
  /** Readings of the large and of the small database. */
  readonly rows: number;
  readonly small_rows: number;
  /** Requests of each question to each database. */
  readonly requests: number;
  /** Community: compress every chunk, not only those that are older than 7 days. */
  readonly compress_all: boolean;
  /** Readings a second that come into the large database meanwhile; 0: none. */
  readonly ingest_rows_per_s: number;
  /** Leave the databases, or take those that a run left. */
  readonly keep: boolean;
  /** Write load/results. */
  readonly save: boolean;
}

export const USAGE = `Usage: bun run bench:queries [OPTIONS]
  --rows N          readings of the large database (25,000,000)
  --small-rows N    readings of the small one (1,000,000)
  --requests N      requests of each question to each database (200)
  --ingest N        with N readings a second coming into the large one all the time (0)
  --compress-all    Community: compress every chunk, not only those older than 7 days
  --keep            leave the databases, and take those that a run of the same size left in the last 6 hours
  --quick           250,000 and 100,000 readings, 20 requests; saves nothing
  --no-save         leave load/results as it is
DATABASE_URL and REDIS_URL (both or none) name services to use; else private ones are started in .data/bench-queries.
25,000,000 readings take about 7 GB.
`;

/** @throws {UsageError} @returns null when help is asked for */
export function readOptions(args: readonly string[]): QueryBenchOptions | null {
  const given = readArguments(args, {
    rows: TEXT,
    "small-rows": TEXT,
    requests: TEXT,
    ingest: TEXT,
    "compress-all": FLAG,
    keep: FLAG,
    quick: FLAG,
    "no-save": FLAG,
    help: FLAG,
  });
  if (given.help) return null;
  const quick = given.quick === true;
  return {
    rows: groupedOption("rows", given.rows, quick ? 250_000 : 25_000_000),
    small_rows: groupedOption("small-rows", given["small-rows"], quick ? 100_000 : 1_000_000),
    requests: groupedOption("requests", given.requests, quick ? 20 : 200),
    ingest_rows_per_s: groupedOption("ingest", given.ingest, 0),
    compress_all: given["compress-all"] === true,
    keep: given.keep === true,
    save: !quick && given["no-save"] !== true,
  };
}
