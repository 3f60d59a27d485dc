/** A delivery is tried ten times within about three days, later when the receiver asks for it, and then given up. */
import { expect, test } from "bun:test";
import { MAX_PAUSE_MS, nextDelay_ms, RETRY_DELAYS_MS } from "../../../src/notify/schedule.ts";

const HOUR_MS = 3_600_000;
const delays = (random: () => number) =>
  RETRY_DELAYS_MS.map((_, i) => nextDelay_ms(RETRY_DELAYS_MS, i + 1, null, random)!);
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);

test("the schedule is the standard's, a fifth more or less", () => {
  expect(RETRY_DELAYS_MS).toHaveLength(9);
  expect(sum(RETRY_DELAYS_MS) / HOUR_MS).toBeWithin(75, 76);
  expect(sum(delays(() => 0))).toBeCloseTo(sum(RETRY_DELAYS_MS) * 0.8);
  expect(sum(delays(() => 0.999_999))).toBeCloseTo(sum(RETRY_DELAYS_MS) * 1.2, -4);
  const some = Array.from({ length: 50 }, () => nextDelay_ms(RETRY_DELAYS_MS, 3, null));
  expect(new Set(some).size).toBeGreaterThan(40);
});

test("there is no attempt after the last", () => {
  expect(nextDelay_ms(RETRY_DELAYS_MS, 9, null)).not.toBeNull();
  expect(nextDelay_ms(RETRY_DELAYS_MS, 10, null)).toBeNull();
  expect(nextDelay_ms(RETRY_DELAYS_MS, 10, 60)).toBeNull();
});

test("Retry-After puts the next attempt off, by an hour at most, and never nearer", () => {
  expect(nextDelay_ms(RETRY_DELAYS_MS, 1, 60)).toBe(60_000);
  expect(nextDelay_ms(RETRY_DELAYS_MS, 1, 1_000_000)).toBe(MAX_PAUSE_MS);
  expect(nextDelay_ms(RETRY_DELAYS_MS, 9, 1)).toBeGreaterThan(10 * HOUR_MS);
});
