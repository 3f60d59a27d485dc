/** Rates that are learnt, and what an hour is expected to have. */
import { describe, expect, test } from "bun:test";
import { completenessOf, expectedSince, rateOf } from "../../../src/contract/completeness.ts";
import { HOUR_US } from "../../../src/contract/query-range.ts";

const hours = (...counts: number[]) => new Map(counts.map((count, i) => [i * HOUR_US, count]));
const LATER = 1_000 * HOUR_US;

describe("the rate of a sensor", () => {
  test.each([
    ["is the registered one", 5, hours(3600), LATER, { rate_hz: 5, rate_source: "expected" }],
    [
      "is the median of an odd number of hours",
      null,
      hours(3600, 7200, 36),
      LATER,
      { rate_hz: 1, rate_source: "learnt" },
    ],
    [
      "is the mean of the two in the middle",
      null,
      hours(3600, 7200),
      LATER,
      { rate_hz: 1.5, rate_source: "learnt" },
    ],
    [
      "is not learnt from hours without readings",
      null,
      hours(0, 0, 0, 3600),
      LATER,
      { rate_hz: 1, rate_source: "learnt" },
    ],
    [
      "is not learnt from the running hour",
      null,
      hours(3600, 10),
      1.5 * HOUR_US,
      { rate_hz: 1, rate_source: "learnt" },
    ],
    [
      "is unknown without an hour that is over",
      null,
      hours(10),
      0.5 * HOUR_US,
      { rate_hz: null, rate_source: null },
    ],
  ] as const)("%s", (_, expected, counts, now_us, rate) => {
    expect(rateOf(expected, counts, now_us)).toEqual(rate);
  });
});

describe("completeness", () => {
  const rate = { rate_hz: 1, rate_source: "expected" } as const;
  const range = { from_us: 0, to_us: 3 * HOUR_US };

  test("expects of the running hour its elapsed share, and of hours to come nothing", () => {
    const result = completenessOf(rate, hours(3600, 900), range, 1.5 * HOUR_US);
    expect(result.hours.map((h) => [h.expected, h.received, h.completeness])).toEqual([
      [3600, 3600, 1],
      [1800, 900, 0.5],
      [0, 0, null],
    ]);
    expect(result).toMatchObject({ expected: 5400, received: 4500, completeness: 0.8333 });
  });

  test("is above 1 when more came than was promised", () => {
    expect(completenessOf(rate, hours(7200), { from_us: 0, to_us: HOUR_US }, LATER).completeness).toBe(2);
  });

  test("is unknown with the rate, and the readings are counted all the same", () => {
    const unknown = completenessOf({ rate_hz: null, rate_source: null }, hours(5), range, LATER);
    expect(unknown).toMatchObject({ expected: null, received: 5, completeness: null });
    expect(unknown.hours.map((h) => h.received)).toEqual([5, 0, 0]);
  });

  test("expects nothing of the hours before a sensor is known, but what it should have sent since", () => {
    const since_us = expectedSince(1.5 * HOUR_US, hours(0, 0, 1800));
    const result = completenessOf(rate, hours(0, 0, 1800), range, LATER, since_us);
    expect(result.hours.map((h) => [h.expected, h.completeness])).toEqual([
      [0, null],
      [3600, 0],
      [3600, 0.5],
    ]);
    expect(result).toMatchObject({ expected: 7200, received: 1800, completeness: 0.25 });
  });

  test("begins with the first reading where earlier recordings were brought in", () => {
    expect(expectedSince(2.5 * HOUR_US, hours(0, 40, 0))).toBe(HOUR_US);
    expect(expectedSince(0.5 * HOUR_US, hours(0, 40, 0))).toBe(0);
    expect(expectedSince(0.5 * HOUR_US, new Map())).toBe(0);
  });
});
