/** How complete a recording is: readings received against those that the sensor's rate promises. */
import { HOUR_US, SECOND_US, type TimeRange } from "./query-range.ts";
import { formatTimestamp } from "./timestamp.ts";

/** `expected`: registered with the sensor; `learnt`: from its own hours; null: nothing to learn from. */
export type RateSource = "expected" | "learnt" | null;

export interface Rate {
  readonly rate_hz: number | null;
  readonly rate_source: RateSource;
}

export interface HourCompleteness {
  readonly hour: string;
  /** Readings that a complete recording has; null when the rate is unknown. */
  readonly expected: number | null;
  readonly received: number;
  /** received / expected; above 1 when more came than promised; null when nothing was expected. */
  readonly completeness: number | null;
}

export interface Completeness extends Rate {
  readonly expected: number | null;
  readonly received: number;
  readonly completeness: number | null;
  readonly hours: readonly HourCompleteness[];
}

/**
 * The rate registered with the sensor, else the median of its hours. Only hours that are over and have readings are
 * learnt from: a rig that rests at night is judged by the rate it has while it runs.
 * @param hours readings by begin of the hour, µs
 */
export function rateOf(
  expected_rate_hz: number | null,
  hours: ReadonlyMap<number, number>,
  now_us: number,
): Rate {
  if (expected_rate_hz !== null) return { rate_hz: expected_rate_hz, rate_source: "expected" };
  const over = [...hours]
    .filter(([begin_us, readings]) => begin_us + HOUR_US <= now_us && readings > 0)
    .map(([, readings]) => readings)
    .sort((a, b) => a - b);
  if (over.length === 0) return { rate_hz: null, rate_source: null };
  const upper = over[over.length >> 1]!;
  const lower = over[(over.length - 1) >> 1]!;
  return { rate_hz: (upper + lower) / 2 / 3600, rate_source: "learnt" };
}

const ratio = (received: number, expected: number | null) =>
  expected === null || expected === 0 ? null : Math.round((received / expected) * 10_000) / 10_000;

/**
 * The begin of the hour from which readings are expected, µs: a sensor that is new sends nothing before it is known,
 * unless recordings of earlier hours were brought in.
 */
export function expectedSince(registered_us: number, hours: ReadonlyMap<number, number>): number {
  const received = [...hours].filter(([, readings]) => readings > 0).map(([begin_us]) => begin_us);
  return received.reduce((a, b) => Math.min(a, b), Math.floor(registered_us / HOUR_US) * HOUR_US);
}

/**
 * Every hour of the range, those without readings too; the running hour is expected to have what its share of time
 * promises, and hours to come nothing, nor those before `since_us`.
 * @param range whole hours
 */
export function completenessOf(
  rate: Rate,
  hours: ReadonlyMap<number, number>,
  range: TimeRange,
  now_us: number,
  since_us = range.from_us,
): Completeness {
  const rows: HourCompleteness[] = [];
  let expectedTotal = 0;
  let receivedTotal = 0;
  for (let begin_us = range.from_us; begin_us < range.to_us; begin_us += HOUR_US) {
    const elapsed_us = begin_us < since_us ? 0 : Math.min(Math.max(0, now_us - begin_us), HOUR_US);
    const expected = rate.rate_hz === null ? null : Math.round((rate.rate_hz * elapsed_us) / SECOND_US);
    const received = hours.get(begin_us) ?? 0;
    expectedTotal += expected ?? 0;
    receivedTotal += received;
    rows.push({
      hour: formatTimestamp(begin_us),
      expected,
      received,
      completeness: ratio(received, expected),
    });
  }
  const expected = rate.rate_hz === null ? null : expectedTotal;
  return {
    ...rate,
    expected,
    received: receivedTotal,
    completeness: ratio(receivedTotal, expected),
    hours: rows,
  };
}
