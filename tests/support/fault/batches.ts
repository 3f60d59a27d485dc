/** Batches whose outcome is known beforehand: every sensor belongs to one batch, so the tables tell whose rows are missing. */
import type { RefusalReason } from "../../../src/contract/refusal.ts";

export const SYSTEM_ID = "550e8400-e29b-41d4-a716-446655440000";

export interface Batch {
  readonly key: string;
  readonly sensor_id: string;
  readonly body: string;
  readonly total: number;
  /** Good readings and the sum of their values, which are whole numbers: exact in a double. */
  readonly good: number;
  readonly sum: number;
  /** Ordinals of the bad readings with the reason of their quarantine. */
  readonly bad: ReadonlyMap<number, RefusalReason>;
}

/** Random numbers from a seed (mulberry32), the same on every run. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of a run: FAULT_SEED to repeat one, else random; printed. */
export function seedOf(name: string): number {
  const seed = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.info(`${name}: FAULT_SEED=${seed}`);
  return seed;
}

const FAULTS: readonly [RefusalReason, (good: Record<string, unknown>) => unknown][] = [
  ["out_of_range", (good) => ({ ...good, value: 812.4 })],
  ["invalid_unit", (good) => ({ ...good, unit: "furlong" })],
  ["parse_error", ({ value: _, ...rest }) => rest],
  ["invalid_timestamp", (good) => ({ ...good, timestamp: "2024-02-30T00:00:00Z" })],
];

/** Makes batches without end. */
export class BatchSource {
  #count = 0;
  readonly #begin_ms = Date.now() - 86_400_000;

  /** @param bad share of bad readings, 0 to 1 */
  constructor(
    private readonly random: () => number,
    private readonly readings: number,
    private readonly bad = 0.03,
  ) {}

  next(): Batch {
    this.#count += 1;
    const key = crypto.randomUUID();
    const sensor_id = crypto.randomUUID();
    const bad = new Map<number, RefusalReason>();
    let sum = 0;
    const readings = Array.from({ length: this.readings }, (_, ordinal) => {
      const value = 1 + Math.floor(this.random() * 600);
      const timestamp = new Date(this.#begin_ms + this.#count * 1_000 + ordinal).toISOString();
      const good = { sensor_id, timestamp, value, unit: "bar", quality: 95 };
      if (this.random() >= this.bad) {
        sum += value;
        return good;
      }
      const [reason, spoil] = FAULTS[Math.floor(this.random() * FAULTS.length)]!;
      bad.set(ordinal, reason);
      return spoil(good);
    });
    const body = JSON.stringify({ system_id: SYSTEM_ID, readings });
    return { key, sensor_id, body, total: readings.length, good: readings.length - bad.size, sum, bad };
  }
}
