/**
 * The readings of a run, made from numbers: every rig has 20 sensors of its own and sends one second of samples in
 * each batch. Runs in k6 and in Bun: k6 sends the bodies, the check afterwards computes what they held.
 *
 * Cheap in k6: the text of a batch is fixed but for the second and the hundredths of the values, which stand side by
 * side and change from batch to batch, so a body is one native `join` (150 µs for 1,000 readings).
 */

export const SENSORS = 20;
/** Batches of one rig: a day of them. More would leave the past. */
export const MAX_BATCHES = 86_400;

/** What the readings of a run are made from. */
export interface RunShape {
  readonly run: number;
  readonly start_s: number;
  readonly system_id: string;
  /** Readings in a batch, a multiple of SENSORS. */
  readonly batch: number;
  /** Batches hold bad readings; see faults.ts. */
  readonly faults: boolean;
}

interface Quantity {
  readonly unit: string;
  /** Middle and swing of a load cycle, whole units: far from every limit of ISO 4413. */
  readonly middle: number;
  readonly swing: number;
}
const QUANTITIES: readonly Quantity[] = [
  { unit: "bar", middle: 210, swing: 80 },
  { unit: "celsius", middle: 52, swing: 9 },
  { unit: "lpm", middle: 120, swing: 60 },
  { unit: "rpm", middle: 1_480, swing: 90 },
];

export const unitOf = (sensor: number): string => QUANTITIES[sensor % QUANTITIES.length]!.unit;
export const qualityOf = (sensor: number, sample: number): number => 90 + ((sensor * 7 + sample) % 11);

/** A whole number below 2³² that looks random (the finalizer of MurmurHash3). */
function mixed(a: number, b: number): number {
  let h = a ^ Math.imul(b + 1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, "0");

/** Spread over the space of UUIDs, as those of real sensors are; different for every run, rig and sensor. */
export function sensorId(run: number, rig: number, sensor: number): string {
  return uuid(mixed(run, rig * SENSORS + sensor), rig, sensor, run);
}

/** A system that nobody registered, another one for each batch. */
export function unknownSystem(run: number, rig: number, n: number): string {
  return uuid(n, rig, 0xfff, run);
}

function uuid(head: number, rig: number, sensor: number, run: number): string {
  return `${hex(head, 8)}-${hex(rig, 4)}-4${hex(sensor, 3)}-8000-0000${hex(run, 8)}`;
}

/** Whole units of a sample: a triangle wave, since only whole numbers are the same in every engine. */
export function wholeOf(rig: number, sensor: number, sample: number): number {
  const { middle, swing } = QUANTITIES[sensor % QUANTITIES.length]!;
  const place = (sample * 3 + sensor * 7 + rig * 11) % (4 * swing);
  return middle + (place < 2 * swing ? place - swing : 3 * swing - place);
}

/** Hundredths that every value of a batch ends with, 0-99. */
export function hundredthsOf(run: number, rig: number, n: number): number {
  return mixed(run ^ rig, n) % 100;
}

/** From one sample to the next, ms. */
function interval_ms(batch: number): number {
  return Math.floor((1000 * SENSORS) / batch);
}

/** What changes from batch to batch, as it stands in a reading: the value's hundredths and the second. */
export function joint(shape: RunShape, rig: number, n: number): string {
  if (n >= MAX_BATCHES) throw new Error(`a rig sends at most ${MAX_BATCHES} batches in a run`);
  const second = new Date((shape.start_s + n) * 1000).toISOString().slice(0, 19);
  const hundredths = String(hundredthsOf(shape.run, rig, n)).padStart(2, "0");
  return `${hundredths},"timestamp":"${second}`;
}

/** A reading before and after the joint. */
export type Halves = readonly [string, string];

/** The readings of one rig as text. What repeats is made once: k6's JavaScript is slow. */
export class RigText {
  readonly ids: readonly string[];
  readonly #heads: readonly string[];
  readonly #units: readonly string[];

  constructor(
    run: number,
    readonly rig: number,
  ) {
    this.ids = Array.from({ length: SENSORS }, (_, sensor) => sensorId(run, rig, sensor));
    this.#heads = this.ids.map((id) => `{"sensor_id":"${id}","value":`);
    this.#units = this.ids.map((_, sensor) => `Z","unit":"${unitOf(sensor)}","quality":`);
  }

  /** @param add to the value, whole units */
  halves({ sensor, sample, ms }: Sample, add = 0): Halves {
    return [
      `${this.#heads[sensor]}${wholeOf(this.rig, sensor, sample) + add}.`,
      `.${String(ms).padStart(3, "0")}${this.#units[sensor]}${qualityOf(sensor, sample)}}`,
    ];
  }
}

export interface Sample {
  readonly sensor: number;
  readonly sample: number;
  /** Since the batch's second. */
  readonly ms: number;
}

/** The good readings of a batch, in order of time. */
export function sampleOf(place: number, batch: number): Sample {
  const sample = Math.floor(place / SENSORS);
  return { sensor: place % SENSORS, sample, ms: sample * interval_ms(batch) };
}
