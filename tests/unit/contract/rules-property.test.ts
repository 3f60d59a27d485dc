import { expect, test } from "bun:test";
import fc from "fast-check";
import { ReadingColumns } from "../../../src/contract/columns.ts";
import { REFUSAL_REASONS, type Refusal } from "../../../src/contract/refusal.ts";
import { checkReadings, type RuleSettings } from "../../../src/contract/rules.ts";
import { isReading, structureDetails } from "../../../src/contract/structure.ts";
import { createUnitRegistry } from "../../../src/contract/units.ts";

const RECEIVED_MS = Date.UTC(2026, 0, 15, 12);
const EARLIEST_MS = Date.UTC(2021, 0, 15, 12);
const settings: RuleSettings = { units: createUnitRegistry(), maxFuture_ms: 300_000, maxPast_years: 5 };

/** Conversions and ranges written down a second time, by hand, for the spellings the generator uses. */
const ORACLE_UNITS: Record<
  string,
  { to: (value: number) => number; symbol: string; min: number; max: number }
> = {
  bar: { to: (v) => v, symbol: "bar", min: 0, max: 700 },
  psi: { to: (v) => v * 0.0689475729316836, symbol: "bar", min: 0, max: 700 },
  MPa: { to: (v) => v * 10, symbol: "bar", min: 0, max: 700 },
  "°F": { to: (v) => (v - 32) / 1.8, symbol: "celsius", min: -40, max: 120 },
  celsius: { to: (v) => v, symbol: "celsius", min: -40, max: 120 },
  "L/min": { to: (v) => v, symbol: "lpm", min: 0, max: 1000 },
  rpm: { to: (v) => v, symbol: "rpm", min: 0, max: 6000 },
};

type Sent = Record<string, unknown>;

/** Reason by a slow reading of the rules that shares no code with them; null when the reading is good. */
function oracle(raw: unknown): string | null {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return "parse_error";
  const { sensor_id, timestamp, value, unit, quality } = raw as Sent;
  const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
  if (typeof sensor_id !== "string" || !uuid.test(sensor_id) || typeof timestamp !== "string")
    return "parse_error";
  if (typeof value !== "number" || !Number.isFinite(value) || typeof unit !== "string") return "parse_error";
  if ("quality" in raw && !(typeof quality === "number" && Number.isFinite(quality))) return "parse_error";
  const time_ms = oracleTime_ms(timestamp);
  if (!(time_ms >= EARLIEST_MS && time_ms <= RECEIVED_MS + 300_000)) return "invalid_timestamp";
  if (typeof quality === "number" && (quality < 50 || quality > 100)) return "out_of_range";
  const known = Object.hasOwn(ORACLE_UNITS, unit) ? ORACLE_UNITS[unit] : undefined;
  if (known === undefined) return "invalid_unit";
  const canonical = known.to(value);
  return canonical >= known.min && canonical <= known.max ? null : "out_of_range";
}

/** Only for the form the generator writes, `….sssZ`; the calendar is checked by writing the date back. */
function oracleTime_ms(text: string): number {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) || date.toISOString() !== text ? Number.NaN : date.getTime();
}

const time = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: EARLIEST_MS, max: RECEIVED_MS + 300_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: EARLIEST_MS - 5, max: EARLIEST_MS + 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: RECEIVED_MS + 299_990, max: RECEIVED_MS + 300_010 }) },
);
const timestamp = fc.oneof(
  { weight: 9, arbitrary: time.map((time_ms) => new Date(time_ms).toISOString()) },
  { weight: 1, arbitrary: fc.constantFrom("2024-02-30T00:00:00.000Z", "5", "", "2024-01-01") },
);
/** Whole numbers, so that the oracle's other order of operations cannot land on the other side of a limit. */
const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 130 }) },
  { weight: 2, arbitrary: fc.integer({ min: -100, max: 20_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(-0, 1e308, -1e308, 5e-324, Number.POSITIVE_INFINITY) },
);
const nearlyGood = fc.record(
  {
    sensor_id: fc.oneof(
      { weight: 19, arbitrary: fc.uuid().map((id) => (id < "8" ? id.toUpperCase() : id)) },
      { weight: 1, arbitrary: fc.string() },
    ),
    timestamp,
    value,
    unit: fc.oneof(
      { weight: 19, arbitrary: fc.constantFrom(...Object.keys(ORACLE_UNITS)) },
      { weight: 1, arbitrary: fc.constantFrom("", "furlong", "mPa", "__proto__", "x".repeat(99)) },
    ),
    quality: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 50, max: 100 }) },
      { weight: 1, arbitrary: fc.double({ min: -10, max: 110, noNaN: true }) },
    ),
  },
  { requiredKeys: ["sensor_id", "timestamp", "value", "unit"] },
);
const spoilt = fc
  .tuple(nearlyGood, fc.constantFrom("sensor_id", "timestamp", "value", "unit", "quality"), fc.jsonValue())
  .map(([reading, field, put]): unknown => {
    // A random text can be a unit that the oracle does not know ("%"); with a question mark none is.
    const text = field === "unit" && typeof put === "string" ? `${put}?` : put;
    return { ...reading, [field]: text };
  });
const reading = fc.oneof(
  { weight: 8, arbitrary: nearlyGood as fc.Arbitrary<unknown> },
  { weight: 1, arbitrary: spoilt },
  { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
);

function judge(readings: readonly unknown[]): { columns: ReadingColumns; refusals: Refusal[] } {
  const columns = new ReadingColumns(1);
  const refusals: Refusal[] = [];
  checkReadings(readings, 0, RECEIVED_MS, settings, columns, refusals);
  return { columns, refusals };
}

/** Text that PostgreSQL takes: neither NUL nor lone surrogates. */
function storable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

test("every reading is accounted for exactly once, with the verdict of an independent oracle", () => {
  let accepted = 0;
  const reasons = new Set<string>();
  const batches = fc.array(reading, { maxLength: 60, size: "max" });
  fc.assert(
    fc.property(batches, (readings) => {
      const { columns, refusals } = judge(readings);
      expect(columns.length + refusals.length).toBe(readings.length);
      const verdicts = new Map<number, string | null>();
      for (let row = 0; row < columns.length; row++) verdicts.set(columns.ordinal[row]!, null);
      for (const { ordinal, reason } of refusals) verdicts.set(ordinal, reason);
      expect(verdicts.size).toBe(readings.length);
      readings.forEach((raw, ordinal) => {
        expect([raw, verdicts.get(ordinal)]).toEqual([raw, oracle(raw)]);
      });
      accepted += columns.length;
      for (const { reason } of refusals) reasons.add(reason);
    }),
    { numRuns: 300 },
  );
  // A generator that only ever makes bad readings would prove nothing.
  expect(accepted).toBeGreaterThan(1000);
  expect([...reasons].sort()).toEqual(["invalid_timestamp", "invalid_unit", "out_of_range", "parse_error"]);
});

test("what is accepted is stored as sent, in the canonical unit and within its range", () => {
  fc.assert(
    fc.property(fc.array(nearlyGood, { maxLength: 40 }), (readings) => {
      const { columns } = judge(readings);
      for (let row = 0; row < columns.length; row++) {
        const sent = readings[columns.ordinal[row]!]!;
        const unit = ORACLE_UNITS[sent.unit]!;
        const canonical = columns.value[row]!;
        expect(columns.sensors[columns.sensor[row]!]).toBe(sent.sensor_id.toLowerCase());
        expect(columns.timestamp_us[row]).toBe(Date.parse(sent.timestamp) * 1000);
        expect(columns.units[columns.unit[row]!]).toBe(unit.symbol);
        expect(canonical).toBeCloseTo(unit.to(sent.value), 9);
        expect(canonical >= unit.min && canonical <= unit.max && !Object.is(canonical, -0)).toBe(true);
        expect(columns.quality[row]).toBe(Math.fround(sent.quality ?? 100));
      }
    }),
    { numRuns: 200 },
  );
});

test("no JSON value makes the rules throw, and what they say of it can be stored", () => {
  const anyText = fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  });
  const field = fc.oneof(fc.jsonValue(), anyText, fc.constant("\ud800\0".repeat(5000)));
  const anything = fc.oneof(
    fc.jsonValue(),
    anyText,
    fc.record(
      { sensor_id: field, timestamp: field, value: field, unit: field, quality: field },
      { requiredKeys: [] },
    ),
    fc
      .tuple(nearlyGood, anyText, fc.constantFrom("unit", "timestamp"))
      .map(([good, text, name]) => ({ ...good, [name]: text })),
  );
  fc.assert(
    fc.property(anything, (raw: unknown) => {
      for (const refusal of judge([raw]).refusals) {
        expect(REFUSAL_REASONS).toContain(refusal.reason);
        expect(refusal.details.length).toBeGreaterThan(0);
        expect(refusal.details.length).toBeLessThan(2500);
        expect(storable(refusal.details)).toBe(true);
        expect(refusal.raw).toBe(raw);
        if (refusal.unit !== null) expect(storable(refusal.unit) && refusal.unit.length <= 64).toBe(true);
        if (refusal.value !== null) expect(Number.isFinite(refusal.value)).toBe(true);
        if (refusal.sensor_id !== null) expect(refusal.sensor_id).toMatch(/^[\da-f-]{36}$/);
        if (refusal.timestamp_us !== null)
          expect(Number.isSafeInteger(Math.round(refusal.timestamp_us / 1e6))).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a reading has structure exactly when no field is at fault", () => {
  const objects = fc.oneof(spoilt, nearlyGood as fc.Arbitrary<unknown>, fc.object() as fc.Arbitrary<unknown>);
  fc.assert(
    fc.property(objects, (raw) => expect(structureDetails(raw) === "").toBe(isReading(raw))),
    { numRuns: 1000 },
  );
});
