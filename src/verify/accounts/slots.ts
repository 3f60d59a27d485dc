/** The time axis in slots: each chunk is one, and so is what lies between, before and after them. */
import type { ChunkFacts } from "../../store/inspect/hypertable.ts";

/**
 * `kept`: a chunk that is to be there. `gone`: older than retention keeps readings, or than what is compared.
 * `empty`: there is no chunk, though retention would keep it.
 */
export type SlotKind = "kept" | "gone" | "empty";

export interface Slot {
  readonly kind: SlotKind;
  /** ms since the epoch; null: the axis has no end there. */
  readonly from_ms: number | null;
  readonly to_ms: number | null;
}

/** Clocks of machines differ, and so the moments before which each of them dropped chunks. */
const CLOCKS_MS = 3_600_000;

/**
 * Slots in order; slot n begins at cut n - 1.
 * @param chunks oldest first, without overlaps
 * @param keep_ms readings from then on are kept, ms since the epoch
 * @param since_ms slots that begin before it are not compared; null: all are
 */
export function slotsOf(
  chunks: readonly Pick<ChunkFacts, "from_ms" | "to_ms">[],
  keep_ms: number,
  since_ms: number | null,
): { slots: Slot[]; cuts_ms: number[] } {
  const limit_ms = keep_ms + CLOCKS_MS;
  const isEarly = (from_ms: number | null) => since_ms !== null && (from_ms === null || from_ms < since_ms);
  const isWithin = chunks.some(({ from_ms, to_ms }) => from_ms < limit_ms && limit_ms < to_ms);
  const bounds = chunks.flatMap(({ from_ms, to_ms }) => [from_ms, to_ms]);
  // A chunk goes as a whole, so the limit divides none.
  const cuts_ms = [...new Set(isWithin ? bounds : [...bounds, limit_ms])].sort((a, b) => a - b);
  const begins = new Set(chunks.map(({ from_ms }) => from_ms));
  const slots = Array.from({ length: cuts_ms.length + 1 }, (_, n): Slot => {
    const from_ms = cuts_ms[n - 1] ?? null;
    const to_ms = cuts_ms[n] ?? null;
    const isOld = to_ms !== null && to_ms <= limit_ms;
    const kind =
      isOld || isEarly(from_ms) ? "gone" : from_ms !== null && begins.has(from_ms) ? "kept" : "empty";
    return { kind, from_ms, to_ms };
  });
  return { slots, cuts_ms };
}
