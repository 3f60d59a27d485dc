/** What a hostile run does, from its command line. */
import { FLAG, groupedOption, readArguments, TEXT, wholeOption } from "../command-line.ts";

export interface HostileOptions {
  readonly seed: number;
  /** Hostile requests. */
  readonly count: number;
  /** Batches that are odd and good. */
  readonly odd: number;
  /** Readings of one measurement of speed, and how many are made before and after. */
  readonly speed_rows: number;
  readonly speed_runs: number;
  /** One case alone, by its name. */
  readonly only: string | null;
  /** Write load/results. */
  readonly save: boolean;
}

const DEFAULT_COUNT = 100_000;
/** One odd batch for so many hostile requests. */
const ODD_EVERY = 50;
const SPEED_ROWS = 400_000;
const SPEED_RUNS = 7;
/** A shorter run compares no speeds: it would only say how busy the machine is. */
const SPEED_FROM = 20_000;

export const USAGE = `Usage: bun run hostile [OPTIONS]
Sends hostile requests to a stack of its own, beside an honest producer, and looks afterwards whether anything is
stored, open or slower. See docs/load.md.

  --count N          hostile requests (100,000)
  --seed S           the same requests again (random, and printed)
  --only "NAME"      cases of the seed alone, such as "hostile 17" or "hostile 3, hostile 17" behind one another on one
                     connection, with their bytes and answers
  --no-save          leave load/results as it is; so does another count than the default
DATABASE_URL and REDIS_URL (both or none) name services for the stack; else private ones are started in .data/bench.
Exit code 0: nothing was found. 1: something was. 2: could not be run to its end.
`;

/** @throws {UsageError} @returns null when help is asked for */
export function readOptions(args: readonly string[]): HostileOptions | null {
  if (args.includes("--help") || args.includes("-h")) return null;
  const given = readArguments(args, { seed: TEXT, count: TEXT, only: TEXT, "no-save": FLAG });
  const count = groupedOption("count", given.count, DEFAULT_COUNT);
  const isLong = count >= SPEED_FROM;
  return {
    seed: wholeOption("seed", given.seed, 1 + Math.floor(Math.random() * 2 ** 31)),
    count,
    odd: Math.ceil(count / ODD_EVERY),
    speed_rows: isLong ? SPEED_ROWS : SPEED_ROWS / 8,
    speed_runs: isLong ? SPEED_RUNS : 1,
    only: given.only ?? null,
    save: given["no-save"] !== true && count === DEFAULT_COUNT,
  };
}
