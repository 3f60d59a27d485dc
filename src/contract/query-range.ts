/** Ranges of time and widths of buckets in queries. Times are whole µs since the epoch; ranges are half open. */

import { formatTimestamp, parseTimestamp_us } from "./timestamp.ts";

export const SECOND_US = 1_000_000;
export const HOUR_US = 3600 * SECOND_US;
export const DAY_US = 24 * HOUR_US;
/** Earliest and latest moment that may be asked for: 1970 to 2200, exact in a double, years of four digits. */
export const MIN_TIME_US = 0;
export const MAX_TIME_US = Date.UTC(2200, 0, 1) * 1000;

/** Whether a time can be asked for and shown. */
export const isQueryTime_us = (at_us: number) => at_us >= MIN_TIME_US && at_us <= MAX_TIME_US;
/** The same of an RFC 3339 date-time. */
export const isQueryMoment = (text: string) => isQueryTime_us(parseTimestamp_us(text));
/** Such a date-time in UTC, since PostgreSQL knows no offset of 16 hours and more; null when it is none. */
export function queryMoment(text: string): string | null {
  const at_us = parseTimestamp_us(text);
  if (!isQueryTime_us(at_us)) return null;
  return /z$/i.test(text) ? text : formatTimestamp(at_us);
}

/** From `from_us` on, up to but without `to_us`. */
export interface TimeRange {
  readonly from_us: number;
  readonly to_us: number;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Widths that people read easily; each divides a day, and from one day on whole days. */
const STEPS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND_MS),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE_MS),
  ...[1, 2, 3, 4, 6, 8, 12].map((n) => n * HOUR_MS),
  ...[1, 2, 7, 14, 28, 56, 182, 364].map((n) => n * DAY_MS),
];

/**
 * Buckets of days are counted from this Monday, 2000-01-03, as time_bucket of TimescaleDB does; smaller ones divide
 * the day, so they begin at the same moments when counted from the epoch.
 */
const ORIGIN_US = Date.UTC(2000, 0, 3) * 1000;

/** The range widened to whole buckets. */
export function wholeBuckets({ from_us, to_us }: TimeRange, bucket_ms: number): TimeRange {
  const width_us = bucket_ms * 1000;
  return {
    from_us: ORIGIN_US + Math.floor((from_us - ORIGIN_US) / width_us) * width_us,
    to_us: ORIGIN_US + Math.ceil((to_us - ORIGIN_US) / width_us) * width_us,
  };
}

/** Buckets in a range that begins and ends with one. */
export function bucketsIn({ from_us, to_us }: TimeRange, bucket_ms: number): number {
  return Math.round((to_us - from_us) / (bucket_ms * 1000));
}

/**
 * The narrowest easy width with which the range, widened to whole buckets, has at most `points` of them; never below
 * `least_ms`. The widest one when even that has more.
 */
export function bucketWidth_ms(range: TimeRange, points: number, least_ms = 1): number {
  const fits = (width: number) => width >= least_ms && bucketsIn(wholeBuckets(range, width), width) <= points;
  return STEPS_MS.find(fits) ?? STEPS_MS.at(-1)!;
}
