/** What a run does, from its command line. */
import { FLAG, readArguments, TEXT, UsageError, wholeOption } from "../command-line.ts";
import { KIND_NAMES, KINDS } from "./kinds.ts";

export interface FaultOptions {
  readonly seed: number;
  readonly count: number;
  /** Times of the readings end before this day, ms since the epoch. */
  readonly day_ms: number;
  /** The service has to recover within this time after the last fault of a round, ms. */
  readonly bound_ms: number;
  /** Print the schedule and end. */
  readonly list: boolean;
  /** Write load/results. */
  readonly save: boolean;
  /** Leave data and logs, even if all is right. */
  readonly keep: boolean;
  /** Folder with small disks, which this process was started in; null: there are none yet. */
  readonly inside: string | null;
}

const COUNT = 200;
/** A run of so many faults is for the record. */
const RECORD_COUNT = 1_000;
const BOUND_S = 60;
const LARGEST_SEED = 2 ** 32 - 1;
const DAY_MS = 86_400_000;

const list = KIND_NAMES.map((name) => `  ${name.padEnd(21)}${KINDS[name].title}`).join("\n");

export const USAGE = `Usage: bun run faults [OPTIONS]      (npm run faults -- [OPTIONS])
Producers send steadily to a stack of the run's own (two APIs, two workers, Redis, TimescaleDB) while faults drawn from
a seed overlap. After each round of them the service has to recover by itself; at the end every accepted reading is
looked for in the tables: none lost, none doubled.

  --seed N         whole number from 1; the same seed gives the same schedule and the same data (a random one)
  --count N        faults (${COUNT})
  --day YYYY-MM-DD the day before which readings are dated (today); printed, and part of what a seed repeats
  --bound SECONDS  longest recovery (${BOUND_S})
  --list           print the schedule and end
  --keep           leave data and logs, even if all is right
  --save, --no-save  write load/results or do not (it does from ${RECORD_COUNT} faults on)

${list}

Linux only. It kills what it works on, and so starts services of its own and refuses DATABASE_URL and REDIS_URL.
Exit code 0: all is right. 1: something was lost, doubled, stuck or did not recover. 2: could not be run to its end.
`;

/** @throws {UsageError} @returns null when help is asked for */
export function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  today_ms: number,
): FaultOptions | null {
  if (args.includes("--help") || args.includes("-h")) return null;
  const given = readArguments(args, {
    ...{ seed: TEXT, count: TEXT, day: TEXT, bound: TEXT, inside: TEXT },
    ...{ list: FLAG, keep: FLAG, save: FLAG, "no-save": FLAG },
  });
  const named = (["DATABASE_URL", "REDIS_URL"] as const).find((name) => (env[name] ?? "") !== "");
  if (named)
    throw new UsageError(
      `${named} is set, and this command kills the servers that it works on: unset it, and it starts its own`,
    );
  if (given.save && given["no-save"]) throw new UsageError("give --save or --no-save, not both");
  const count = wholeOption("count", given.count, COUNT);
  const seed = wholeOption("seed", given.seed, 1 + Math.floor(Math.random() * LARGEST_SEED));
  if (seed > LARGEST_SEED) throw new UsageError(`--seed is at most ${LARGEST_SEED}`);
  return {
    seed,
    count,
    day_ms: given.day === undefined ? Math.floor(today_ms / DAY_MS) * DAY_MS : dayOf(given.day),
    bound_ms: wholeOption("bound", given.bound, BOUND_S) * 1_000,
    list: given.list === true,
    save: given["no-save"] !== true && (given.save === true || count >= RECORD_COUNT),
    keep: given.keep === true,
    inside: given.inside ?? null,
  };
}

/** @throws {UsageError} */
function dayOf(text: string): number {
  const day_ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(day_ms)) throw new UsageError(`--day is a date such as 2026-11-27, not "${text}"`);
  return day_ms;
}
