/**
 * The rules for a reading, asked in this order; the first failure decides:
 * structure → timestamp → quality → unit → range. (Duplicates are for the store to find.)
 * The path of a good reading allocates nothing; messages are built only for refused ones.
 */

import type { ReadingColumns } from "./columns.ts";
import { ambiguity, identify, type SeenReading, unitMissing } from "./naming.ts";
import { storable } from "./printable.ts";
import { isQueryTime_us } from "./query-range.ts";
import { DEFAULT_QUALITY } from "./reading.ts";
import type { Refusal, RefusalReason } from "./refusal.ts";
import { qualityDetails, rangeDetails, timestampDetails, unitDetails } from "./rule-details.ts";
import {
  MAX_QUALITY,
  MIN_QUALITY,
  type RuleSettings,
  type SensorRange,
  timestampWindow,
} from "./rule-settings.ts";
import { AmbiguousSeries } from "./series.ts";
import { isObject, isReading, isSensorId, structureDetails } from "./structure.ts";
import { parseTimestamp_us } from "./timestamp.ts";
import { canonicalWithin, type UnitUse } from "./units.ts";

export { DEFAULT_MAX_FUTURE_MS, DEFAULT_MAX_PAST_YEARS, type RuleSettings } from "./rule-settings.ts";

/**
 * Judge every reading of one batch: good ones are appended to `columns` in canonical units, the others to
 * `refusals`, each exactly once and in the batch's order. No JSON value makes it throw.
 *
 * @param readings decoded JSON of unknown shape
 * @param batch index of the batch within its group
 * @param now_ms when the batch was RECEIVED (Unix time), so that neither a backlog nor a replay changes a verdict
 * @throws RangeError when `now_ms` is not a time
 */
export function checkReadings(
  readings: readonly unknown[],
  batch: number,
  now_ms: number,
  settings: RuleSettings,
  columns: ReadingColumns,
  refusals: Refusal[],
): void {
  const { units, sensorRanges, naming, minQuality = MIN_QUALITY } = settings;
  const window = timestampWindow(now_ms, settings);
  const { earliest_us, latest_us } = window;
  for (let ordinal = 0; ordinal < readings.length; ordinal++) {
    const raw = readings[ordinal];
    let reading: SeenReading;
    let name: string | null = null;
    if (isReading(raw)) reading = raw;
    else {
      const identified = naming && identify(raw, naming);
      if (identified === undefined) {
        refusals.push(refusal(batch, ordinal, raw, "parse_error", structureDetails(raw)));
        continue;
      }
      if (identified instanceof AmbiguousSeries) {
        refusals.push(refusal(batch, ordinal, raw, "system_not_found", ambiguity(identified)));
        continue;
      }
      ({ reading, name } = identified);
    }
    const timestamp_us = parseTimestamp_us(reading.timestamp);
    if (!(timestamp_us >= earliest_us && timestamp_us <= latest_us)) {
      const details = timestampDetails(reading.timestamp, timestamp_us, window);
      refusals.push(refusal(batch, ordinal, raw, "invalid_timestamp", details, reading));
      continue;
    }
    const quality = reading.quality ?? DEFAULT_QUALITY;
    if (!(quality >= minQuality && quality <= MAX_QUALITY)) {
      const details = qualityDetails(quality, minQuality);
      refusals.push(refusal(batch, ordinal, raw, "out_of_range", details, reading));
      continue;
    }
    const use = reading.unit === undefined ? undefined : units.lookup(reading.unit);
    if (use === undefined) {
      const details = reading.unit === undefined ? unitMissing(raw) : unitDetails(reading.unit, units);
      refusals.push(refusal(batch, ordinal, raw, "invalid_unit", details, reading));
      continue;
    }
    const own = sensorRanges === undefined ? undefined : ownRange(reading, use, sensorRanges);
    const range = own === undefined ? use.range : own.range;
    const value = canonicalWithin(use, reading.value, range);
    if (Number.isNaN(value)) {
      const details = rangeDetails(use, reading.value, range);
      const range_version = own?.version ?? null;
      refusals.push({ ...refusal(batch, ordinal, raw, "out_of_range", details, reading), range_version });
      continue;
    }
    const sensor = columns.sensorIndex(reading.sensor_id, name);
    columns.push(batch, ordinal, sensor, timestamp_us, value, columns.unitIndex(use.unit.symbol), quality);
  }
}

/**
 * Grade of a stored quality: good from 90, acceptable from 70, poor from 50.
 *
 * @throws RangeError for what is never stored: below 50, above 100, not a number
 */
export function qualityGrade(quality: number): "good" | "acceptable" | "poor" {
  if (!(quality >= MIN_QUALITY && quality <= MAX_QUALITY)) {
    throw new RangeError(`quality ${quality} is not within ${MIN_QUALITY}-${MAX_QUALITY}`);
  }
  if (quality >= 90) return "good";
  return quality >= 70 ? "acceptable" : "poor";
}

function ownRange(
  reading: SeenReading,
  use: UnitUse,
  sensorRanges: ReadonlyMap<string, SensorRange>,
): SensorRange | undefined {
  const own = sensorRanges.get(reading.sensor_id) ?? sensorRanges.get(reading.sensor_id.toLowerCase());
  return own !== undefined && own.unit === use.unit.symbol ? own : undefined;
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
