/**
 * The rules for a reading, asked in this order; the first failure decides:
 * structure → timestamp → quality → unit → range. (Duplicates are for the store to find.)
 * The path of a good reading allocates nothing; messages are built only for refused ones.
 */
import type { ReadingColumns } from "./columns.ts";
import type { SensorRange } from "./known-sensor.ts";
import { ambiguity, identify, type Naming, partlySeen, type SeenReading, unitMissing } from "./naming.ts";
import { storable } from "./printable.ts";
import { isQueryTime_us } from "./query-range.ts";
import { DEFAULT_QUALITY } from "./reading.ts";
import type { Refusal, RefusalReason } from "./refusal.ts";
import { qualityDetails, rangeDetails, timestampDetails, unitDetails } from "./rule-details.ts";
import {
  MAX_QUALITY,
  MIN_QUALITY,
  type RuleSettings,
  type TimestampWindow,
  timestampWindow,
} from "./rule-settings.ts";
import { AmbiguousSeries } from "./series.ts";
import { isObject, isReading, isSensorId, structureDetails } from "./structure.ts";
import { parseTimestamp_us } from "./timestamp.ts";
import { canonicalWithin, type UnitRegistry, type UnitUse } from "./units.ts";

export { DEFAULT_MAX_FUTURE_MS, DEFAULT_MAX_PAST_YEARS, type RuleSettings } from "./rule-settings.ts";

/** What one batch is judged by, and where its readings go. */
export class BatchRules {
  readonly units: UnitRegistry;
  readonly naming: Naming | undefined;
  readonly #ranges: RuleSettings["sensorRanges"];
  readonly #window: TimestampWindow;
  readonly #earliest_us: number;
  readonly #latest_us: number;
  readonly #minQuality: number;

  /**
   * @param batch index of the batch within its group
   * @param received_ms when the batch was RECEIVED (Unix time), so that neither a backlog nor a replay changes a verdict
   * @param columns good readings are appended in canonical units
   * @param refusals takes the others
   * @throws {RangeError} when `received_ms` is not a time
   */
  constructor(
    readonly batch: number,
    received_ms: number,
    settings: RuleSettings,
    readonly columns: ReadingColumns,
    readonly refusals: Refusal[],
  ) {
    this.units = settings.units;
    this.naming = settings.naming;
    this.#ranges = settings.sensorRanges;
    this.#window = timestampWindow(received_ms, settings);
    this.#earliest_us = this.#window.earliest_us;
    this.#latest_us = this.#window.latest_us;
    this.#minQuality = settings.minQuality ?? MIN_QUALITY;
  }

  /** Whether a timestamp and a quality are good; NaN is not. */
  accepts(timestamp_us: number, quality: number): boolean {
    return (
      timestamp_us >= this.#earliest_us &&
      timestamp_us <= this.#latest_us &&
      quality >= this.#minQuality &&
      quality <= MAX_QUALITY
    );
  }

  /** The sensor's own limits for readings in this unit; undefined: the unit's count. */
  ownRange(sensor_id: string, use: UnitUse): SensorRange | undefined {
    if (this.#ranges === undefined) return undefined;
    const own = this.#ranges.get(sensor_id) ?? this.#ranges.get(sensor_id.toLowerCase());
    return own !== undefined && own.unit === use.unit.symbol ? own : undefined;
  }

  /** Refuse a reading for the first rule that it breaks: timestamp, quality, unit, range. */
  refuse(
    ordinal: number,
    raw: unknown,
    seen: SeenReading,
    timestamp_us: number,
    use: UnitUse | undefined,
    own: SensorRange | undefined,
  ): void {
    const quality = seen.quality ?? DEFAULT_QUALITY;
    if (!(timestamp_us >= this.#earliest_us && timestamp_us <= this.#latest_us)) {
      const details = timestampDetails(seen.timestamp, timestamp_us, this.#window);
      this.refuseFor(ordinal, raw, "invalid_timestamp", details, seen);
    } else if (!(quality >= this.#minQuality && quality <= MAX_QUALITY)) {
      this.refuseFor(ordinal, raw, "out_of_range", qualityDetails(quality, this.#minQuality), seen);
    } else if (use === undefined) {
      const details = seen.unit === undefined ? unitMissing(raw) : unitDetails(seen.unit, this.units);
      this.refuseFor(ordinal, raw, "invalid_unit", details, seen);
    } else {
      const details = rangeDetails(use, seen.value, own?.range ?? use.range);
      this.refuseFor(ordinal, raw, "out_of_range", details, seen, own?.version);
    }
  }

  /** Refuse a reading. @param seen as the rules see it; without it, as it was sent */
  refuseFor(
    ordinal: number,
    raw: unknown,
    reason: RefusalReason,
    details: string,
    seen: unknown = raw,
    range_version: number | null = null,
  ): void {
    this.refusals.push({ ...refusal(this.batch, ordinal, raw, reason, details, seen), range_version });
  }
}

/**
 * Judge every reading of one batch, each exactly once and in the batch's order. No JSON value makes it throw.
 * @param values decoded JSON of unknown shape
 */
export function judgeValues(values: readonly unknown[], rules: BatchRules): void {
  const { batch, columns, units, naming } = rules;
  for (let ordinal = 0; ordinal < values.length; ordinal++) {
    const raw = values[ordinal];
    let reading: SeenReading;
    let name: string | null = null;
    if (isReading(raw)) reading = raw;
    else {
      const identified = naming && identify(raw, naming);
      if (identified === undefined) {
        rules.refuseFor(ordinal, raw, "parse_error", structureDetails(raw), partlySeen(raw, naming));
        continue;
      }
      if (identified instanceof AmbiguousSeries) {
        rules.refuseFor(ordinal, raw, "system_not_found", ambiguity(identified));
        continue;
      }
      ({ reading, name } = identified);
    }
    const timestamp_us = parseTimestamp_us(reading.timestamp);
    const quality = reading.quality ?? DEFAULT_QUALITY;
    const use = reading.unit === undefined ? undefined : units.lookup(reading.unit);
    const own = use && rules.ownRange(reading.sensor_id, use);
    const value =
      use === undefined ? Number.NaN : canonicalWithin(use, reading.value, own?.range ?? use.range);
    if (use === undefined || Number.isNaN(value) || !rules.accepts(timestamp_us, quality)) {
      rules.refuse(ordinal, raw, reading, timestamp_us, use, own);
      continue;
    }
    const sensor = columns.sensorIndex(reading.sensor_id, name);
    columns.push(batch, ordinal, sensor, timestamp_us, value, columns.unitIndex(use.unit.symbol), quality);
  }
}

/** `judgeValues` in one call; see `BatchRules`. */
export function checkReadings(
  readings: readonly unknown[],
  batch: number,
  received_ms: number,
  settings: RuleSettings,
  columns: ReadingColumns,
  refusals: Refusal[],
): void {
  judgeValues(readings, new BatchRules(batch, received_ms, settings, columns, refusals));
}

/** The fields of a refusal that come from the reading itself. */
type UnderstoodFields = Pick<Refusal, "sensor_id" | "timestamp_us" | "value" | "unit" | "quality">;

/**
 * What can be understood of a reading of any shape, field by field: each is null unless valid by itself. The
 * unit is cut to 64 characters and made storable. Never throws.
 */
function understood(raw: unknown): UnderstoodFields {
  const fields: Record<string, unknown> = isObject(raw) ? raw : {};
  const { sensor_id, timestamp, value, unit, quality } = fields;
  const timestamp_us = typeof timestamp === "string" ? parseTimestamp_us(timestamp) : Number.NaN;
  return {
    sensor_id: isSensorId(sensor_id) ? sensor_id.toLowerCase() : null,
    // Times that no list can show stay in the raw reading only.
    timestamp_us: isQueryTime_us(timestamp_us) ? timestamp_us : null,
    value: typeof value === "number" && Number.isFinite(value) ? value : null,
    unit: typeof unit === "string" ? storable(unit) : null,
    quality: typeof quality === "number" && quality >= 0 && quality <= MAX_QUALITY ? quality : null,
  };
}

/**
 * A refused reading of any shape, with what can be understood of it. For reasons found outside these rules too.
 *
 * @param raw as sent
 * @param ordinal position in its batch; `batch` is the batch's index within the group
 * @param details storable text: quote what was sent with `quoted` of printable.ts
 * @param seen the reading as the rules see it, where that is not as it was sent
 */
export function refusal(
  batch: number,
  ordinal: number,
  raw: unknown,
  reason: RefusalReason,
  details: string,
  seen: unknown = raw,
): Refusal {
  return { batch, ordinal, reason, details, raw, ...understood(seen), range_version: null };
}
