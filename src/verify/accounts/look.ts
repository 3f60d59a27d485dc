/** A look at books and table, all of it as of one moment. */
import {
  chunksOf,
  countersOfReviews,
  decidedByReviews,
  insertedByJobs,
  StoredCount,
} from "../../store/inspect/accounts.ts";
import type { Snapshot } from "../../store/inspect/snapshot.ts";
import { wrongCounters } from "./decisions.ts";
import { type Books, type InSlot, type Reckoned, reckon } from "./reckoning.ts";
import { type Slot, slotsOf } from "./slots.ts";

/** [from, to) in ms since the epoch. */
export interface TimeRange {
  readonly from_ms: number;
  readonly to_ms: number;
}

export interface Asked {
  /** Readings from then on are kept, ms since the epoch. */
  readonly keep_ms: number;
  /** What begins before it is not compared, ms since the epoch; null: all is. */
  readonly since_ms: number | null;
  /** Only chunks that overlap these are counted; null: all. */
  readonly only: readonly TimeRange[] | null;
}

export interface Look extends Reckoned {
  readonly slots: readonly Slot[];
  /** Chunks that took too long to count. */
  readonly uncounted: number;
  readonly counted: number;
  /** Counters of reviews that are not what the record says. */
  readonly counters: readonly string[];
  /** Tasks and jobs of reviews. */
  readonly reviewed: number;
}

/** Told what is done, and asked whether to go on. @throws its signal's reason */
export type Step = (text: string) => void;

const iso = (ms: number) => new Date(ms).toISOString();

/** @throws pg.DatabaseError @throws {ConnectionLostError} @throws the reason of a `step` that ends it */
export async function look(moment: Snapshot, { keep_ms, since_ms, only }: Asked, step: Step): Promise<Look> {
  const { slots, cuts_ms } = slotsOf(await chunksOf(moment), keep_ms, since_ms);
  const cuts = cuts_ms.map(iso);
  const inserted = await insertedByJobs(moment, cuts, () => step("adding up jobs"));
  const decided = await decidedByReviews(moment, cuts, () => step("adding up decisions"));
  const counters = await countersOfReviews(moment);
  const removed = decided.flatMap(({ system_id, slot, lines }): InSlot[] =>
    slot === null ? [] : [{ system_id, slot, readings: lines }],
  );
  const isAsked = ({ from_ms, to_ms }: Slot) =>
    only === null || only.some((range) => from_ms! < range.to_ms && range.from_ms < to_ms!);
  const kept = slots.flatMap((slot, n) => (slot.kind === "kept" ? [{ ...slot, n }] : []));
  const asked = kept.filter(isAsked);
  const { stored, tooSlow } = await countAll(moment, asked, step);
  const left = kept.filter((slot) => !asked.includes(slot)).map(({ n }) => n);
  const books: Books = {
    kinds: slots.map(({ kind }) => kind),
    uncounted: new Set([...tooSlow, ...left]),
    ...{ inserted, removed, stored },
  };
  return {
    ...reckon(books),
    slots,
    uncounted: tooSlow.length,
    counted: asked.length - tooSlow.length,
    counters: wrongCounters(counters, decided),
    reviewed: counters.length,
  };
}

async function countAll(moment: Snapshot, asked: readonly (Slot & { readonly n: number })[], step: Step) {
  const count = new StoredCount(moment);
  const stored: InSlot[] = [];
  const tooSlow: number[] = [];
  for (const [at, { n, from_ms, to_ms }] of asked.entries()) {
    const said = () =>
      step(`counting readings, chunk ${at + 1} of ${asked.length} (${iso(from_ms!).slice(0, 10)})`);
    said();
    const sums = await count.of(iso(from_ms!), iso(to_ms!), said);
    if (sums === null) tooSlow.push(n);
    else for (const [system_id, readings] of sums) stored.push({ system_id, slot: n, readings });
  }
  return { stored, tooSlow };
}
