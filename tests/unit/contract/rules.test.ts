/** The rules for a reading: its structure, its quality, their order; timestamps and ranges have files of their own. */
import { describe, expect, test } from "bun:test";
import { good, judge, RECEIVED_MS, refused, SENSOR, stored } from "../../support/judging.ts";

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
