/**
 * A made-up recording to measure with: 25 rigs with four sensors each, over two weeks, in the order in which
 * readings arrive. The values come from the rig of `simulate`, so that they compress as real ones do; the same shape
 * and seed make the same rows.
 *
 * The sensors of the first rig are sampled at 1 Hz: over the whole recording when it has rows enough, else over its
 * end. All others share the remaining rows at one slower rate. So the same questions have answers of the same size
 * in a small and in a large recording, and only what surrounds them grows.
 */
import { createHash } from "node:crypto";
import { ReadingColumns } from "../../contract/columns.ts";
import { Chance } from "../../feed/simulate/chance.ts";
import { Rig } from "../../feed/simulate/rig.ts";
import type { BenchmarkSensor } from "../../store/benchmark-tables.ts";

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** A day more than the two weeks that are asked for. */
export const SPAN_MS = 15 * DAY_MS;
const RIGS = 25;
/** Positions in the rig's values, with what is registered for them. */
const MEASURED = [
  { at: 0, name: "pump speed", quantity: "rotational speed", unit: "rpm" },
  { at: 1, name: "pump flow", quantity: "volume flow", unit: "lpm" },
  { at: 3, name: "supply pressure", quantity: "pressure", unit: "bar" },
  { at: 6, name: "tank temperature", quantity: "temperature", unit: "celsius" },
] as const;
const FAST_MS = 1_000;
const FAST_DAY_MS = DAY_MS + HOUR_MS;
/** The most that the 1 Hz sensors may take of the rows. */
const FAST_SHARE = 0.4;
/** A producer sends what it has measured once a minute. */
const SENDING_MS = 60_000;

export interface RecordingShape {
  /** About this many: the rates are rounded to whole ms. */
  readonly rows: number;
  readonly system_id: string;
  /** First moment after the recording, ms since the epoch; a multiple of a minute. */
  readonly end_ms: number;
  readonly seed: number;
}

/** When a rig is sampled. */
interface Schedule {
  readonly slow_ms: number;
  /** From then on at 1 Hz; infinity for never. */
  readonly fast_from_ms: number;
}

export class Recording {
  readonly start_ms: number;
  readonly sensors: readonly BenchmarkSensor[];
  /** Sampled at 1 Hz from then on. */
  readonly fast_from_ms: number;
  readonly #slow_ms: number;

  constructor(readonly shape: RecordingShape) {
    this.start_ms = shape.end_ms - SPAN_MS;
    const fast_span_ms = fastSpan_ms(shape.rows);
    this.fast_from_ms = shape.end_ms - fast_span_ms;
    const fastRows = MEASURED.length * (fast_span_ms / FAST_MS);
    const slow_sensor_ms = MEASURED.length * (RIGS * SPAN_MS - fast_span_ms);
    this.#slow_ms = Math.max(1, Math.ceil(slow_sensor_ms / (shape.rows - fastRows)));
    this.sensors = Array.from({ length: RIGS * MEASURED.length }, (_, n) => this.#sensor(n));
  }

  /** Sensors with 1 Hz up to the end. */
  get fastSensors(): readonly BenchmarkSensor[] {
    return this.sensors.slice(0, MEASURED.length);
  }

  /**
   * All readings, minute after minute as they are sent, in groups of about `rows`: each a block of columns whose
   * order is that of their arrival.
   */
  *groups(rows: number): Generator<ReadingColumns> {
    const chance = new Chance(this.shape.seed, "recording");
    const rigs = Array.from({ length: RIGS }, (_, n) => new RecordedRig(chance, n, this.start_ms));
    let group = this.#emptyGroup(rows);
    for (let from_ms = this.start_ms; from_ms < this.shape.end_ms; from_ms += SENDING_MS) {
      for (const [n, rig] of rigs.entries()) rig.record(from_ms + SENDING_MS, this.#schedule(n), group);
      if (group.length < rows) continue;
      yield group;
      group = this.#emptyGroup(rows);
    }
    if (group.length > 0) yield group;
  }

  #schedule(rig: number): Schedule {
    return {
      slow_ms: this.#slow_ms,
      fast_from_ms: rig === 0 ? this.fast_from_ms : Number.POSITIVE_INFINITY,
    };
  }

  /** Indexes of sensors are their positions in `sensors`, those of units their positions in MEASURED. */
  #emptyGroup(rows: number): ReadingColumns {
    const group = new ReadingColumns(rows + RIGS * MEASURED.length * (SENDING_MS / FAST_MS));
    for (const { id } of this.sensors) group.sensorIndex(id);
    for (const { unit } of MEASURED) group.unitIndex(unit);
    return group;
  }

  #sensor(n: number): BenchmarkSensor {
    const rig = Math.floor(n / MEASURED.length);
    const { name, quantity, unit } = MEASURED[n % MEASURED.length]!;
    const { system_id, seed } = this.shape;
    const changes = rig === 0 && this.fast_from_ms > this.start_ms;
    const expected_rate_hz = changes ? null : 1000 / (rig === 0 ? FAST_MS : this.#slow_ms);
    const id = sensorId(`${seed} ${system_id} ${n}`);
    return { id, system_id, name: `rig ${rig + 1} ${name}`, quantity, unit, expected_rate_hz };
  }
}

/** The whole recording, a day and an hour to move in, or as many hours as a share of the rows allows. */
function fastSpan_ms(rows: number): number {
  const affordable_ms = ((rows * FAST_SHARE) / MEASURED.length) * FAST_MS;
  if (affordable_ms >= SPAN_MS) return SPAN_MS;
  return affordable_ms >= FAST_DAY_MS ? FAST_DAY_MS : Math.floor(affordable_ms / HOUR_MS) * HOUR_MS;
}

/** One rig of the recording and how far it has been sampled. */
class RecordedRig {
  readonly #rig: Rig;
  readonly #samples: { at_ms: number; values: Float64Array }[] = [];
  #next_ms: number;
  #last_ms: number;

  constructor(
    chance: Chance,
    private readonly number: number,
    start_ms: number,
  ) {
    this.#rig = new Rig(chance);
    // Rigs are not sampled at the same moments.
    this.#next_ms = start_ms + chance.below(FAST_MS);
    this.#last_ms = this.#next_ms - FAST_MS;
  }

  /** Appends the samples before `to_ms`, sensor by sensor, as a batch is stored. */
  record(to_ms: number, { slow_ms, fast_from_ms }: Schedule, into: ReadingColumns): void {
    this.#samples.length = 0;
    while (this.#next_ms < to_ms) {
      const at_ms = this.#next_ms;
      this.#rig.advance((at_ms - this.#last_ms) / 1000);
      this.#samples.push({ at_ms, values: this.#rig.values.slice() });
      this.#last_ms = at_ms;
      const phase_ms = at_ms % FAST_MS;
      const step_ms = at_ms >= fast_from_ms ? FAST_MS : slow_ms;
      const enters = at_ms < fast_from_ms && at_ms + step_ms > fast_from_ms;
      this.#next_ms = enters ? fast_from_ms + phase_ms : at_ms + step_ms;
    }
    for (const [unit, { at }] of MEASURED.entries()) {
      const sensor = this.number * MEASURED.length + unit;
      for (const { at_ms, values } of this.#samples)
        into.push(0, into.length, sensor, at_ms * 1000, values[at]!, unit, qualityAt(at_ms));
    }
  }
}

/** Mostly 100, sometimes a little less. */
const qualityAt = (at_ms: number) => (Math.floor(at_ms / 1000) % 97 === 0 ? 92 : 100);

/** Spread over the space of UUIDs, as those of real sensors are; version 4 (RFC 9562). */
function sensorId(name: string): string {
  const hash = createHash("sha256").update(`recorded sensor ${name}`).digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}
