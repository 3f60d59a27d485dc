/** What a run of the benchmark does, from its command line. */
import { parseArgs } from "node:util";

export const PHASES = ["raw", "large", "lines", "small", "paced"] as const;
export type Phase = (typeof PHASES)[number];

export interface BenchOptions {
  /** Readings in each run but the paced one. */
  readonly rows: number;
  readonly repetitions: number;
  readonly phases: ReadonlySet<Phase>;
  /** Readings in a request of the large and of the small run; lines are sent as the large ones. */
  readonly large: { readonly batch: number; readonly connections: number };
  readonly small: { readonly batch: number; readonly connections: number };
  /** Length of the paced run, s. */
  readonly paced_s: number;
  /** Write load/results. */
  readonly save: boolean;
  /** Folder for a CPU profile of the service, main thread. */
  readonly profile: string | undefined;
}

export const USAGE = `Usage: bun run bench [OPTIONS]
  --quick            100,000 rows once, 5 s paced; saves nothing
  --rows N           readings of each run (1,000,000)
  --repetitions N    of raw, large, lines and small, interleaved (3)
  --only A,B         phases of ${PHASES.join(", ")}
  --paced-seconds N  length of the paced run (20)
  --no-save          leave load/results as it is
  --profile DIR      write a CPU profile of the service to DIR
DATABASE_URL and REDIS_URL (both or none) name services to use; else private ones are started in .data/bench.
`;

/** Wrong use of the command line; the message is for people. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

function whole(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} is a whole number from 1, not "${text}"`);
  return value;
}

function phases(text: string | undefined): ReadonlySet<Phase> {
  if (text === undefined) return new Set(PHASES);
  const chosen = text.split(",").map((name) => {
    const phase = PHASES.find((p) => p === name);
    if (!phase) throw new UsageError(`--only takes ${PHASES.join(", ")}, not "${name}"`);
    return phase;
  });
  return new Set(chosen);
}

/** @throws {UsageError} @returns null when help is asked for */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  let given: ReturnType<typeof parse>;
  const parse = () =>
    parseArgs({
      args: [...args],
      options: {
        quick: flag,
        rows: text,
        repetitions: text,
        only: text,
        "paced-seconds": text,
        "no-save": flag,
        profile: text,
        help: flag,
      },
    }).values;
  try {
    given = parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (given.help) return null;
  const quick = given.quick === true;
  const chosen = phases(given.only);
  return {
    rows: whole("rows", given.rows, quick ? 100_000 : 1_000_000),
    repetitions: whole("repetitions", given.repetitions, quick ? 1 : 3),
    phases: chosen,
    large: { batch: 10_000, connections: 4 },
    small: { batch: 100, connections: 64 },
    paced_s: whole("paced-seconds", given["paced-seconds"], quick ? 5 : 20),
    save: !quick && given["no-save"] !== true && chosen.size === PHASES.length,
    profile: given.profile,
  };
}
