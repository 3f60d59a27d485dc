/**
 * What the producers send, made from the seed: batch `n` of a lane is the same however often it is asked for, so the
 * oracle needs no copy of what was sent. A lane has sensors of its own; its batches repeat each other on purpose.
 */

import { uuidV5 } from "../../src/contract/name-uuid.ts";
import type { RefusalReason } from "../../src/contract/refusal.ts";
import { fieldText } from "../../src/contract/series.ts";
import { Chance } from "../../src/feed/simulate/chance.ts";

export interface DataShape {
  readonly seed: number;
  /** Times count from here, ms since the epoch. */
  readonly origin_ms: number;
}

export const SYSTEM_ID = "1c1f3f0e-5a0c-4b8e-9c40-6e2f0a3d7b91";
export const FORMATS = ["json", "ndjson", "csv", "line"] as const;
export type Format = (typeof FORMATS)[number];

/** What must become of a reading, before it is known what else is stored. */
export type Verdict = "good" | Exclude<RefusalReason, "duplicate">;

export interface Reading {
  readonly sensor: number;
  readonly at_ms: number;
  /** A text is what no format takes for a number. */
  readonly value: number | string;
  readonly unit: string;
  readonly quality: number;
  readonly verdict: Verdict;
}

export interface LaneBatch {
  readonly lane: number;
  readonly n: number;
  readonly system_id: string;
  readonly format: Format;
  readonly gzip: boolean;
  /** Idempotency-Key; null: it is sent without one. */
  readonly key: string | null;
  /** Whether a producer without a clear answer sends it again although it has no key. */
  readonly insists: boolean;
  readonly readings: readonly Reading[];
}

/** Time of a batch's readings, ms: one batch after the other. */
export const WINDOW_MS = 5_000;
const SPACING_MS = 3;
/** Readings; a large batch is in COPY for long enough that faults come in the middle of it. */
const SIZE = { least: 5, spread: 55, large_share: 0.03, large: 300, large_spread: 900 };
/** Batches back that a repeated reading may be from. */
const REACH = 3;
const SHARES = { unregistered: 0.03, gzip: 0.4, keyed: 0.6, insists: 0.5 };
const BAD = 0.04;
/** Shares of readings after which a repeat stands: within the batch, or of an earlier one. */
const REPEATS = { own_identical: 0.02, own_conflict: 0.02, earlier_identical: 0.03, earlier_conflict: 0.02 };

/** Units with the end of their range; values stay below it by more than a conflict adds. */
const SENSOR_UNITS = [
  { unit: "bar", most: 700 },
  { unit: "celsius", most: 120 },
  { unit: "lpm", most: 1_000 },
  { unit: "rpm", most: 6_000 },
  { unit: "bar", most: 700 },
  { unit: "celsius", most: 120 },
] as const;
export const SENSORS = SENSOR_UNITS.length;
const CONFLICT = 1;
export const MEASUREMENT = "press";

export const tagsOf = ({ seed }: DataShape, lane: number) => ({ lane: String(lane), run: String(seed) });
export const fieldOf = (sensor: number) => `s${sensor}`;
/** The name of a sensor as line protocol makes it. */
export const sensorName = (shape: DataShape, lane: number, sensor: number) =>
  fieldText(MEASUREMENT, Object.entries(tagsOf(shape, lane)), fieldOf(sensor));
export const sensorId = (shape: DataShape, lane: number, sensor: number) =>
  uuidV5(SYSTEM_ID, sensorName(shape, lane, sensor));

export const windowStart = ({ origin_ms }: DataShape, n: number) => origin_ms + n * WINDOW_MS;

export function batchOf(shape: DataShape, lane: number, n: number): LaneBatch {
  const chance = new Chance(shape.seed, `batch ${lane} ${n}`);
  const unregistered = chance.uniform() < SHARES.unregistered;
  const format = chance.pick(["json", "json", "line", "line", "ndjson", "csv"] as const);
  const gzip = chance.uniform() < SHARES.gzip;
  const keyed = chance.uniform() < SHARES.keyed;
  const insists = chance.uniform() < SHARES.insists;
  const name = `${shape.seed}-${shape.origin_ms}-${lane}-${n}`;
  return {
    ...{ lane, n, gzip, insists },
    system_id: unregistered ? uuidV5(SYSTEM_ID, `unregistered ${name}`) : SYSTEM_ID,
    format: unregistered ? "json" : format,
    key: keyed ? `faults-${name}` : null,
    readings: [markerOf(shape, n), ...mixed(shape, lane, n, chance)],
  };
}

/**
 * The first reading of each batch: out of range, and alone at its time. It stands in the quarantine beside its job, and
 * so tells of a job that no answer told of whose it is.
 */
function markerOf(shape: DataShape, n: number): Reading {
  const { unit, most } = SENSOR_UNITS[0];
  return {
    ...{ sensor: 0, at_ms: windowStart(shape, n), value: most + 200, unit, quality: 100 },
    verdict: "out_of_range",
  };
}

/** Good readings, each alone at its time. */
function freshOf(shape: DataShape, lane: number, n: number): Reading[] {
  const chance = new Chance(shape.seed, `fresh ${lane} ${n}`);
  const isLarge = chance.uniform() < SIZE.large_share;
  const size = isLarge
    ? SIZE.large + chance.below(SIZE.large_spread)
    : SIZE.least + chance.below(SIZE.spread);
  return Array.from({ length: size }, (_, i) => {
    const sensor = chance.below(SENSORS);
    const { unit, most } = SENSOR_UNITS[sensor]!;
    const value = chance.below((most - 2 * CONFLICT) * 100) / 100;
    const at_ms = windowStart(shape, n) + (i + 1) * SPACING_MS;
    return { sensor, at_ms, value, unit, quality: 50 + chance.below(51), verdict: "good" };
  });
}

function mixed(shape: DataShape, lane: number, n: number, chance: Chance): Reading[] {
  const readings: Reading[] = [];
  const earlier = () => {
    const from = n - 1 - chance.below(REACH);
    return from < 0 ? undefined : chance.pick(freshOf(shape, lane, from));
  };
  const add = (share: number, of: () => Reading | undefined, change: (one: Reading) => Reading) => {
    if (chance.uniform() >= share) return;
    const one = of();
    if (one) readings.push(change(one));
  };
  for (const fresh of freshOf(shape, lane, n)) {
    readings.push(chance.uniform() < BAD ? spoilt(fresh, chance) : fresh);
    const own = () => fresh;
    add(REPEATS.own_identical, own, (one) => one);
    add(REPEATS.own_conflict, own, conflicting);
    add(REPEATS.earlier_identical, earlier, (one) => one);
    add(REPEATS.earlier_conflict, earlier, conflicting);
  }
  return readings;
}

const conflicting = (one: Reading): Reading => ({ ...one, value: (one.value as number) + CONFLICT });

const FAR_AHEAD_MS = 4_000_000_000_000;

function spoilt(one: Reading, chance: Chance): Reading {
  switch (
    chance.pick(["out_of_range", "invalid_unit", "parse_error", "invalid_timestamp", "poor"] as const)
  ) {
    case "out_of_range":
      return { ...one, value: SENSOR_UNITS[one.sensor]!.most + 150, verdict: "out_of_range" };
    case "invalid_unit":
      return { ...one, unit: "furlong", verdict: "invalid_unit" };
    case "parse_error":
      return { ...one, value: "n/a", verdict: "parse_error" };
    case "invalid_timestamp":
      return { ...one, at_ms: FAR_AHEAD_MS + (one.at_ms % 1_000_000), verdict: "invalid_timestamp" };
    case "poor":
      return { ...one, quality: 20, verdict: "out_of_range" };
  }
}
