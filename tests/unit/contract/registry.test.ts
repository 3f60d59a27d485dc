/** Records of the registry as answers: which limits judge, and conversions as exact text. */
import { describe, expect, test } from "bun:test";
import {
  effectiveRange,
  type SensorRecord,
  toSensorView,
  toUnitList,
} from "../../../src/contract/registry-records.ts";
import { createUnitRegistry } from "../../../src/contract/units.ts";

const units = createUnitRegistry([
  { symbol: "ppm", name: "parts per million", quantity: "water content", max: 500 },
  {
    symbol: "x",
    name: "x",
    quantity: "x",
    aliases: [{ spellings: ["y"], offset: -0.1, factor: 1e21, divisor: 3 }],
  },
]);

describe("the limits that judge", () => {
  test.each([
    ["bar", null, { min: 0, max: 700, source: "ISO 4413", version: null }],
    ["bar", { version: 4, range: null }, { min: 0, max: 700, source: "ISO 4413", version: null }],
    [
      "bar",
      { version: 4, range: { min: -1, max: 900 } },
      { min: -1, max: 900, source: "sensor", version: 4 },
    ],
    ["ppm", null, { min: null, max: 500, source: null, version: null }],
    ["psi", null, { min: null, max: null, source: null, version: null }],
    ["gone", { version: 1, range: { min: 1, max: 2 } }, { min: 1, max: 2, source: "sensor", version: 1 }],
  ])("in %s with the own version %j are %j", (unit, own, expected) => {
    expect(effectiveRange(unit, own, units)).toEqual(expected);
  });

  test("stand at the sensor in place of its own version", () => {
    const at = new Date(0);
    const record: SensorRecord = {
      id: "i",
      system_id: "s",
      name: "n",
      quantity: "pressure",
      unit: "bar",
      expected_rate_hz: null,
      created_by: null,
      created_at: at,
      updated_at: at,
      archived_at: null,
      own_range: { version: 2, range: { min: 1, max: 2 } },
    };
    const { own_range, ...rest } = record;
    expect(own_range).not.toBeNull();
    expect(toSensorView(record, units)).toEqual({
      ...rest,
      range: { min: 1, max: 2, source: "sensor", version: 2 },
    });
  });
});

test("constants of conversions are text that gives the same double again", () => {
  const alias = toUnitList(units).items.at(-1)?.aliases[0];
  expect(alias).toEqual({ spellings: ["y"], offset: "-0.1", factor: "1e+21/3" });
});
