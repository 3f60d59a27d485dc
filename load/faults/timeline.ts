/** When each fault was, and how long the service took to recover from it. */
import type { Recovery } from "./health.ts";
import type { KindName } from "./kinds.ts";
import { describeFault, type PlannedFault } from "./schedule.ts";

interface Happened {
  readonly fault: PlannedFault;
  /** ms since the epoch */
  readonly from_ms: number;
  to_ms: number | null;
}

export interface KindRecord {
  done: number;
  not_done: number;
  /** Of the rounds that it was in, ms. */
  readonly recovery: { p50: number; p95: number; max: number };
}

export class Timeline {
  readonly #happened: Happened[] = [];
  readonly #notDone: PlannedFault[] = [];
  readonly #recoveries = new Map<KindName, number[]>();
  readonly #rounds: number[] = [];
  /** The round that took longest to recover from. */
  worst: Recovery & { readonly faults: readonly string[] } = { took_ms: 0, last: [], faults: [] };
  readonly #begin = performance.now();

  async during(fault: PlannedFault, work: () => Promise<void>): Promise<void> {
    const one: Happened = { fault, from_ms: Date.now(), to_ms: null };
    this.#happened.push(one);
    await work();
    one.to_ms = Date.now();
  }

  notDone(fault: PlannedFault): void {
    this.#notDone.push(fault);
  }

  recovered(round: readonly PlannedFault[], { took_ms, last }: Recovery): void {
    this.#rounds.push(took_ms);
    if (took_ms > this.worst.took_ms)
      this.worst = { took_ms: Math.round(took_ms), last, faults: round.map(describeFault) };
    for (const { kind } of round) this.#recoveries.getOrInsertComputed(kind, () => []).push(took_ms);
  }

  get done(): number {
    return this.#happened.filter(({ to_ms }) => to_ms !== null).length;
  }

  get not_done(): number {
    return this.#notDone.length;
  }

  get rounds(): number {
    return this.#rounds.length;
  }

  /** The last faults before a moment and the first ones after it, for people. @param at_ms since the epoch; null: the end */
  around(at_ms: number | null, count = 3): string[] {
    const after = this.#happened.findIndex(({ from_ms }) => at_ms !== null && from_ms > at_ms);
    const middle = after < 0 ? this.#happened.length : after;
    return this.#happened
      .slice(Math.max(0, middle - count), middle + count)
      .map(({ fault, from_ms, to_ms }) => {
        const to = to_ms === null ? "not ended" : timeText(to_ms);
        return `${describeFault(fault)} (${timeText(from_ms)} to ${to})`;
      });
  }

  kinds(): Partial<Record<KindName, KindRecord>> {
    const records: Partial<Record<KindName, KindRecord>> = {};
    const of = (kind: KindName) => {
      records[kind] ??= { done: 0, not_done: 0, recovery: summary(this.#recoveries.get(kind) ?? []) };
      return records[kind];
    };
    for (const { fault, to_ms } of this.#happened) if (to_ms !== null) of(fault.kind).done += 1;
    for (const { kind } of this.#notDone) of(kind).not_done += 1;
    return records;
  }

  recovery(): KindRecord["recovery"] {
    return summary(this.#rounds);
  }

  progress(accepted: number): string {
    const s = Math.round((performance.now() - this.#begin) / 1_000);
    const { p50, max } = this.recovery();
    return `${this.done} faults in ${s} s, ${accepted} batches accepted; recovery ${p50} ms, at most ${max} ms`;
  }
}

const timeText = (at_ms: number) => new Date(at_ms).toISOString().slice(11);

function summary(times_ms: readonly number[]): KindRecord["recovery"] {
  const sorted = times_ms.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
