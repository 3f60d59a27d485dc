/**
 * The readings that every run sends: 64 sensors of one rig (pressure, temperature, flow, speed), sampled together
 * and sent in order of time. Made from row numbers and a seed, so each run sends the very same rows.
 */
import { ReadingColumns } from "../../src/contract/columns.ts";
import { encodeReadings } from "../../src/contract/copy.ts";
import type { SeriesMapping } from "../../src/contract/series.ts";

export const SENSORS = 64;

interface Quantity {
  readonly unit: string;
  /** Middle and swing of the value over a load cycle, hundredths of the unit. */
  readonly middle: number;
  readonly swing: number;
}
const QUANTITIES: readonly Quantity[] = [
  { unit: "bar", middle: 21_000, swing: 8_000 },
  { unit: "celsius", middle: 5_200, swing: 900 },
  { unit: "lpm", middle: 12_000, swing: 6_000 },
  { unit: "rpm", middle: 148_000, swing: 9_000 },
];
/** Of so many readings one is sent twice, by turns with the same value and with another. */
const REPEATED_EVERY = 50;
/** One in so many readings is late. */
export const LATE_EVERY = 10;
/** What the other value has more, hundredths. */
const CONTRADICTION = 5;
/** Samples in one load cycle. */
const CYCLE = 240;

/** What the tables must hold of one sensor. Whole numbers, exact in a double. */
export interface SensorSum {
  readonly sensor_id: string;
  readonly unit: string;
  readonly readings: number;
  readonly quality: number;
  /** Sum over the readings of value in hundredths, times number of the sample from 1: ties value to time. */
  readonly mixed: number;
}

export interface DatasetShape {
  readonly rows: number;
  readonly system_id: string;
  /** Time of the first sample, ms since the epoch. */
  readonly start_ms: number;
  /** From one sample of all sensors to the next, ms. */
  readonly interval_ms: number;
  /** Datasets of different rigs have different sensors. */
  readonly rig?: number;
}

export class Dataset {
  readonly #values: Int32Array;
  readonly #sensors: readonly string[];

  constructor(readonly shape: DatasetShape) {
    const first = (shape.rig ?? 0) * SENSORS;
    this.#sensors = Array.from({ length: SENSORS }, (_, i) => sensorId(first + i));
    this.#values = values(shape.rows);
  }

  /** JSON bodies of `batch` readings each, in order of time. */
  *bodies(batch: number): Generator<Buffer> {
    yield* this.#bodiesOf(this.shape.rows, batch, (row) => this.#json(row, 0));
  }

  /** One in fifty of the readings: what is stored before `contradicting` is sent. */
  *storedBefore(batch: number): Generator<Buffer> {
    const rows = Math.floor(this.shape.rows / REPEATED_EVERY);
    yield* this.#bodiesOf(rows, batch, (n) => this.#json(n * REPEATED_EVERY + REPEATED_EVERY - 1, 0));
  }

  /**
   * `bodies`, in which one reading in fifty is stored already: one in a hundred identical, one in a hundred with
   * another value. The tables must hold the very same afterwards.
   */
  *contradicting(batch: number): Generator<Buffer> {
    const other = (row: number) =>
      row % (2 * REPEATED_EVERY) === 2 * REPEATED_EVERY - 1 ? CONTRADICTION : 0;
    yield* this.#bodiesOf(this.shape.rows, batch, (row) => this.#json(row, other(row)));
  }

  /** What the jobs of `contradicting` must say together. */
  contradictions(): { readonly identical: number; readonly conflicting: number } {
    const repeated = Math.floor(this.shape.rows / REPEATED_EVERY);
    const conflicting = Math.floor(this.shape.rows / (2 * REPEATED_EVERY));
    return { identical: repeated - conflicting, conflicting };
  }

  /** `bodies`, of which one reading in ten is one of `late`, as long as there are any. */
  *bodiesWith(late: Dataset, batch: number): Generator<Buffer> {
    const rows = this.shape.rows + late.shape.rows;
    yield* this.#bodiesOf(rows, batch, (n) => {
      const lates = Math.floor(n / LATE_EVERY);
      return n % LATE_EVERY === LATE_EVERY - 1 ? late.#json(lates, 0) : this.#json(n - lates, 0);
    });
  }

  *#bodiesOf(rows: number, batch: number, reading: (row: number) => string): Generator<Buffer> {
    for (let from = 0; from < rows; from += batch) {
      const readings = Array.from({ length: Math.min(batch, rows - from) }, (_, i) => reading(from + i));
      yield Buffer.from(`{"system_id":"${this.shape.system_id}","readings":[${readings.join(",")}]}`);
    }
  }

  /** The same readings in line protocol, a line each; mappings tie the tag `sensor` to the ids. */
  *lines(batch: number): Generator<Buffer> {
    for (let from = 0; from < this.shape.rows; from += batch) {
      const to = Math.min(from + batch, this.shape.rows);
      yield Buffer.from(Array.from({ length: to - from }, (_, i) => this.#line(from + i)).join(""));
    }
  }

  /** What the mappings for `lines` have to say. */
  mappings(): SeriesMapping[] {
    return this.#sensors.map((sensor_id, i) => ({
      key: { measurement: MEASUREMENT, field: FIELD, tags: { sensor: tagOf(i) } },
      sensor_id,
      unit: unitOf(i),
    }));
  }

  /** All rows as one binary COPY stream, in the order in which they are sent. */
  copyBytes(): Buffer {
    const { rows, system_id } = this.shape;
    const [columns] = this.groups(rows);
    const order = Int32Array.from({ length: rows }, (_, row) => row);
    return encodeReadings(columns!, order, [system_id]);
  }

  /** All rows as columns, `size` rows each. */
  *groups(size: number): Generator<ReadingColumns> {
    for (let from = 0; from < this.shape.rows; from += size) {
      yield this.#columns(from, Math.min(from + size, this.shape.rows));
    }
  }

  #columns(from: number, to: number): ReadingColumns {
    const { start_ms, interval_ms } = this.shape;
    const columns = new ReadingColumns(to - from);
    for (let row = from; row < to; row += 1) {
      const timestamp_us = (start_ms + Math.floor(row / SENSORS) * interval_ms) * 1000;
      const sensor = columns.sensorIndex(this.#sensors[row % SENSORS]!);
      const unit = columns.unitIndex(unitOf(row));
      columns.push(0, row - from, sensor, timestamp_us, this.#values[row]! / 100, unit, qualityOf(row));
    }
    return columns;
  }

  /** By sensor id. */
  sums(): SensorSum[] {
    return this.#sensors
      .map((sensor_id, first): SensorSum => {
        const sum = { readings: 0, quality: 0, mixed: 0 };
        for (let row = first; row < this.shape.rows; row += SENSORS) {
          sum.readings += 1;
          sum.quality += qualityOf(row);
          sum.mixed += this.#values[row]! * (Math.floor(row / SENSORS) + 1);
        }
        return { sensor_id, unit: unitOf(first), ...sum };
      })
      .filter(({ readings }) => readings > 0)
      .sort((a, b) => (a.sensor_id < b.sensor_id ? -1 : 1));
  }

  #line(row: number): string {
    const { start_ms, interval_ms } = this.shape;
    const timestamp_ms = start_ms + Math.floor(row / SENSORS) * interval_ms;
    const tags = `host=rig-1,quality=${qualityOf(row)},sensor=${tagOf(row % SENSORS)}`;
    return `${MEASUREMENT},${tags} ${FIELD}=${this.#values[row]! / 100} ${timestamp_ms}000000\n`;
  }

  /** @param more added to the value, hundredths */
  #json(row: number, more: number): string {
    const { start_ms, interval_ms } = this.shape;
    const timestamp = new Date(start_ms + Math.floor(row / SENSORS) * interval_ms).toISOString();
    const sensor_id = this.#sensors[row % SENSORS]!;
    const value = (this.#values[row]! + more) / 100;
    return `{"sensor_id":"${sensor_id}","timestamp":"${timestamp}","value":${value},"unit":"${unitOf(row)}","quality":${qualityOf(row)}}`;
  }
}

const MEASUREMENT = "hydraulics";
const FIELD = "value";
const tagOf = (sensor: number) => `rig-1/pump-${sensor >> 2}/channel-${sensor & 3}`;

/** Spread over the space of UUIDs, as those of real sensors are. */
function sensorId(index: number): string {
  const hash = new Bun.CryptoHasher("sha256").update(`bench sensor ${index}`).digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

const quantityOf = (row: number) => QUANTITIES[(row % SENSORS) % QUANTITIES.length]!;
const unitOf = (row: number) => quantityOf(row).unit;
const qualityOf = (row: number) => 90 + ((row * 7) % 11);

/** Load cycles with noise, hundredths of the unit. */
function values(rows: number): Int32Array {
  let noise = 0x2545f491;
  return Int32Array.from({ length: rows }, (_, row) => {
    noise ^= noise << 13;
    noise ^= noise >>> 17;
    noise ^= noise << 5;
    const { middle, swing } = quantityOf(row);
    const phase = (2 * Math.PI * (Math.floor(row / SENSORS) + (row % SENSORS) * 3)) / CYCLE;
    return Math.round(middle + swing * Math.sin(phase) + (noise % 100));
  });
}
