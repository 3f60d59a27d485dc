/** What a range would have refused: counted exactly, within its time range, and never for longer than a query may take. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, newSensor, newSystem, pathOf, type TestSensor } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

interface Preview {
  unit: string;
  min: number;
  max: number;
  from: string;
  to: string;
  readings: number;
  refused: number;
  below: number;
  above: number;
  lowest: number | null;
  highest: number | null;
}

const DAY_MS = 86_400_000;
let bench: ApiBench;
let api: TestApi;
/** Whose queries may take but little time. */
let hasty: TestApi;
let token: string;
let sensor: TestSensor;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  hasty = await bench.start({ config: { QUERY_DEADLINE_MS: 2_000 } });
  token = (await api.tokenFor("engineer")).token;
  sensor = await newSensor(api, token, (await newSystem(api, token)).id);
});
afterAll(() => bench.close());

const preview = (of: TestSensor, query: string, by = api) =>
  by.call(token, "GET", `${pathOf(of)}/range/preview?${query}`);

async function store(of: TestSensor, readings: readonly [Date, number, unit?: string][]): Promise<void> {
  for (const [timestamp, value, unit = of.unit] of readings) {
    await bench.database.sql`
      INSERT INTO diagnostics_sensordata ("timestamp", value, sensor_id, system_id, quality, unit)
      VALUES (${timestamp}, ${value}, ${of.id}, ${of.system_id}, 100, ${unit})`;
  }
}

describe("the preview of a range", () => {
  test("counts what lies outside its limits, of this sensor, in its unit, within the time range", async () => {
    const other = await newSensor(api, token, sensor.system_id);
    const from = Date.UTC(2026, 0, 10);
    const at = (minutes: number) => new Date(from + minutes * 60_000);
    await store(sensor, [
      [at(-1), 900],
      [at(0), 9.999],
      [at(1), 10],
      [at(2), 15],
      [at(3), 20],
      [at(4), 20.001],
      [at(5), 650],
      [at(6), 900, "celsius"],
      [at(60), 900],
    ]);
    await store(other, [[at(2), 900]]);
    const range = `from=${at(0).toISOString()}&to=${at(60).toISOString()}`;
    const response = await preview(sensor, `min=10&max=20&${range}`);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(await bodyOf<Preview>(response)).toEqual({
      unit: "bar",
      min: 10,
      max: 20,
      from: "2026-01-10T00:00:00Z",
      to: "2026-01-10T01:00:00Z",
      readings: 6,
      refused: 3,
      below: 1,
      above: 2,
      lowest: 9.999,
      highest: 650,
    });
    const wide = await bodyOf<Preview>(await preview(sensor, `min=-1e100&max=1e100&${range}`));
    expect(wide).toMatchObject({ readings: 6, refused: 0 });
  });

  test("covers the last seven days without a time range, and is empty without readings", async () => {
    const recent = await newSensor(api, token, sensor.system_id);
    expect(await bodyOf<Preview>(await preview(recent, "min=0&max=1"))).toMatchObject({
      readings: 0,
      refused: 0,
      lowest: null,
      highest: null,
    });
    const now = Date.now();
    await store(recent, [
      [new Date(now - 8 * DAY_MS), 5],
      [new Date(now - 6 * DAY_MS), 5],
      [new Date(now - 1_000), 0.5],
    ]);
    const found = await bodyOf<Preview>(await preview(recent, "min=0&max=1"));
    expect(found).toMatchObject({ readings: 2, refused: 1, above: 1 });
    expect(Date.parse(found.to) - Date.parse(found.from)).toBe(7 * DAY_MS);
  });

  test("ends at its deadline in the database, and the next one is answered", async () => {
    const connection = await bench.database.sql.reserve();
    try {
      await connection`BEGIN`;
      await connection`LOCK TABLE diagnostics_sensordata IN ACCESS EXCLUSIVE MODE`;
      const begin = performance.now();
      await expectProblem(await preview(sensor, "min=0&max=1", hasty), "query-timeout");
      expect(performance.now() - begin).toBeLessThan(30_000);
      await connection`ROLLBACK`;
    } finally {
      connection.release();
    }
    // Not at once on a machine that is busy: it has the same little time.
    await until("an answer", async () => (await preview(sensor, "min=0&max=1", hasty)).status === 200);
  });
});
