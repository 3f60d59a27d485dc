/** What the rules for a reading can be set to, and the window of timestamps that follows from it. */
import type { SensorRange } from "./known-sensor.ts";
import type { Naming } from "./naming.ts";
import type { UnitRegistry } from "./units.ts";

/** Readings of lower quality are quarantined; of 0-100. */
export const MIN_QUALITY = 50;
export const MAX_QUALITY = 100;
export const DEFAULT_MAX_FUTURE_MS = 300_000;
export const DEFAULT_MAX_PAST_YEARS = 5;

export interface RuleSettings {
  readonly units: UnitRegistry;
  /** How far a timestamp may lie after the batch was received, ms. */
  readonly maxFuture_ms: number;
  /** Calendar years that a timestamp may lie before it: the same date and time of day, that many years ago. */
  readonly maxPast_years: number;
  /** Lowest quality that is stored; without it MIN_QUALITY. */
  readonly minQuality?: number;
  /** Sensors with limits of their own, by lower-case sensor id. */
  readonly sensorRanges?: ReadonlyMap<string, SensorRange>;
  /** Finds the sensors of readings that name them; without it they are refused as readings without a sensor. */
  readonly naming?: Naming;
}

/** The span of accepted timestamps, inclusive, in microseconds since the epoch. */
export interface TimestampWindow {
  readonly received_us: number;
  readonly earliest_us: number;
  readonly latest_us: number;
  readonly settings: RuleSettings;
}

/**
 * Accepted timestamps for a batch; both ends belong to it.
 * @param received_ms when it was received, ms since the epoch
 * @throws {RangeError} when that is not a time
 */
export function timestampWindow(received_ms: number, settings: RuleSettings): TimestampWindow {
  if (!Number.isFinite(received_ms)) throw new RangeError(`${received_ms} is not a time of receipt`);
  return {
    received_us: Math.floor(received_ms * 1000),
    earliest_us: yearsBefore_ms(Math.floor(received_ms), settings.maxPast_years) * 1000,
    latest_us: Math.floor((received_ms + settings.maxFuture_ms) * 1000),
    settings,
  };
}

/** Same date and time of day in UTC; 29 February becomes the 28th, as PostgreSQL subtracts years. */
function yearsBefore_ms(time_ms: number, years: number): number {
  const date = new Date(time_ms);
  const day = date.getUTCDate();
  date.setUTCFullYear(date.getUTCFullYear() - years);
  if (date.getUTCDate() !== day) date.setUTCDate(0);
  return date.getTime();
}
