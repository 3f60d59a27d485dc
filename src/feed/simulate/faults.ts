/** Faults put into simulated batches on purpose: which kinds, how many, and what a faulty reading looks like. */
import type { Chance } from "./chance.ts";

/** Faults of single readings; each is named after what becomes of it, `identical` of an exact repetition. */
export const READING_FAULTS = [
  "parse_error",
  "invalid_timestamp",
  "out_of_range",
  "invalid_unit",
  "duplicate",
  "identical",
] as const;
export type ReadingFault = (typeof READING_FAULTS)[number];
/** `system_not_found` is a fault of whole batches. */
export const FAULT_KINDS = [...READING_FAULTS, "system_not_found"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Share of all readings, 0-1, for each kind. */
export type FaultShares = Readonly<Record<FaultKind, number>>;

/** A reading as it is sent; a faulty one may be any JSON value. */
export interface SimulatedReading {
  readonly sensor_id: string;
  readonly timestamp: string;
  readonly value: number;
  readonly unit: string;
  readonly quality?: number;
}

/**
 * Shares from the options: `total` is spread evenly over the kinds that `single` does not name.
 * @throws {RangeError} when a share or their sum is not within 0-1
 */
export function faultShares(total: number, single: ReadonlyMap<FaultKind, number>): FaultShares {
  const rest = FAULT_KINDS.filter((kind) => !single.has(kind));
  const shares = Object.fromEntries(
    FAULT_KINDS.map((kind) => [kind, single.get(kind) ?? total / rest.length]),
  ) as Record<FaultKind, number>;
  const sum = FAULT_KINDS.reduce((s, kind) => s + shares[kind], 0);
  if (!(sum <= 1 + 1e-9) || FAULT_KINDS.some((kind) => !(shares[kind] >= 0))) {
    throw new RangeError(`the shares of the faults must lie between 0 and 1 together, not ${sum}`);
  }
  return shares;
}

/**
 * How many faults of a kind are due: after n readings always floor(n * share), so that a share is exact over
 * the run. What could not be placed in one batch stays due in the next.
 */
export class FaultQuota {
  readonly #injected = new Map<FaultKind, number>();

  constructor(private readonly shares: FaultShares) {}

  /** @param readings readings of the run up to and including the batch at hand */
  due(kind: FaultKind, readings: number): number {
    // The addend keeps 0.1 * 30 = 2.9999… from losing one.
    const target = Math.floor(readings * this.shares[kind] + 1e-6);
    return Math.max(0, target - (this.#injected.get(kind) ?? 0));
  }

  placed(kind: FaultKind, count: number): void {
    this.#injected.set(kind, (this.#injected.get(kind) ?? 0) + count);
  }
}

/** Limits of the canonical units, exclusive; a value beyond them is out of range for certain. */
const BEYOND: Readonly<Record<string, readonly [below: number, above: number]>> = {
  bar: [0, 700],
  celsius: [-40, 120],
  lpm: [0, 1000],
  rpm: [0, 6000],
};

const TIMESTAMP_FAULTS: readonly ((good: string) => string)[] = [
  () => "2024-02-30T08:00:00Z",
  () => "1999-12-31T23:59:59Z",
  () => "2999-01-01T00:00:00Z",
  () => "yesterday",
  (good) => good.replace("Z", ""),
  (good) => good.replace("T", " "),
  (good) => good.replace(/T\d\d/, "T24"),
];

const STRUCTURE_FAULTS: readonly ((good: SimulatedReading) => unknown)[] = [
  () => null,
  (good) => ({ ...good, value: "NaN" }),
  (good) => ({ ...good, value: null }),
  (good) => ({ ...good, sensor_id: "sensor-17" }),
  (good) => ({ ...good, timestamp: 1_700_000_000 }),
  (good) => ({ ...good, unit: undefined }),
  (good) => ({ ...good, quality: "good" }),
  (good) => [good.sensor_id, good.timestamp, good.value],
];

const UNKNOWN_UNITS = ["furlong", "", "barr", "degrees", "l/fortnight"] as const;

/** What `good` becomes with a fault that needs no other reading. */
export function spoil(
  good: SimulatedReading,
  kind: Exclude<ReadingFault, "duplicate" | "identical">,
  chance: Chance,
): unknown {
  switch (kind) {
    case "parse_error":
      return chance.pick(STRUCTURE_FAULTS)(good);
    case "invalid_timestamp":
      return { ...good, timestamp: chance.pick(TIMESTAMP_FAULTS)(good.timestamp) };
    case "invalid_unit":
      return { ...good, unit: chance.pick(UNKNOWN_UNITS) };
    case "out_of_range":
      return outOfRange(good, chance);
  }
}

function outOfRange(good: SimulatedReading, chance: Chance): SimulatedReading {
  const limits = BEYOND[good.unit];
  const how = chance.below(3);
  if (how === 0 || !limits) return { ...good, quality: chance.below(50) };
  const over = 1 + Math.round(chance.uniform() * 1000) / 10;
  return { ...good, value: how === 1 ? limits[1] + over : limits[0] - over };
}

/** The same sensor and time with another value that is as good: a conflict. */
export function conflicting(good: SimulatedReading): SimulatedReading {
  const step = good.unit === "rpm" ? 7 : 1.25;
  return { ...good, value: good.value + (good.value > 20 ? -step : step) };
}
