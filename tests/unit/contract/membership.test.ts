/** Sensors belong to one system and measure one quantity. */
import { describe, expect, test } from "bun:test";
import { ReadingColumns } from "../../../src/contract/columns.ts";
import type { KnownSensor } from "../../../src/contract/known-sensor.ts";
import { judgeMembership, regradeUnits, type SensorRegistration } from "../../../src/contract/membership.ts";
import { refusal } from "../../../src/contract/rules.ts";
import { createUnitRegistry } from "../../../src/contract/units.ts";

const units = createUnitRegistry();
const [SYSTEM, OTHER] = [
  "11111111-0000-4000-8000-000000000000",
  "22222222-0000-4000-8000-000000000000",
] as const;
const SENSOR = "33333333-0000-4000-8000-000000000000";
const known = (more: Partial<KnownSensor> = {}) =>
  new Map([
    [
      SENSOR,
      {
        id: SENSOR,
        system_id: SYSTEM,
        quantity: "pressure",
        unit: "bar",
        archived: false,
        ranges: [],
        ...more,
      },
    ],
  ]);

/** Rows of SENSOR: [batch, unit]. */
function judge(
  rows: readonly (readonly [number, string])[],
  sensors: ReadonlyMap<string, KnownSensor>,
  registration: SensorRegistration = "auto",
) {
  const columns = new ReadingColumns(16);
  rows.forEach(([batch, unit], i) => {
    columns.push(batch, i, columns.sensorIndex(SENSOR), i, 1, columns.unitIndex(unit), 100);
  });
  return judgeMembership(columns, [SYSTEM, OTHER], sensors, { registration, units });
}

describe("a registered sensor", () => {
  test("takes readings of its system in its unit", () => {
    expect(judge([[0, "bar"]], known())).toEqual({ misplaced: [], registrations: [] });
  });
  test.each([
    [
      "of another system",
      1,
      "bar",
      {},
      "system_not_found",
      `sensor ${SENSOR} is not registered in system ${OTHER}`,
    ],
    [
      "in a unit of another quantity",
      0,
      "celsius",
      {},
      "invalid_unit",
      `sensor ${SENSOR} measures pressure in bar; celsius is a unit of temperature`,
    ],
    ["once it is archived", 0, "bar", { archived: true }, "system_not_found", `sensor ${SENSOR} is archived`],
  ] as const)("takes none %s", (_, batch, unit, more, reason, details) => {
    expect(judge([[batch, unit]], known(more)).misplaced).toEqual([{ row: 0, reason, details }]);
  });
});

describe("an unknown sensor", () => {
  test("is registered once, by its first reading; later ones must fit", () => {
    const { misplaced, registrations } = judge(
      [
        [0, "bar"],
        [0, "bar"],
        [1, "bar"],
        [0, "celsius"],
      ],
      new Map(),
    );
    expect(registrations).toEqual([
      { id: SENSOR, system_id: SYSTEM, quantity: "pressure", unit: "bar", name: null },
    ]);
    expect(misplaced.map(({ row, reason }) => [row, reason])).toEqual([
      [2, "system_not_found"],
      [3, "invalid_unit"],
    ]);
  });
  test("is refused in strict mode", () => {
    const { misplaced, registrations } = judge([[0, "bar"]], new Map(), "strict");
    expect(registrations).toEqual([]);
    expect(misplaced[0]?.reason).toBe("system_not_found");
  });
});

describe("the unit is asked before the range", () => {
  const raw = { sensor_id: SENSOR, timestamp: "2026-01-01T00:00:00Z", value: 500, unit: "celsius" };
  const outOfRange = (more: object = {}) => refusal(0, 0, { ...raw, ...more }, "out_of_range", "too hot");
  test("a range broken in a unit that the sensor does not have counts as the wrong unit", () => {
    expect(regradeUnits([outOfRange()], known(), units)[0]?.reason).toBe("invalid_unit");
  });
  test.each([
    ["in its own unit", { unit: "psi" }],
    ["because of its quality", { quality: 10 }],
  ])("a refusal %s stays as it is", (_, more) => {
    expect(regradeUnits([outOfRange(more)], known(), units)[0]?.details).toBe("too hot");
  });
});
