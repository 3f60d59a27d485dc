/** Mappings over HTTP: set, replaced, listed and removed, on record, and refused with the field at fault. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import {
  allPages,
  bodyOf,
  newSensor,
  newSystem,
  type TestSensor,
  type TestSystem,
} from "../../support/registry.ts";

interface Mapping {
  readonly id: string;
  readonly label: string;
  readonly sensor_id: string;
  readonly unit: string | null;
  readonly updated_at: string;
}

let bench: ApiBench;
let api: TestApi;
let token: string;
let user: { id: string; username: string };
let system: TestSystem;
let sensor: TestSensor;
let path: string;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  user = await api.createUser("engineer");
  token = (await bodyOf<{ access_token: string }>(await api.login(user.username, "correct horse")))
    .access_token;
  system = await newSystem(api, token);
  sensor = await newSensor(api, token, system.id);
  path = `/api/v1/systems/${system.id}/mappings`;
});
afterAll(() => bench.close());

const put = (body: object, to = path, as = token) => api.call(as, "PUT", to, body);
const set = async (body: object, status = 201) =>
  bodyOf<Mapping>(await put({ sensor_id: sensor.id, ...body }), status);

describe("a mapping", () => {
  test("of a name is new, then replaced, then the same; each change is on record with its author", async () => {
    const other = await newSensor(api, token, system.id);
    const made = await set({ name: "pump 1" });
    expect(made).toMatchObject({
      system_id: system.id,
      label: "pump 1",
      name: "pump 1",
      measurement: null,
      field: null,
      tags: null,
      sensor_id: sensor.id,
      sensor_name: sensor.name,
      unit: null,
      author: user.id,
      author_name: user.username,
    });
    const changed = await set({ name: "pump 1", sensor_id: other.id.toUpperCase(), unit: "psi" }, 200);
    expect(changed).toMatchObject({ id: made.id, sensor_id: other.id, unit: "psi" });
    const again = await set({ name: "pump 1", sensor_id: other.id, unit: "psi" }, 200);
    expect(again).toEqual(changed);
    expect((await api.call(token, "DELETE", `${path}/${made.id}`)).status).toBe(204);
    await expectProblem(await api.call(token, "DELETE", `${path}/${made.id}`), "mapping-not-found");

    const said = (sensor_id: string, unit: string | null) => ({
      system_id: system.id,
      label: "pump 1",
      sensor_id,
      unit,
    });
    const rows = await bench.database.sql`
      SELECT actor, actor_name, action, before, after FROM diagnostics_audit
      WHERE subject_type = 'mapping' AND subject_id = ${made.id} ORDER BY id`;
    const by = { actor: user.id, actor_name: user.username };
    expect([...rows]).toEqual([
      { ...by, action: "mapping.set", before: null, after: said(sensor.id, null) },
      { ...by, action: "mapping.set", before: said(sensor.id, null), after: said(other.id, "psi") },
      { ...by, action: "mapping.delete", before: said(other.id, "psi"), after: null },
    ]);
  });

  test("of a field is one for its tags, in whatever order", async () => {
    const key = { measurement: "pump", field: "pressure" };
    const bare = await set(key);
    const tagged = await set({ ...key, tags: { line: "1", host: "a b" } });
    expect(tagged).toMatchObject({
      label: "pump,host=a\\ b,line=1 pressure",
      tags: { line: "1", host: "a b" },
    });
    expect(tagged.id).not.toBe(bare.id);
    expect(await set({ ...key, tags: { host: "a b", line: "1" } }, 200)).toEqual(tagged);
    expect(await set({ ...key, tags: {} }, 200)).toEqual(bare);
  });

  test("shows in the record that admins read", async () => {
    await set({ name: "on record" });
    const admin = await api.tokenFor("admin");
    const { items } = await bodyOf<{ items: { action: string; actor_name: string }[] }>(
      await api.call(admin.token, "GET", "/api/v1/audit?subject_type=mapping&limit=1"),
    );
    expect(items).toMatchObject([{ action: "mapping.set", actor_name: user.username }]);
  });

  test("changes when its system was last changed", async () => {
    const before = await bodyOf<TestSystem>(await api.call(token, "GET", `/api/v1/systems/${system.id}`));
    await set({ name: "touches its system" });
    const after = await bodyOf<TestSystem>(await api.call(token, "GET", `/api/v1/systems/${system.id}`));
    expect(Date.parse(after.updated_at)).toBeGreaterThanOrEqual(Date.parse(before.updated_at));
    expect(after).not.toHaveProperty("mapped_at");
  });

  test("of one name, set by many at once, is one; all are answered", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        put({ name: "raced", sensor_id: sensor.id, unit: i % 2 ? "psi" : "bar" }),
      ),
    );
    for (const answer of answers) expect([200, 201]).toContain(answer.status);
    const items = await allPages<Mapping>(api, token, path, "text=raced");
    expect(items).toHaveLength(1);
  });
});

describe("the list", () => {
  test("comes by label, in pages, of one sensor or with a text", async () => {
    const own = await newSystem(api, token);
    const list = `/api/v1/systems/${own.id}/mappings`;
    const [a, b] = [await newSensor(api, token, own.id), await newSensor(api, token, own.id)];
    const label = (i: number) => `series "${String(i).padStart(3, "0")}" ${"ü".repeat(480)}`;
    for (let i = 0; i < 7; i += 1) {
      const body = { name: label(i), sensor_id: (i % 2 ? a : b).id };
      expect((await put(body, list)).status).toBe(201);
    }
    const all = await allPages<Mapping>(api, token, list, "limit=2");
    expect(all.map((one) => one.label)).toEqual([0, 1, 2, 3, 4, 5, 6].map(label));
    const of = await allPages<Mapping>(api, token, list, `limit=2&sensor_id=${a.id}`);
    expect(of.map((one) => one.label)).toEqual([1, 3, 5].map(label));
    const found = await allPages<Mapping>(api, token, list, `text=${encodeURIComponent('SERIES "003"')}`);
    expect(found.map((one) => one.label)).toEqual([label(3)]);
  });

  test("of a system without mappings is empty; of no system it is 404", async () => {
    const own = await newSystem(api, token);
    const { items } = await bodyOf<{ items: unknown[] }>(
      await api.call(token, "GET", `/api/v1/systems/${own.id}/mappings`),
    );
    expect(items).toEqual([]);
    await expectProblem(
      await api.call(token, "GET", `/api/v1/systems/${crypto.randomUUID()}/mappings`),
      "system-not-found",
    );
    await expectProblem(await api.call(token, "GET", `${path}?sensors=1`), "invalid-request");
  });
});

describe("nothing is mapped", () => {
  const text = "x".repeat(200);
  test.each([
    ["without a key", {}, "/measurement"],
    ["with half a key", { measurement: "m" }, "/field"],
    ["with two keys", { name: "n", field: "f" }, "/field"],
    ["with an empty name", { name: "" }, "/name"],
    ["with a line end in a name", { name: "a\nb" }, "/name"],
    ["with a tag that is no text", { measurement: "m", field: "f", tags: { a: 1 } }, "/tags/a"],
    ["with a tag without a key", { measurement: "m", field: "f", tags: { "": 5 } }, "/tags/"],
    [
      "with a line end in the key of a tag",
      { measurement: "m", field: "f", tags: { "a\nb": "x" } },
      "/tags/a\nb",
    ],
    [
      "with half a character in the key of a tag",
      { measurement: "m", field: "f", tags: { "\ud800": "x" } },
      "/tags/\ud800",
    ],
    ["with half a character in a tag", { measurement: "m", field: "f", tags: { a: "\ud800" } }, "/tags/a"],
    ["with half a character in a name", { name: "\udc00" }, "/name"],
    ["with a NUL in the key of a tag", { measurement: "m", field: "f", tags: { "\0": "x" } }, "/tags/\0"],
    ["with a key that is too long", { measurement: text, field: text, tags: { a: text } }, "/tags"],
    ["with a sensor_id that is none", { name: "n", sensor_id: "x" }, "/sensor_id"],
    ["with an unknown unit", { name: "n", unit: "furlong" }, "/unit"],
    ["with a unit of another quantity", { name: "n", unit: "celsius" }, "/unit"],
    ["with more than there is", { name: "n", range: {} }, "/range"],
  ])("%s: 400 at %s", async (_, body, pointer) => {
    const { errors } = await expectProblem(await put({ sensor_id: sensor.id, ...body }), "invalid-request");
    expect(errors!.map((error) => error.pointer)).toContain(pointer);
  });

  test("to a sensor of another system, in an unknown system, or to what is archived", async () => {
    const other = await newSystem(api, token);
    const foreign = await newSensor(api, token, other.id);
    await expectProblem(await put({ name: "n", sensor_id: foreign.id }), "sensor-not-found");
    const nowhere = `/api/v1/systems/${crypto.randomUUID()}/mappings`;
    await expectProblem(await put({ name: "n", sensor_id: foreign.id }, nowhere), "system-not-found");
    await api.call(token, "DELETE", `/api/v1/systems/${other.id}/sensors/${foreign.id}`);
    const there = `/api/v1/systems/${other.id}/mappings`;
    await expectProblem(await put({ name: "n", sensor_id: foreign.id }, there), "archived");
    const kept = await newSensor(api, token, other.id);
    await api.call(token, "DELETE", `/api/v1/systems/${other.id}`);
    await expectProblem(await put({ name: "n", sensor_id: kept.id }, there), "archived");
  });

  test("beyond what a system may have", async () => {
    const own = await newSystem(api, token);
    const { id } = await newSensor(api, token, own.id);
    const list = `/api/v1/systems/${own.id}/mappings`;
    await bench.database.sql`
      INSERT INTO diagnostics_sensor_mapping (id, system_id, name, label, sensor_id, author, created_at, updated_at)
      SELECT gen_random_uuid(), ${own.id}, 'n' || n, 'n' || n, ${id}, ${user.id}, now(), now()
      FROM generate_series(1, 9999) n`;
    expect((await put({ name: "last", sensor_id: id }, list)).status).toBe(201);
    await expectProblem(await put({ name: "one more", sensor_id: id }, list), "mappings-full");
    expect((await put({ name: "last", sensor_id: id, unit: "psi" }, list)).status).toBe(200);
  });

  test("by producers and reviewers, who may look", async () => {
    for (const role of ["producer", "reviewer"] as const) {
      const { token: theirs } = await api.tokenFor(role);
      await expectProblem(await put({ name: "n", sensor_id: sensor.id }, path, theirs), "forbidden");
      const id = crypto.randomUUID();
      await expectProblem(await api.call(theirs, "DELETE", `${path}/${id}`), "forbidden");
      expect((await api.call(theirs, "GET", path)).status).toBe(200);
    }
  });
});
