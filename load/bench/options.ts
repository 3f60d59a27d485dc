/** What a run of the benchmark does, from its command line. */
import { FLAG, groupedOption, onlyOption, readArguments, TEXT, wholeOption } from "../command-line.ts";

/** Over HTTP, as fast as it goes. */
export const HTTP_PHASES = ["large", "lines", "conflicts", "small", "late"] as const;
const PHASES = ["raw", ...HTTP_PHASES, "paced"] as const;
export type HttpPhase = (typeof HTTP_PHASES)[number];
export type Phase = (typeof PHASES)[number];

export interface BenchOptions {
  /** Readings in each run but the paced one. */
  readonly rows: number;
  readonly repetitions: number;
  readonly phases: ReadonlySet<Phase>;
  /** Those of them that go over HTTP, in the order in which they run. */
  readonly http: readonly HttpPhase[];
  /** Readings in a request of the large and of the small run; lines are sent as the large ones. */
  readonly large: { readonly batch: number; readonly connections: number };
  readonly small: { readonly batch: number; readonly connections: number };
  /** Rows that stand in the table before large requests are sent once more; 0: not. */
  readonly stored: number;
  /** Compare one worker process with two. */
  readonly workers: boolean;
  /** Length of the paced run, s. */
  readonly paced_s: number;
  /** Compare with the last result. */
  readonly compare: boolean;
  /** Write load/results. */
  readonly save: boolean;
  /** Folder for a CPU profile of the service, main thread. */
  readonly profile: string | undefined;
}

export const USAGE = `Usage: bun run bench [OPTIONS]
  --quick            the guard, in under two minutes: three repetitions; prints the shares of raw COPY beside those of the
                     last result in load/results and what moved by more than the run's own noise; saves nothing
  --rows N           readings of each run (1,000,000)
  --repetitions N    of raw, ${HTTP_PHASES.join(", ")}, interleaved (5)
  --only A,B         phases of ${PHASES.join(", ")}
  --small-batch N    readings of a small request (100)
  --stored N         afterwards, large requests again to a table of N rows (0)
  --workers          afterwards, large requests with one worker process and with two
  --paced-seconds N  length of the paced run (20)
  --no-save          leave load/results as it is
  --profile DIR      write a CPU profile of the service to DIR
"late" sends one reading in ten into compressed chunks: on the Community edition only.
DATABASE_URL and REDIS_URL (both or none) name services to use; else private ones are started in .data/bench.
`;

/** @throws {UsageError} @returns null when help is asked for */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const given = readArguments(args, {
    quick: FLAG,
    rows: TEXT,
    repetitions: TEXT,
    only: TEXT,
    "paced-seconds": TEXT,
    "small-batch": TEXT,
    stored: TEXT,
    workers: FLAG,
    "no-save": FLAG,
    profile: TEXT,
    help: FLAG,
  });
  if (given.help) return null;
  const quick = given.quick === true;
  const chosen = new Set<Phase>(onlyOption(given.only, PHASES));
  return {
    rows: wholeOption("rows", given.rows, 1_000_000),
    repetitions: wholeOption("repetitions", given.repetitions, quick ? 3 : 5),
    phases: chosen,
    http: HTTP_PHASES.filter((phase) => chosen.has(phase)),
    large: { batch: 10_000, connections: 4 },
    small: { batch: wholeOption("small-batch", given["small-batch"], 100), connections: 64 },
    stored: groupedOption("stored", given.stored, 0),
    workers: given.workers === true,
    paced_s: wholeOption("paced-seconds", given["paced-seconds"], quick ? 5 : 20),
    compare: quick,
    save:
      !quick &&
      given["no-save"] !== true &&
      // Runs of other sizes are no record to compare with.
      [given.rows, given.repetitions, given["small-batch"]].every((size) => size === undefined) &&
      chosen.size === PHASES.length,
    profile: given.profile,
  };
}
