/** The guard against becoming slower: shares of raw COPY beside those of the last result that was kept. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import { HTTP_PHASES, type HttpPhase } from "./options.ts";
import { cells, NAMES, type Repetition, type Result, ratioOf, summary } from "./report.ts";

const RESULTS = join(ROOT, "load/results");
/** Processes that want to run; above, others disturb the run. */
const BUSY = 0.5;
const WIDTHS = [34, 6, 10, 7, 10];

export interface Comparison {
  readonly phase: HttpPhase;
  /** Shares of raw COPY, median by median: of this run, and of the stored one. */
  readonly now: number;
  readonly stored: number;
  /** The most by which a repetition of this run is away from its median. */
  readonly noise: number;
  readonly moved: "faster" | "slower" | null;
}

/** Every phase that both runs have. A difference within this run's own noise is none. */
export function compare(now: Result, stored: Result): Comparison[] {
  const [before, after] = [summary(stored), summary(now)];
  return HTTP_PHASES.flatMap((phase) => {
    const was = ratioOf(before[phase], before.raw);
    const ratios = now.repetitions.flatMap((repetition) => ratiosOf(repetition, phase));
    if (was === undefined || ratios.length === 0) return [];
    const is = ratioOf(after[phase], after.raw)!;
    const noise = Math.max(...ratios.map((ratio) => Math.abs(ratio - is)));
    const moved = Math.abs(is - was) <= noise ? null : is > was ? "faster" : "slower";
    return [{ phase, now: is, stored: was, noise, moved }];
  });
}

function ratiosOf(repetition: Repetition, phase: HttpPhase): number[] {
  const ratio = ratioOf(repetition[phase], repetition.raw);
  return ratio === undefined ? [] : [ratio];
}

/** As a table; says so when nothing was kept yet. */
export async function comparison(now: Result): Promise<string> {
  const stored = await lastStored();
  if (!stored) return "No result is kept in load/results yet: nothing to compare with.\n";
  const { machine, date } = stored;
  const lines = compare(now, stored).map(({ phase, ...one }) =>
    cells(
      [
        NAMES[phase],
        one.now.toFixed(2),
        one.stored.toFixed(2),
        `±${one.noise.toFixed(2)}`,
        one.moved ?? "as before",
      ],
      WIDTHS,
    ),
  );
  const other = machine.cpu === now.machine.cpu ? "" : `, on another machine (${machine.cpu})`;
  const busy =
    now.machine.load_before > BUSY
      ? [`The machine was busy (load ${now.machine.load_before}): shares of small requests fall then.`]
      : [];
  return [
    `Shares of raw COPY beside those of commit ${machine.commit}${other}; moved is what differs by more than this run's noise`,
    cells(["", "now", date.slice(0, 10), "noise", ""], WIDTHS),
    ...lines,
    ...busy,
    "",
  ].join("\n");
}

async function lastStored(): Promise<Result | null> {
  const names = (await readdir(RESULTS)).filter((name) => name.endsWith("-bench.json")).sort();
  const last = names.at(-1);
  return last === undefined ? null : ((await Bun.file(join(RESULTS, last)).json()) as Result);
}
