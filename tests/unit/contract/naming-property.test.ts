/** Readings that name their sensor may hold anything: none of them may throw, because that would end an ingest thread. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { ReadingColumns } from "../../../src/contract/columns.ts";
import type { Refusal } from "../../../src/contract/refusal.ts";
import { checkReadings, type RuleSettings } from "../../../src/contract/rules.ts";
import { SeriesMap } from "../../../src/contract/series.ts";
import { createUnitRegistry } from "../../../src/contract/units.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const RECEIVED_MS = Date.UTC(2026, 0, 15, 12);
const settings: RuleSettings = {
  units: createUnitRegistry(),
  maxFuture_ms: 300_000,
  maxPast_years: 5,
  naming: { series: new SeriesMap(SYSTEM), sensors: new Map() },
};

function judge(readings: readonly unknown[]): { good: number; refusals: Refusal[] } {
  const columns = new ReadingColumns(1);
  const refusals: Refusal[] = [];
  checkReadings(readings, 0, RECEIVED_MS, settings, columns, refusals);
  return { good: columns.length, refusals };
}

const measured = { timestamp: "2026-01-15T11:00:00Z", value: 1, unit: "bar" };
const text = fc.string({ unit: "binary" });
/** Keys on which patterns and objects trip. */
const key = fc.oneof(
  text,
  fc.constantFrom("", "\n", "a\nb", "a\r", "\u2028", "__proto__", "unit", "quality"),
);
const tags = fc.oneof(
  fc.dictionary(key, text, { maxKeys: 4 }),
  fc.dictionary(key, fc.jsonValue(), { maxKeys: 4 }),
  fc.jsonValue(),
);
const part = fc.oneof({ weight: 4, arbitrary: text }, { weight: 1, arbitrary: fc.jsonValue() });
const named = fc.oneof(
  fc.record({ measurement: part, field: part, tags }),
  fc.record({ sensor: part }),
  fc.record({ sensor: part, measurement: part, field: part, tags }),
);

test("each is stored or refused, whatever its names and tags are", () => {
  let stored = 0;
  fc.assert(
    fc.property(fc.array(named, { maxLength: 20 }), (given) => {
      // As it comes: out of JSON, where __proto__ is a key like any other.
      const readings = given.map((names) => JSON.parse(JSON.stringify({ ...measured, ...names })) as unknown);
      const { good, refusals } = judge(readings);
      expect(good + refusals.length).toBe(readings.length);
      stored += good;
    }),
    { numRuns: 500 },
  );
  expect(stored).toBeGreaterThan(100);
});

test.each(["\n", "a\nb", "a\r", "\u2028", "", "__proto__"])(
  "a tag that is no text is refused under every key: %j",
  (name) => {
    const read = (value: unknown) =>
      judge([
        { ...measured, measurement: "m", field: "f", tags: JSON.parse(JSON.stringify({ [name]: value })) },
      ]);
    const { refusals } = read(5);
    expect(refusals.map(({ reason, details }) => [reason, details])).toEqual([
      ["parse_error", "/tags: expected an object of strings, got an object"],
    ]);
    expect(read("text").good).toBe(1);
  },
);
