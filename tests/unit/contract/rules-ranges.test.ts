/** The rules for units and ranges. */
import { describe, expect, test } from "bun:test";
import { createUnitRegistry } from "../../../src/contract/units.ts";
import { good, refused, SENSOR, settings, stored } from "../../support/judging.ts";

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
