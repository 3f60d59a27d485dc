/** Sensors over HTTP: register, find, change, archive, restore, and what a unit in use means. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import {
  allPages,
  bodyOf,
  newSensor,
  newSystem,
  pathOf,
  type TestSensor,
  type TestSensorDetail,
  type TestSystem,
} from "../../support/registry.ts";

let bench: ApiBench;
let api: TestApi;
let engineer: string;
let engineerId: string;
let system: TestSystem;
let sensors: string;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({
    units: [{ symbol: "ppm", name: "parts per million", quantity: "water content" }],
  });
  const user = await api.tokenFor("engineer");
  engineer = user.token;
  engineerId = user.id;
  system = await newSystem(api, engineer);
  sensors = `/api/v1/systems/${system.id}/sensors`;
});
afterAll(() => bench.close());

const patch = (sensor: TestSensor, change: object) => api.call(engineer, "PATCH", pathOf(sensor), change);
const get = async (sensor: TestSensor) =>
  bodyOf<TestSensorDetail>(await api.call(engineer, "GET", pathOf(sensor)));

async function storeReading(sensor: TestSensor, timestamp: string, value = 1): Promise<void> {
  await bench.database.sql`
    INSERT INTO diagnostics_sensordata ("timestamp", value, sensor_id, system_id, quality, unit)
    VALUES (${timestamp}::text::timestamptz, ${value}, ${sensor.id}, ${sensor.system_id}, 100, ${sensor.unit})`;
}

describe("a sensor", () => {
  test("is registered with the quantity and the range of its unit, and found at its Location", async () => {
    const response = await api.call(engineer, "POST", sensors, { name: "Main pump", unit: "bar" });
    const location = response.headers.get("Location") ?? "";
    const sensor = await bodyOf<TestSensor>(response, 201);
    expect(sensor).toMatchObject({
      system_id: system.id,
      name: "Main pump",
      quantity: "pressure",
      unit: "bar",
      expected_rate_hz: null,
      created_by: engineerId,
      archived_at: null,
      range: { min: 0, max: 700, source: "ISO 4413", version: null },
    });
    expect(location).toBe(pathOf(sensor));
    const { token } = await api.tokenFor("reviewer");
    expect(await bodyOf<TestSensorDetail>(await api.call(token, "GET", location))).toEqual({
      ...sensor,
      first_reading_at: null,
      last_reading_at: null,
    });
  });

  test("takes an id, a rate and a first version of its own range", async () => {
    const id = crypto.randomUUID();
    const given = {
      id: id.toUpperCase(),
      quantity: "temperature",
      unit: "celsius",
      expected_rate_hz: 0.5,
      range: { min: -0, max: 80.5 },
    };
    const sensor = await newSensor(api, engineer, system.id, given);
    expect(sensor).toMatchObject({
      id,
      expected_rate_hz: 0.5,
      range: { min: 0, max: 80.5, source: "sensor", version: 1 },
    });
  });

  test("may measure in a unit of the operator's own, without limits", async () => {
    const sensor = await newSensor(api, engineer, system.id, { unit: "ppm", range: null });
    expect(sensor.quantity).toBe("water content");
    expect(sensor.range).toEqual({ min: null, max: null, source: null, version: null });
  });

  test("keeps its unit when the operator has that no more", async () => {
    const sensor = await newSensor(api, engineer, system.id, { unit: "ppm" });
    const other = await bench.start();
    const seen = await bodyOf<TestSensor>(await other.call(engineer, "GET", pathOf(sensor)));
    expect(seen).toMatchObject({ unit: "ppm", range: { min: null, max: null } });
  });

  test("that its first reading registered has no author", async () => {
    const id = crypto.randomUUID();
    await bench.database.sql`
      INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit)
      VALUES (${id}, ${system.id}, ${`sensor-${id.replaceAll("-", "")}`}, 'pressure', 'bar')`;
    const seen = await bodyOf<TestSensor>(await api.call(engineer, "GET", `${sensors}/${id}`));
    expect(seen.created_by).toBeNull();
  });

  test("tells the time span of its readings, to the microsecond", async () => {
    const sensor = await newSensor(api, engineer, system.id);
    for (const timestamp of [
      "2026-03-01T12:00:00.000001Z",
      "2024-12-31T23:59:59Z",
      "2026-03-01T12:00:00.000002Z",
    ]) {
      await storeReading(sensor, timestamp);
    }
    expect(await get(sensor)).toMatchObject({
      first_reading_at: "2024-12-31T23:59:59Z",
      last_reading_at: "2026-03-01T12:00:00.000002Z",
    });
  });

  test.each([
    [{ name: "renamed" }, { name: "renamed", expected_rate_hz: 10, unit: "bar" }],
    [{ expected_rate_hz: null }, { expected_rate_hz: null }],
    [{ expected_rate_hz: 1_000_000 }, { expected_rate_hz: 1_000_000 }],
    [{ unit: "celsius" }, { unit: "celsius", quantity: "temperature", expected_rate_hz: 10 }],
  ])("is changed by %j and keeps the rest", async (change, expected) => {
    const { id } = await newSystem(api, engineer);
    const sensor = await newSensor(api, engineer, id, { expected_rate_hz: 10 });
    const changed = await bodyOf<TestSensor>(await patch(sensor, change));
    expect(changed).toMatchObject(expected);
    expect(await get(sensor)).toMatchObject(expected);
  });

  test("belongs to one system: under another it is unknown, and its id is taken", async () => {
    const sensor = await newSensor(api, engineer, system.id);
    const other = await newSystem(api, engineer);
    const there = { ...sensor, system_id: other.id };
    for (const [method, body] of [["GET"], ["PATCH", { name: "x" }], ["DELETE"]] as const) {
      await expectProblem(await api.call(engineer, method, pathOf(there), body), "sensor-not-found");
    }
    await expectProblem(await api.call(engineer, "PUT", `${pathOf(there)}/range`, {}), "sensor-not-found");
    expect((await get(sensor)).archived_at).toBeNull();
    const path = `/api/v1/systems/${other.id}/sensors`;
    const taken = await api.call(engineer, "POST", path, { id: sensor.id, name: "x", unit: "bar" });
    expect((await expectProblem(taken, "id-taken")).errors?.[0]?.pointer).toBe("/id");
  });

  test("has a name that is unique in its system, archived ones included, and nowhere else", async () => {
    const { name, ...sensor } = await newSensor(api, engineer, system.id);
    await api.call(engineer, "DELETE", pathOf(sensor));
    const post = await api.call(engineer, "POST", sensors, { name, unit: "bar" });
    expect((await expectProblem(post, "name-taken")).errors?.[0]?.pointer).toBe("/name");
    const second = await newSensor(api, engineer, system.id);
    const change = await expectProblem(await patch(second, { name }), "name-taken");
    expect(change.errors?.[0]?.pointer).toBe("/name");
    await newSensor(api, engineer, (await newSystem(api, engineer)).id, { name });
  });

  test("is archived once, takes no changes then, and is restored once", async () => {
    const sensor = await newSensor(api, engineer, system.id);
    const archive = async () => bodyOf<TestSensor>(await api.call(engineer, "DELETE", pathOf(sensor)));
    const restore = async () =>
      bodyOf<TestSensor>(await api.call(engineer, "POST", `${pathOf(sensor)}/restore`));
    const archived = await archive();
    expect(archived.archived_at).toBeString();
    expect(await archive()).toEqual(archived);
    await expectProblem(await patch(sensor, { name: "x" }), "archived");
    await expectProblem(await api.call(engineer, "PUT", `${pathOf(sensor)}/range`, {}), "archived");
    const restored = await restore();
    expect(restored.archived_at).toBeNull();
    expect(Date.parse(restored.updated_at)).toBeGreaterThanOrEqual(Date.parse(archived.updated_at));
    expect(await restore()).toEqual(restored);
  });

  test("of an archived system takes no changes", async () => {
    const closed = await newSystem(api, engineer);
    const sensor = await newSensor(api, engineer, closed.id);
    await api.call(engineer, "DELETE", `/api/v1/systems/${closed.id}`);
    await expectProblem(await patch(sensor, { name: "x" }), "archived");
    const range = await api.call(engineer, "PUT", `${pathOf(sensor)}/range`, { min: 1, max: 2 });
    expect((await expectProblem(range, "archived")).detail).toContain("system");
  });
});

describe("the unit of a sensor", () => {
  test("stays while it has readings; other changes are made, and so is naming the same unit", async () => {
    const sensor = await newSensor(api, engineer, system.id);
    await storeReading(sensor, "2026-01-01T00:00:00Z");
    const refused = await expectProblem(await patch(sensor, { unit: "celsius", name: "x" }), "unit-in-use");
    expect(refused.errors?.[0]?.pointer).toBe("/unit");
    expect(refused.detail).toContain("readings");
    expect(await get(sensor)).toMatchObject({ unit: "bar", name: sensor.name });
    const changed = await bodyOf<TestSensor>(
      await patch(sensor, { unit: "bar", name: `${sensor.name} again` }),
    );
    expect(changed.name).toBe(`${sensor.name} again`);
  });

  test.each([
    ["judges now", [{ min: 1, max: 2 }], true],
    ["begins later", [{ min: 1, max: 2, valid_from: "later" }], true],
    ["was set back", [{ min: 1, max: 2 }, {}], false],
    [
      "was to begin later and was overruled",
      [{ min: 1, max: 2, valid_from: "later" }, { valid_from: "later" }],
      false,
    ],
  ])("stays while a range of its own %s (%j: %p)", async (_name, changes, held) => {
    const sensor = await newSensor(api, engineer, system.id);
    const later = new Date(Date.now() + 3_600_000).toISOString();
    for (const change of changes) {
      const body = "valid_from" in change ? { ...change, valid_from: later } : change;
      await bodyOf(await api.call(engineer, "PUT", `${pathOf(sensor)}/range`, body));
    }
    const response = await patch(sensor, { unit: "celsius" });
    if (!held) expect((await bodyOf<TestSensor>(response)).unit).toBe("celsius");
    else expect((await expectProblem(response, "unit-in-use")).detail).toContain("range");
  });
});

describe("the list of sensors", () => {
  test("has each sensor of the system once, by name, whatever the size of a page", async () => {
    const { id } = await newSystem(api, engineer);
    const names = ["b", "a", "Ärger", "d", 'c"; --', "c\\%_"];
    for (const name of names) await newSensor(api, engineer, id, { name, range: { min: 0, max: 9 } });
    const found = await allPages<TestSensor>(api, engineer, `/api/v1/systems/${id}/sensors`, "limit=100");
    expect(found.map(({ name }) => name).sort()).toEqual(names.toSorted());
    expect(found.every(({ range }) => range.version === 1)).toBe(true);
    for (const limit of [1, 2, 3, 6]) {
      const paged = await allPages<TestSensor>(
        api,
        engineer,
        `/api/v1/systems/${id}/sensors`,
        `limit=${limit}`,
      );
      expect(paged).toEqual(found);
    }
  });

  test("is narrowed by a part of name, quantity, unit or id, and by archived", async () => {
    const { id } = await newSystem(api, engineer);
    const pump = await newSensor(api, engineer, id, { name: "Pump A" });
    const tank = await newSensor(api, engineer, id, { name: "Tank", unit: "celsius" });
    const old = await newSensor(api, engineer, id, { name: "Pump B" });
    await api.call(engineer, "DELETE", pathOf(old));
    const ids = async (query: string) =>
      (await allPages<TestSensor>(api, engineer, `/api/v1/systems/${id}/sensors`, query)).map((s) => s.id);
    expect(await ids("")).toEqual([pump.id, tank.id]);
    expect(await ids("archived=true")).toEqual([old.id]);
    expect(await ids("text=pump&archived=all")).toEqual([pump.id, old.id]);
    expect(await ids("text=TEMPERATURE")).toEqual([tank.id]);
    expect(await ids("text=CELS")).toEqual([tank.id]);
    expect(await ids(`text=${pump.id.slice(0, 18)}`)).toEqual([pump.id]);
  });

  test("is empty for a system without sensors, and a 404 for no system", async () => {
    const { id } = await newSystem(api, engineer);
    expect(await bodyOf<object>(await api.call(engineer, "GET", `/api/v1/systems/${id}/sensors`))).toEqual({
      items: [],
      next: null,
    });
    const unknown = await api.call(engineer, "GET", `/api/v1/systems/${crypto.randomUUID()}/sensors`);
    await expectProblem(unknown, "system-not-found");
  });
});
