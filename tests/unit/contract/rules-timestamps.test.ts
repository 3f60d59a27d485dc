/** The rules for a timestamp. */
import { describe, expect, test } from "bun:test";
import { formatTimestamp } from "../../../src/contract/timestamp.ts";
import { good, judge, RECEIVED_MS, refused, stored } from "../../support/judging.ts";

describe("timestamps", () => {
  const latest_us = (RECEIVED_MS + 300_000) * 1000;
  const earliest_us = Date.UTC(2021, 0, 15, 12) * 1000;
  const at = (time_us: number) => ({ ...good, timestamp: formatTimestamp(time_us) });

  test.each([
    ["exactly 5 min ahead", latest_us],
    ["1 µs short of 5 min ahead", latest_us - 1],
    ["exactly 5 years ago", earliest_us],
    ["1 µs short of 5 years ago", earliest_us + 1],
  ])("%s is accepted", (_, time_us) => {
    expect(judge([at(time_us)]).columns.timestamp_us[0]).toBe(time_us);
  });

  test("a fraction beyond the limit that is cut off does not count", () => {
    expect(stored({ ...good, timestamp: "2026-01-15T12:05:00.0000009Z" })).toBe(150.5);
  });

  test.each([
    [latest_us + 1, "is 5 min 0.000001 s after it was received (at most 5 min)"],
    [latest_us + 120_000_000, "is 7 min after it was received (at most 5 min)"],
    [latest_us + 86_400_000_000, "is 1 d 5 min after it was received (at most 5 min)"],
    [earliest_us - 1, "is before 2021-01-15T12:00:00Z, 5 years before it was received"],
    // Year 0: a time that no list can show is in the details and the raw reading only.
    [-62_167_219_200_000_000, "is before 2021-01-15T12:00:00Z, 5 years before it was received", null],
  ] as [number, string, (number | null)?][])(
    "%d µs is refused: %s",
    (time_us, details, kept_us: number | null = time_us) => {
      const timestamp = formatTimestamp(time_us);
      expect(refused(at(time_us))).toMatchObject({
        reason: "invalid_timestamp",
        details: `timestamp "${timestamp}" ${details}`,
        timestamp_us: kept_us,
      });
    },
  );

  test.each([
    "2024-02-30T00:00:00Z",
    "5",
    "",
    "2026-01-15 11:59:59Z",
    "2026-01-15T11:59:59",
    "2025-12-31T23:58:60Z",
  ])("%j is not a date-time", (timestamp) => {
    expect(refused({ ...good, timestamp })).toMatchObject({
      reason: "invalid_timestamp",
      details: `timestamp "${timestamp}" is not a valid RFC 3339 date-time`,
      timestamp_us: null,
    });
  });

  test.each([
    ["2025-12-31T23:59:60Z", Date.UTC(2026, 0, 1)],
    ["2026-01-15T12:59:59+01:00", RECEIVED_MS - 1000],
    ["2026-01-15T11:59:59.1234567891Z", RECEIVED_MS - 1000 + 123.456],
  ])("%s is understood", (timestamp, time_ms) => {
    expect(judge([{ ...good, timestamp }]).columns.timestamp_us[0]).toBe(Math.round(time_ms * 1000));
  });

  test("5 years before 29 February is 28 February", () => {
    const received_ms = Date.UTC(2024, 1, 29, 6);
    const limit_us = Date.UTC(2019, 1, 28, 6) * 1000;
    expect(stored(at(limit_us), {}, received_ms)).toBe(150.5);
    expect(refused(at(limit_us - 1), {}, received_ms).reason).toBe("invalid_timestamp");
  });

  test("the time of receipt decides, whatever the clock says now", () => {
    const received_ms = Date.UTC(2001, 5, 1);
    expect(stored({ ...good, timestamp: "2001-06-01T00:04:00Z" }, {}, received_ms)).toBe(150.5);
    expect(refused(good, {}, received_ms).reason).toBe("invalid_timestamp");
  });

  test("the limits are settings", () => {
    const strict = { maxFuture_ms: 0, maxPast_years: 1 };
    expect(stored(at(RECEIVED_MS * 1000), strict)).toBe(150.5);
    expect(refused(at(RECEIVED_MS * 1000 + 1), strict).details).toEndWith("(at most 0 s)");
    expect(refused(at(Date.UTC(2025, 0, 15, 12) * 1000 - 1), strict).details).toEndWith(
      "1 year before it was received",
    );
  });

  test("a time of receipt that is none is the caller's fault", () => {
    expect(() => judge([good], {}, Number.NaN)).toThrow(RangeError);
  });
});
