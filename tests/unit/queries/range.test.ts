/** Widths of buckets and ranges of whole buckets. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  bucketsIn,
  bucketWidth_ms,
  DAY_US,
  HOUR_MS,
  HOUR_US,
  MAX_TIME_US,
  wholeBuckets,
} from "../../../src/contract/query-range.ts";

const us = (text: string) => Date.parse(text) * 1000;
const ranges = fc
  .tuple(
    fc.integer({ min: 0, max: MAX_TIME_US - 3_660 * DAY_US }),
    fc.integer({ min: 1, max: 3_660 * DAY_US }),
  )
  .map(([from_us, length_us]) => ({ from_us, to_us: from_us + length_us }));
const points = fc.integer({ min: 12, max: 5_000 });

describe("the width of a bucket", () => {
  test.each([
    ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 1_440, 60_000],
    ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", 1_439, 120_000],
    ["2026-01-01T00:00:00Z", "2026-01-15T00:00:00Z", 1_000, 1_800_000],
    ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", 1_000, 1],
    ["2021-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 500, 7 * 24 * HOUR_MS],
  ])("of %s to %s in %d is %d ms", (from, to, most, width) => {
    expect(bucketWidth_ms({ from_us: us(from), to_us: us(to) }, most)).toBe(width);
  });

  test("never makes more buckets than asked for, which cover the range and little more", () => {
    fc.assert(
      fc.property(ranges, points, fc.constantFrom(1, HOUR_MS), (range, most, least_ms) => {
        const width_ms = bucketWidth_ms(range, most, least_ms);
        const whole = wholeBuckets(range, width_ms);
        expect(width_ms).toBeGreaterThanOrEqual(least_ms);
        expect(bucketsIn(whole, width_ms)).toBeLessThanOrEqual(most);
        expect(whole.from_us).toBeLessThanOrEqual(range.from_us);
        expect(whole.to_us).toBeGreaterThanOrEqual(range.to_us);
        expect(range.from_us - whole.from_us).toBeLessThan(width_ms * 1000);
        expect(whole.to_us - range.to_us).toBeLessThan(width_ms * 1000);
        if (width_ms >= HOUR_MS) expect(Math.abs(whole.from_us % HOUR_US)).toBe(0);
      }),
    );
  });

  test("of a week begins on Mondays", () => {
    const week = 7 * 24 * HOUR_MS;
    const { from_us } = wholeBuckets(
      { from_us: us("2026-01-01T10:00:00Z"), to_us: us("2026-01-02T00:00:00Z") },
      week,
    );
    expect(new Date(from_us / 1000).toISOString()).toBe("2025-12-29T00:00:00.000Z");
  });
});
