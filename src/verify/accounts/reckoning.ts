/**
 * Do the books agree with what is stored? For each system, and as far as the jobs' spans tell for each slot: stored =
 * inserted by jobs - taken out by decisions. Slots that one job stored in are taken together, for nobody knows how much
 * of it lies in which of them. Pure.
 */
import type { Inserted } from "../../store/inspect/accounts.ts";
import type { SlotKind } from "./slots.ts";

/** Readings of a system in one slot. */
export interface InSlot {
  readonly system_id: string;
  readonly slot: number;
  readonly readings: number;
}

export interface Books {
  readonly kinds: readonly SlotKind[];
  readonly inserted: readonly Inserted[];
  readonly removed: readonly InSlot[];
  readonly stored: readonly InSlot[];
  /** Slots that took too long to count. */
  readonly uncounted: ReadonlySet<number>;
}

/** Books and table differ. */
export interface Difference {
  readonly system_id: string;
  /** Both included. */
  readonly from_slot: number;
  readonly to_slot: number;
  readonly stored: number;
  /** By the books: one number, or all between two when a job stored here and where nothing can be counted. */
  readonly least: number;
  readonly most: number;
  readonly jobs: number;
}

export interface Reckoned {
  readonly differences: readonly Difference[];
  /** By the books, in slots that were compared. */
  readonly expected: number;
  readonly stored: number;
  /** Of jobs that stored here and where nothing can be counted. */
  readonly uncertain: number;
  /** By the books, where no chunk is though retention would keep it: before the first chunk that is there, and elsewhere. */
  readonly dropped: { readonly before: number; readonly between: number };
}

interface Range {
  readonly from: number;
  to: number;
}

/** Sums of one system by slot, and its jobs that reach over several. */
class SystemBooks {
  readonly exact = new Map<number, number>();
  readonly jobs = new Map<number, number>();
  readonly stored = new Map<number, number>();
  readonly removed = new Map<number, number>();
  readonly wide: Inserted[] = [];

  /** Ranges of slots that belong together, in order. */
  ranges(): Range[] {
    const single = [...this.exact.keys(), ...this.stored.keys(), ...this.removed.keys()];
    const all: Range[] = [
      ...single.map((slot) => ({ from: slot, to: slot })),
      ...this.wide.map(({ from_slot, to_slot }) => ({ from: from_slot, to: to_slot })),
    ].sort((a, b) => a.from - b.from);
    const joined: Range[] = [];
    for (const { from, to } of all) {
      const last = joined.at(-1);
      if (last && from <= last.to) last.to = Math.max(last.to, to);
      else joined.push({ from, to });
    }
    return joined;
  }
}

const add = (sums: Map<number, number>, slot: number, n: number) => sums.set(slot, (sums.get(slot) ?? 0) + n);

function bySystem({ inserted, removed, stored }: Books): Map<string, SystemBooks> {
  const systems = new Map<string, SystemBooks>();
  const of = (id: string) => {
    const books = systems.get(id) ?? new SystemBooks();
    systems.set(id, books);
    return books;
  };
  for (const span of inserted) {
    const books = of(span.system_id);
    if (span.from_slot !== span.to_slot) books.wide.push(span);
    else {
      add(books.exact, span.from_slot, span.readings);
      add(books.jobs, span.from_slot, span.jobs);
    }
  }
  for (const { system_id, slot, readings } of removed) add(of(system_id).removed, slot, readings);
  for (const { system_id, slot, readings } of stored) add(of(system_id).stored, slot, readings);
  return systems;
}

/** Where nothing was ever stored there is nothing to miss: an empty slot counts when the span of a job ends in it. */
function usedSlots({ inserted }: Books): Set<number> {
  return new Set(inserted.flatMap(({ from_slot, to_slot }) => [from_slot, to_slot]));
}

export function reckon(books: Books): Reckoned {
  const { kinds, uncounted } = books;
  const used = usedSlots(books);
  const isCounted = (slot: number) =>
    !uncounted.has(slot) && (kinds[slot] === "kept" || (kinds[slot] === "empty" && !used.has(slot)));
  const firstKept = kinds.indexOf("kept");
  const sums = { expected: 0, stored: 0, uncertain: 0, before: 0, between: 0 };
  const differences: Difference[] = [];
  for (const [system_id, system] of bySystem(books)) {
    for (const range of system.ranges()) {
      const found = reckonRange(system, range, isCounted);
      sums.expected += found.least;
      sums.stored += found.stored;
      sums.uncertain += found.most - found.least;
      if (found.stored < found.least || found.stored > found.most)
        differences.push({ system_id, from_slot: range.from, to_slot: range.to, ...found });
    }
    for (const [slot, readings] of system.exact) {
      if (kinds[slot] !== "empty") continue;
      // What was taken out may have come by a job that reaches over several, so it makes up for nothing then.
      const isReached = system.wide.some(({ from_slot, to_slot }) => from_slot <= slot && slot <= to_slot);
      const left = isReached ? readings : Math.max(0, readings - (system.removed.get(slot) ?? 0));
      if (firstKept >= 0 && slot < firstKept) sums.before += left;
      else sums.between += left;
    }
  }
  const { before, between, ...rest } = sums;
  return { differences: acrossSystems(differences, books), ...rest, dropped: { before, between } };
}

function reckonRange(system: SystemBooks, { from, to }: Range, isCounted: (slot: number) => boolean) {
  const slots = Array.from({ length: to - from + 1 }, (_, n) => from + n);
  const counted = slots.filter(isCounted);
  const sum = (of: ReadonlyMap<number, number>) =>
    counted.reduce((total, slot) => total + (of.get(slot) ?? 0), 0);
  const wide = system.wide.filter(({ from_slot, to_slot }) => from_slot >= from && to_slot <= to);
  const reach = wide.reduce((total, { readings }) => total + readings, 0);
  const whole = counted.length === slots.length;
  const certain = sum(system.exact) - sum(system.removed);
  return {
    stored: sum(system.stored),
    least: counted.length === 0 ? 0 : Math.max(0, whole ? certain + reach : certain),
    most: counted.length === 0 ? 0 : certain + reach,
    jobs: sum(system.jobs) + wide.reduce((total, { jobs }) => total + jobs, 0),
  };
}

/**
 * A decision may replace a reading that came by another system: the record says whose the new one is. What one system
 * has too many of and another one too few, where decisions took out as many, is no difference.
 */
function acrossSystems(differences: readonly Difference[], { removed }: Books): readonly Difference[] {
  const isIn =
    ({ from_slot, to_slot }: Difference) =>
    (slot: number) =>
      slot >= from_slot && slot <= to_slot;
  const excess = ({ stored, least, most }: Difference) => (stored > most ? stored - most : stored - least);
  const balance = differences.reduce((total, one) => total + excess(one), 0);
  const moved = differences.reduce((total, one) => total + Math.abs(excess(one)), 0) / 2;
  const taken = removed
    .filter(({ slot }) => differences.some((one) => isIn(one)(slot)))
    .reduce((total, { readings }) => total + readings, 0);
  return differences.length > 1 && balance === 0 && moved <= taken ? [] : differences;
}
