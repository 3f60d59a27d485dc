import { describe, expect, test } from "bun:test";
import { ReadingColumns } from "../../../src/contract/columns.ts";
import type { Refusal } from "../../../src/contract/refusal.ts";
import { checkReadings, qualityGrade, type RuleSettings } from "../../../src/contract/rules.ts";
import { formatTimestamp } from "../../../src/contract/timestamp.ts";
import { createUnitRegistry } from "../../../src/contract/units.ts";

const RECEIVED_MS = Date.UTC(2026, 0, 15, 12);
const SENSOR = "550e8400-e29b-41d4-a716-446655440001";
const settings: RuleSettings = { units: createUnitRegistry(), maxFuture_ms: 300_000, maxPast_years: 5 };
const good = { sensor_id: SENSOR, timestamp: "2026-01-15T11:59:59Z", value: 150.5, unit: "bar", quality: 98 };

interface Verdict {
  columns: ReadingColumns;
  refusals: Refusal[];
}

function judge(
  readings: readonly unknown[],
  with_: Partial<RuleSettings> = {},
  now_ms = RECEIVED_MS,
): Verdict {
  const columns = new ReadingColumns(16);
  const refusals: Refusal[] = [];
  checkReadings(readings, 3, now_ms, { ...settings, ...with_ }, columns, refusals);
  return { columns, refusals };
}

/** Reason and details of a reading that must be refused. */
function refused(reading: unknown, with_: Partial<RuleSettings> = {}, now_ms = RECEIVED_MS): Refusal {
  const { columns, refusals } = judge([reading], with_, now_ms);
  expect(columns.length).toBe(0);
  expect(refusals).toHaveLength(1);
  return refusals[0]!;
}

/** The stored value of a reading that must be accepted. */
function stored(reading: unknown, with_: Partial<RuleSettings> = {}, now_ms = RECEIVED_MS): number {
  const { columns, refusals } = judge([reading], with_, now_ms);
  expect(refusals).toEqual([]);
  expect(columns.length).toBe(1);
  return columns.value[0]!;
}

describe("a good reading", () => {
  test("lands in the columns with its batch, position, sensor, time, value, unit and quality", () => {
    const { columns, refusals } = judge([null, good]);
    expect(refusals).toHaveLength(1);
    expect(columns.batch[0]).toBe(3);
    expect(columns.ordinal[0]).toBe(1);
    expect(columns.sensors).toEqual([SENSOR]);
    expect(columns.timestamp_us[0]).toBe((RECEIVED_MS - 1000) * 1000);
    expect(columns.value[0]).toBe(150.5);
    expect(columns.units[columns.unit[0]!]).toBe("bar");
    expect(columns.quality[0]).toBe(98);
  });

  test("without a quality has quality 100", () => {
    const { quality: _, ...silent } = good;
    expect(judge([silent]).columns.quality[0]).toBe(100);
  });

  test("may carry further properties", () =>
    expect(stored({ ...good, note: { any: ["thing"] } })).toBe(150.5));

  test("is stored in the canonical unit of its quantity", () => {
    const { columns } = judge([{ ...good, unit: "psi", value: 1000 }]);
    expect(columns.value[0]).toBeCloseTo(68.94757293168361, 12);
    expect(columns.units).toEqual(["bar"]);
  });

  test("with a sensor id in capitals belongs to the same sensor", () => {
    const { columns } = judge([{ ...good, sensor_id: SENSOR.toUpperCase() }, good]);
    expect(columns.sensors).toEqual([SENSOR]);
    expect([columns.sensor[0], columns.sensor[1]]).toEqual([0, 0]);
  });

  test("of -0 is stored as 0", () => {
    expect(Object.is(stored({ ...good, value: -0 }), 0)).toBe(true);
    expect(Object.is(stored({ ...good, value: -0, unit: "psi" }), 0)).toBe(true);
  });

  test("beside bad ones is kept, and everything stays in order", () => {
    const { columns, refusals } = judge([good, 5, good, { ...good, unit: "" }, good]);
    expect([...columns.ordinal.subarray(0, columns.length)]).toEqual([0, 2, 4]);
    expect(refusals.map(({ batch, ordinal }) => [batch, ordinal])).toEqual([
      [3, 1],
      [3, 3],
    ]);
  });
});

describe("what is not a reading is a parse_error that names each field at fault", () => {
  const { timestamp: _t, unit: _u, ...partial } = good;
  test.each<[string, unknown, string]>([
    ["null", null, "expected a reading as an object, got null"],
    ["a number", 5, "expected a reading as an object, got the number 5"],
    ["a string", "x", 'expected a reading as an object, got the string "x"'],
    ["a boolean", true, "expected a reading as an object, got true"],
    ["an array", [good], "expected a reading as an object, got an array"],
    ["a value in a string", { ...good, value: "NaN" }, '/value: expected a number, got the string "NaN"'],
    ["no value", { ...good, value: null }, "/value: expected a number, got null"],
    [
      "1e999",
      { ...good, value: JSON.parse("1e999") },
      "/value: expected a number, got a number beyond the range of a double",
    ],
    ["a nested value", { ...good, value: { v: 1 } }, "/value: expected a number, got an object"],
    ["a list of values", { ...good, value: [1] }, "/value: expected a number, got an array"],
    [
      "a bad sensor id",
      { ...good, sensor_id: "PS1" },
      '/sensor_id: expected a UUID (not nil), got the string "PS1"',
    ],
    [
      "an id with a tail",
      { ...good, sensor_id: `${SENSOR}\n` },
      `/sensor_id: expected a UUID (not nil), got the string "${SENSOR}\\n"`,
    ],
    [
      "a numeric time",
      { ...good, timestamp: 1.7e9 },
      "/timestamp: expected an RFC 3339 date-time in a string, got the number 1700000000",
    ],
    ["a numeric unit", { ...good, unit: 1 }, "/unit: expected a string, got the number 1"],
    ["a null quality", { ...good, quality: null }, "/quality: expected a number, got null"],
    [
      "a quality in words",
      { ...good, quality: "good" },
      '/quality: expected a number, got the string "good"',
    ],
    ["missing fields", partial, "/timestamp: is missing; /unit: is missing"],
    [
      "several faults",
      { ...good, value: "1", quality: [] },
      '/value: expected a number, got the string "1"; /quality: expected a number, got an array',
    ],
    [
      "an empty object",
      {},
      "/sensor_id: is missing; /timestamp: is missing; /value: is missing; /unit: is missing",
    ],
  ])("%s", (_, reading, details) => {
    expect(refused(reading)).toMatchObject({ reason: "parse_error", details, raw: reading });
  });

  test("with every field null when it is not an object", () => {
    for (const reading of [null, 5, "x", [good], true]) {
      expect(refused(reading)).toMatchObject({
        sensor_id: null,
        timestamp_us: null,
        value: null,
        unit: null,
        quality: null,
      });
    }
  });

  test("with the fields that are valid by themselves", () => {
    expect(refused({ ...good, sensor_id: SENSOR.toUpperCase(), value: "1" })).toMatchObject({
      sensor_id: SENSOR,
      timestamp_us: (RECEIVED_MS - 1000) * 1000,
      value: null,
      unit: "bar",
      quality: 98,
    });
    const nothing = {
      sensor_id: "x",
      timestamp: "5",
      value: Number.POSITIVE_INFINITY,
      unit: 5,
      quality: 101,
    };
    expect(refused(nothing)).toMatchObject({
      sensor_id: null,
      timestamp_us: null,
      value: null,
      unit: null,
      quality: null,
    });
  });
});

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

describe("quality", () => {
  test.each([50, 50.000001, 69.9, 100])("%d is accepted", (quality) => {
    expect(judge([{ ...good, quality }]).columns.quality[0]).toBeCloseTo(quality, 4);
  });

  test.each([
    [49.999999, "quality 49.999999 is below 50", 49.999999],
    [42, "quality 42 is below 50", 42],
    [0, "quality 0 is below 50", 0],
    [-1, "quality -1 is below 50", null],
    [100.00001, "quality 100.00001 is above 100", null],
    [1e308, "quality 1e+308 is above 100", null],
  ])("%d is out_of_range", (quality, details, kept) => {
    expect(refused({ ...good, quality })).toMatchObject({ reason: "out_of_range", details, quality: kept });
  });

  test.each([
    [100, "good"],
    [90, "good"],
    [89.999, "acceptable"],
    [70, "acceptable"],
    [69.999, "poor"],
    [50, "poor"],
  ] as const)("%d is %s", (quality, grade) => expect(qualityGrade(quality)).toBe(grade));

  test.each([49.999, 100.1, Number.NaN])("%d has no grade", (quality) => {
    expect(() => qualityGrade(quality)).toThrow(RangeError);
  });
});

describe("units", () => {
  test.each([
    ["", "unit is empty"],
    [" \t", "unit is empty"],
    [
      "furlong",
      'unit "furlong" is not known; known are bar, celsius, lpm, rpm, W, mm/s, %, V, A, mm and their aliases',
    ],
    ["mPa", 'unit "mPa" is not known; is "MPa" meant?'],
    [
      "b\0r",
      'unit "b\\u0000r" is not known; known are bar, celsius, lpm, rpm, W, mm/s, %, V, A, mm and their aliases',
    ],
  ])("%j is invalid_unit", (unit, details) => {
    expect(refused({ ...good, unit })).toMatchObject({ reason: "invalid_unit", details });
  });
});

/** Every spelling of every unit, with the values at its limits as near as a double comes. */
const spellings = settings.units.list().flatMap(({ symbol, min, max, aliases }) => [
  { spelling: symbol, min: min!, max: max! },
  ...aliases.flatMap(({ spellings, offset = 0, factor = 1, divisor = 1 }) => {
    const back = (limit: number) => (limit * divisor) / factor - offset;
    return spellings.map((spelling) => ({ spelling, min: back(min!), max: back(max!) }));
  }),
]);

describe("the range of every spelling of every unit", () => {
  test.each(spellings)("$spelling from $min to $max", ({ spelling, min, max }) => {
    const unit = settings.units.lookup(spelling)!.unit;
    const step = (max - min) * 1e-9;
    const of = (value: number) => ({ ...good, unit: spelling, value });
    expect(stored(of(min))).toBeCloseTo(unit.min!, 6);
    expect(stored(of(max))).toBeCloseTo(unit.max!, 6);
    for (const inside of [min, min + step, (min + max) / 2, max - step, max]) {
      const value = stored(of(inside));
      expect(value).toBeGreaterThanOrEqual(unit.min!);
      expect(value).toBeLessThanOrEqual(unit.max!);
    }
    const below = refused(of(min - step));
    expect(below).toMatchObject({ reason: "out_of_range", value: min - step, unit: spelling });
    expect(below.details).toContain(` is below ${unit.min} ${unit.symbol} (${unit.source})`);
    const above = refused(of(max + step));
    expect(above).toMatchObject({ reason: "out_of_range", value: max + step, unit: spelling });
    expect(above.details).toContain(` is above ${unit.max} ${unit.symbol} (${unit.source})`);
    expect(refused(of(1e308)).reason).toBe("out_of_range");
    expect(refused(of(-1e308)).reason).toBe("out_of_range");
  });
});

describe("a value out of range is told with its limit", () => {
  test.each([
    [812.4, "bar", "pressure 812.4 bar is above 700 bar (ISO 4413)"],
    [-0.1, "bar", "pressure -0.1 bar is below 0 bar (ISO 4413)"],
    [12_000, "psi", "pressure 12000 psi = 827.371 bar is above 700 bar (ISO 4413)"],
    [12_000, "PSI", "pressure 12000 psi = 827.371 bar is above 700 bar (ISO 4413)"],
    [10_152.6417, "psi", "pressure 10152.6417 psi = 700.000004 bar is above 700 bar (ISO 4413)"],
    [300, "°F", "temperature 300 °F = 148.889 celsius is above 120 celsius (ISO 4413)"],
    [121, "C", "temperature 121 C = 121 celsius is above 120 celsius (ISO 4413)"],
    [-41, "celsius", "temperature -41 celsius is below -40 celsius (ISO 4413)"],
    [7000, "rpm", "rotational speed 7000 rpm is above 6000 rpm (ISO 4413)"],
    [1e308, "bar", "pressure 1e+308 bar is above 700 bar (ISO 4413)"],
    [1e308, "psi", "pressure 1e+308 psi is above 700 bar (ISO 4413)"],
    [5000, "kW", "power 5000 kW = 5000000 W is above 2000000 W (plausibility limit)"],
  ])("%d %s", (value, unit, details) => {
    expect(refused({ ...good, value, unit })).toMatchObject({ reason: "out_of_range", details, value, unit });
  });

  test("a unit without a range is held to what can be averaged", () => {
    const units = createUnitRegistry([{ symbol: "Nm", name: "newton metre", quantity: "torque" }]);
    expect(stored({ ...good, unit: "Nm", value: 1e100 }, { units })).toBe(1e100);
    expect(refused({ ...good, unit: "Nm", value: 1e101 }, { units }).details).toBe(
      "torque 1e+101 Nm is above 1e+100 Nm (limit of every value)",
    );
  });
});

describe("a sensor's own range takes the place of its unit's", () => {
  const sensorRanges = new Map([[SENSOR, { unit: "bar", range: { min: -1, max: 250 }, version: 3 }]]);
  test.each([
    [250, "bar", SENSOR],
    [25, "MPa", SENSOR.toUpperCase()],
    [-1, "bar", SENSOR],
    [700, "bar", SENSOR.replace("1", "2")],
    [-10, "celsius", SENSOR],
  ])("%d %s of %s is accepted", (value, unit, sensor_id) => {
    expect(stored({ ...good, value, unit, sensor_id }, { sensorRanges })).toBe(unit === "MPa" ? 250 : value);
  });

  test("and is named in the details, with its version", () => {
    const refusal = refused({ ...good, value: 250.5, sensor_id: SENSOR.toUpperCase() }, { sensorRanges });
    expect(refusal.details).toBe("pressure 250.5 bar is above 250 bar (set for this sensor)");
    expect(refusal.range_version).toBe(3);
    expect(refused({ ...good, value: 701 }).range_version).toBeNull();
  });
});

describe("the first failure decides: structure, timestamp, quality, unit, range", () => {
  const broken = { ...good, timestamp: "5", quality: 1, unit: "furlong", value: 1e9 };
  test.each<[string, object, string, RegExp]>([
    ["structure", { ...broken, value: null }, "parse_error", /^\/value/],
    ["timestamp", broken, "invalid_timestamp", /^timestamp/],
    ["quality", { ...broken, timestamp: good.timestamp }, "out_of_range", /^quality/],
    ["unit", { ...broken, timestamp: good.timestamp, quality: 50 }, "invalid_unit", /^unit/],
    ["range", { ...good, value: 1e9 }, "out_of_range", /^pressure/],
  ])("%s", (_, reading, reason, details) => {
    const refusal = refused(reading);
    expect(refusal.reason as string).toBe(reason);
    expect(refusal.details).toMatch(details);
  });
});

describe("texts from outside are made short and storable", () => {
  const long = "x".repeat(1_000_000);
  test.each(["sensor_id", "timestamp", "unit", "value", "quality"])("1 MB in %s", (field) => {
    const reading = { ...good, [field]: long };
    const refusal = refused(reading);
    expect(refusal.details.length).toBeLessThan(200);
    expect(refusal.details).toContain("… (1000000 characters)");
    expect(refusal.raw).toBe(reading);
    expect(refusal.unit?.length).toBe(field === "unit" ? 64 : 3);
  });

  test("NUL and lone surrogates are escaped in details and replaced in the unit", () => {
    const refusal = refused({ ...good, unit: "a\0b\ud800c" });
    expect(refusal.details).toStartWith('unit "a\\u0000b\\ud800c" is not known');
    expect(refusal.unit).toBe("a\ufffdb\ufffdc");
  });

  test("a surrogate pair is not cut in two", () => {
    const unit = `${"x".repeat(63)}😀${"y".repeat(9)}`;
    const refusal = refused({ ...good, unit });
    expect(refusal.unit).toBe("x".repeat(63));
    expect(refusal.details).toStartWith(`unit "${"x".repeat(63)}"… (74 characters)`);
  });
});
