/** What an ingest thread knows of systems and sensors, and which of a sensor's own ranges judges a batch. */
import type { Range } from "./units.ts";

/** One version of a sensor's own range. */
export interface KnownRange {
  readonly version: number;
  /** Null: back to the range of the unit. */
  readonly range: Range | null;
  /** Batches received from then on are judged by it, ms since the epoch. */
  readonly valid_from_ms: number;
}

/** Limits of one sensor, which take the place of its unit's. */
export interface SensorRange {
  /** Canonical symbol; readings in units of another quantity keep their own unit's range. */
  readonly unit: string;
  readonly range: Range;
  /** Which version of the sensor's range this is, from 1. */
  readonly version: number;
}

/** A registered sensor, as the ingest threads hold it. */
export interface KnownSensor {
  /** Lower-case UUID. */
  readonly id: string;
  readonly system_id: string;
  readonly quantity: string;
  /** Canonical unit. */
  readonly unit: string;
  readonly archived: boolean;
  /** In order of validity, then of version. */
  readonly ranges: readonly KnownRange[];
}

/** The version that judges a batch received at `received_ms`: the latest valid one, of equals the highest. */
function rangeAt(ranges: readonly KnownRange[], received_ms: number): KnownRange | undefined {
  return ranges.findLast(({ valid_from_ms }) => valid_from_ms <= received_ms);
}

/**
 * Own ranges of all sensors as of a moment, for `checkReadings`. Undefined when no sensor has one: then no reading
 * has to be looked up. Kept until a version begins or the sensors change, so a batch costs nothing.
 */
export class RangeTable {
  readonly #starts: readonly number[];
  readonly #tables = new Map<number, ReadonlyMap<string, SensorRange> | undefined>();

  constructor(private readonly sensors: Iterable<KnownSensor>) {
    const starts = new Set<number>();
    for (const { ranges } of sensors) for (const { valid_from_ms } of ranges) starts.add(valid_from_ms);
    this.#starts = [...starts].sort((a, b) => a - b);
  }

  at(received_ms: number): ReadonlyMap<string, SensorRange> | undefined {
    if (this.#starts.length === 0) return undefined;
    const epoch = this.#starts.findLastIndex((start) => start <= received_ms);
    if (!this.#tables.has(epoch)) this.#tables.set(epoch, this.#tableAt(received_ms));
    return this.#tables.get(epoch);
  }

  #tableAt(received_ms: number): ReadonlyMap<string, SensorRange> | undefined {
    const table = new Map<string, SensorRange>();
    for (const { id, unit, ranges } of this.sensors) {
      const valid = rangeAt(ranges, received_ms);
      if (valid?.range) table.set(id, { unit, range: valid.range, version: valid.version });
    }
    return table.size > 0 ? table : undefined;
  }
}
