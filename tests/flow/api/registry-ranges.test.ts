/** A sensor's own range over HTTP: versions, who set them and from when on, and editors that do not overwrite each other. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { allPages, bodyOf, newSensor, newSystem, pathOf, type TestSensor } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

interface Version {
  version: number;
  min: number | null;
  max: number | null;
  valid_from: string;
  author: string;
  author_name: string | null;
  created_at: string;
}
interface State {
  unit: string;
  in_force: TestSensor["range"];
  newest: Version | null;
}

let bench: ApiBench;
let api: TestApi;
let engineer: string;
let engineerId: string;
let engineerName: string;
let system_id: string;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  const user = await api.tokenFor("engineer");
  engineer = user.token;
  engineerId = user.id;
  engineerName = user.username;
  system_id = (await newSystem(api, engineer)).id;
});
afterAll(() => bench.close());

const UNIT_RANGE = { min: 0, max: 700, source: "ISO 4413", version: null };
const put = (sensor: TestSensor, body: unknown, ifMatch?: string) =>
  api.call(engineer, "PUT", `${pathOf(sensor)}/range`, body, ifMatch ? { "If-Match": ifMatch } : {});
const set = async (sensor: TestSensor, body: unknown) => bodyOf<State>(await put(sensor, body));
const get = (sensor: TestSensor) => api.call(engineer, "GET", `${pathOf(sensor)}/range`);
const versions = (sensor: TestSensor, query = "limit=100") =>
  allPages<Version>(api, engineer, `${pathOf(sensor)}/ranges`, query);
const ahead = (ms: number) => new Date(Date.now() + ms).toISOString();
const make = () => newSensor(api, engineer, system_id);

describe("a sensor's own range", () => {
  test("is none at first, and the range of its unit judges", async () => {
    const response = await get(await make());
    expect(response.headers.get("ETag")).toBe('"0"');
    expect(await bodyOf<State>(response)).toEqual({ unit: "bar", in_force: UNIT_RANGE, newest: null });
  });

  test("judges from now on, wider than its unit's or narrower, and is seen at the sensor", async () => {
    const sensor = await make();
    const before = Date.now();
    const first = await set(sensor, { min: -50.5, max: 1e100 });
    expect(first.in_force).toEqual({ min: -50.5, max: 1e100, source: "sensor", version: 1 });
    expect(first.newest).toMatchObject({ version: 1, author: engineerId, author_name: engineerName });
    // The database's clock and this one's are of one machine.
    expect(Date.parse(first.newest?.valid_from ?? "")).toBeGreaterThanOrEqual(before - 1);
    expect(Date.parse(first.newest?.valid_from ?? "")).toBeLessThanOrEqual(Date.now());
    const second = await set(sensor, { min: -0, max: 0.1 });
    expect(second.in_force).toEqual({ min: 0, max: 0.1, source: "sensor", version: 2 });
    const seen = await bodyOf<TestSensor>(await api.call(engineer, "GET", pathOf(sensor)));
    expect(seen.range).toEqual(second.in_force);
    expect(Date.parse(seen.updated_at)).toBeGreaterThanOrEqual(before);
  });

  test.each([{}, null, "null"])("goes back to the unit's with %j, as a version", async (body) => {
    const sensor = await make();
    await set(sensor, { min: 1, max: 2 });
    const back = await set(sensor, body);
    expect(back.in_force).toEqual(UNIT_RANGE);
    expect(back.newest).toMatchObject({ version: 2, min: null, max: null });
  });

  test("that is set for later judges later, and leaves what judges until then", async () => {
    const sensor = await make();
    await set(sensor, { min: 1, max: 2 });
    const valid_from = ahead(3_600_000);
    const planned = await set(sensor, { min: 3, max: 4, valid_from });
    expect(planned.in_force).toMatchObject({ min: 1, version: 1 });
    expect(planned.newest).toMatchObject({ version: 2, min: 3, valid_from });
    const overruled = await set(sensor, { valid_from });
    expect(overruled.newest).toMatchObject({ version: 3, min: null, valid_from });
    await bench.database
      .sql`UPDATE diagnostics_sensor_range SET valid_from = now() WHERE sensor_id = ${sensor.id} AND version > 1`;
    // The later of two that begin at the same time.
    expect((await bodyOf<State>(await get(sensor))).in_force).toEqual(UNIT_RANGE);
  });

  test("with a valid_from that has just passed begins now, not before", async () => {
    const sensor = await make();
    const before = Date.now();
    const { newest } = await set(sensor, { min: 1, max: 2, valid_from: ahead(-30_000) });
    expect(Date.parse(newest?.valid_from ?? "")).toBeGreaterThanOrEqual(before - 1);
  });

  test("that is sent again is the same version, whatever If-Match it comes with", async () => {
    const sensor = await make();
    const valid_from = ahead(3_600_000);
    expect((await set(sensor, {})).newest).toBeNull();
    for (const body of [{ min: 1, max: 2 }, { min: 1, max: 2, valid_from }, {}]) {
      const { newest } = await set(sensor, body);
      const again = await put(sensor, body, `"${(newest?.version ?? 0) - 1}"`);
      expect((await bodyOf<State>(again)).newest).toEqual(newest);
    }
    expect((await versions(sensor)).map(({ version }) => version)).toEqual([3, 2, 1]);
  });

  test("is listed with every version, newest first, whatever the size of a page, and with authors by name", async () => {
    const sensor = await make();
    const admin = await api.createUser("admin");
    for (let max = 1; max <= 5; max += 1) await set(sensor, { min: 0, max });
    await bench.database
      .sql`UPDATE diagnostics_sensor_range SET author = ${admin.id} WHERE sensor_id = ${sensor.id} AND version = 4`;
    const all = await versions(sensor);
    expect(all.map(({ version, max }) => [version, max])).toEqual([
      [5, 5],
      [4, 4],
      [3, 3],
      [2, 2],
      [1, 1],
    ]);
    const names = [engineerName, admin.username, engineerName, engineerName, engineerName];
    expect(all.map(({ author_name }) => author_name)).toEqual(names);
    for (const limit of [1, 2, 5]) expect(await versions(sensor, `limit=${limit}`)).toEqual(all);
  });
});

describe("If-Match", () => {
  test.each([
    ['"1"', true],
    ['"7", "1"', true],
    ["*", true],
    ['"0"', false],
    ['"2"', false],
    ['W/"1"', false],
    ['"x"', false],
    ['""', false],
  ])("of %s on version 1 lets the change through: %p", async (ifMatch, through) => {
    const sensor = await make();
    await set(sensor, { min: 1, max: 2 });
    const response = await put(sensor, { min: 3, max: 4 }, ifMatch);
    if (through) {
      expect(response.headers.get("ETag")).toBe('"2"');
      expect((await bodyOf<State>(response)).newest?.version).toBe(2);
      return;
    }
    expect(response.headers.get("ETag")).toBe('"1"');
    expect((await expectProblem(response, "version-conflict")).detail).toContain("version is 1");
    expect((await versions(sensor)).length).toBe(1);
  });

  test("lets one of many editors through who all saw the same version", async () => {
    const sensor = await make();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => put(sensor, { min: 0, max: i + 1 }, '"0"')),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 7 }, () => 412)]);
    expect((await versions(sensor)).length).toBe(1);
  });

  test("without it, editors at the same time each get a version", async () => {
    const sensor = await make();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => put(sensor, { min: 0, max: i + 1 })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    const all = await versions(sensor);
    expect(all.map(({ version }) => version)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(new Set(all.map(({ max }) => max)).size).toBe(8);
    const starts = all.map(({ valid_from }) => Date.parse(valid_from));
    expect(starts).toEqual(starts.toSorted((a, b) => b - a));
  });
});

describe("an editor", () => {
  test("whose connection dies in the middle of the change gets a 503, and nothing is half done", async () => {
    const sensor = await make();
    await set(sensor, { min: 1, max: 2 });
    const { sql } = bench.database;
    const locker = await sql.reserve();
    try {
      await locker`BEGIN`;
      await locker`SELECT 1 FROM diagnostics_sensor WHERE id = ${sensor.id} FOR UPDATE`;
      const response = put(sensor, { min: 3, max: 4 });
      const killed = await until("the change waits for the lock", async () => {
        const rows = await sql<{ ended: boolean }[]>`
          SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%diagnostics_sensor%'`;
        return rows.length > 0 && rows;
      });
      expect([...killed]).toEqual([{ ended: true }]);
      await expectProblem(await response, "service-unavailable");
    } finally {
      await locker`ROLLBACK`;
      locker.release();
    }
    expect((await versions(sensor)).length).toBe(1);
    expect((await set(sensor, { min: 3, max: 4 })).newest?.version).toBe(2);
  });

  test("waits for another one who is in the middle of a change, and then follows that", async () => {
    const sensor = await make();
    const { sql } = bench.database;
    const locker = await sql.reserve();
    let response: Promise<Response>;
    try {
      await locker`BEGIN`;
      await locker`UPDATE diagnostics_sensor SET unit = 'celsius', quantity = 'temperature',
        updated_at = clock_timestamp() WHERE id = ${sensor.id}`;
      response = api.call(engineer, "PATCH", pathOf(sensor), { expected_rate_hz: 3 });
      await until("the change waits for the lock", async () => {
        const rows = await sql`SELECT 1 FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%diagnostics_sensor%'`;
        return rows.length > 0;
      });
    } finally {
      await locker`COMMIT`;
      locker.release();
    }
    const changed = await bodyOf<TestSensor>(await response);
    expect(changed).toMatchObject({ unit: "celsius", expected_rate_hz: 3 });
  });
});
