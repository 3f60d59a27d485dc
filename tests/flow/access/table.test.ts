/** Every route, every role, every scope, systems within and out of reach: who may, and what does not exist. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { SECURITY, SECURITY_WITHOUT_KEYS } from "../../../src/api/openapi/document.ts";
import { ROLES, type Role, SCOPES, type Scope } from "../../../src/contract/roles.ts";
import type { Row } from "../../support/access/row.ts";
import { ACCESS_TABLE } from "../../support/access-table.ts";
import { type Person, type Place, World } from "../../support/access-world.ts";
import { ApiBench, batchOf, type TestApi } from "../../support/api.ts";
import type { OpenApiDocument } from "../../support/contract/document.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";

let bench: ApiBench;
let api: TestApi;
let world: World;
const people = new Map<string, Person>();
beforeAll(async () => {
  bench = await ApiBench.create();
  const config = { LOGIN_ATTEMPTS_PER_MINUTE: 100_000 };
  api = await bench.start({ config, resolve: async () => ["93.184.215.14"] });
  world = await World.create(bench, api);
});
afterAll(() => bench.close());

/** One person of each kind; those who log out are replaced. */
async function person(role: Role, isLimited: boolean, route: string): Promise<Person> {
  const name = route.endsWith("/logout") ? `${role} ${isLimited} ${route}` : `${role} ${isLimited}`;
  const known = people.get(name) ?? (await world.person(role, isLimited));
  people.set(name, known);
  return known;
}

interface Got {
  readonly status: number;
  readonly text: string;
}
/** Status and text; of an answer without an end its beginning. */
async function send(route: string, row: Row, at: Place, me: Person, credential: string): Promise<Got> {
  const [method = ""] = route.split(" ");
  const { path, body } = await row.ask(world, at, me);
  const client = new AbortController();
  const response = await api.fetch(path, {
    method,
    signal: client.signal,
    headers: {
      ...(credential === "" ? {} : { Authorization: `Bearer ${credential}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const { status } = response;
  if (!row.endless || status !== 200) return { status, text: await response.text() };
  const first = await response.body!.getReader().read();
  client.abort();
  return { status, text: new TextDecoder().decode(first.value) };
}

const rows = Object.entries(ACCESS_TABLE);
const guarded = rows.filter(([, { may }]) => may !== "public");
const rolesOf = ({ may }: Row) => (may === "public" ? ROLES : may);

test("the table has every route of the service, and no other", () => {
  const routes = api.app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path}`);
  expect(Object.keys(ACCESS_TABLE).sort()).toEqual([...new Set(routes)].sort());
});

test("the OpenAPI document says for each route which credentials it takes", async () => {
  const document = (await (await api.app.request("/openapi.json")).json()) as OpenApiDocument;
  for (const [route, { may, scopes }] of rows) {
    const [method = "", path = ""] = route.split(" ");
    if (path.startsWith("/docs")) continue;
    const operation = document.paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()] as {
      security?: unknown;
      responses: Record<string, unknown>;
    };
    const expected = may === "public" ? [] : scopes?.length === 0 ? SECURITY_WITHOUT_KEYS : SECURITY;
    expect(operation.security, route).toEqual(expected);
    // Nobody, nothing to do here, and a database that does not say who it is.
    const missing = ["401", "403", "503"].filter((status) => operation.responses[status] === undefined);
    if (may !== "public") expect(missing, route).toEqual([]);
  }
});

describe.each(rows)("%s", (route, row) => {
  test("is for nobody without a credential, unless it is public", async () => {
    const me = await person("producer", true, route);
    const { status, text } = await send(route, row, world.own, me, "");
    const isRefused = /^\{"(type":"\/problems\/authentication-required|code":"unauthorized)"/.test(text);
    expect(isRefused, text.slice(0, 500)).toBe(row.may !== "public");
    expect(status).toBe(row.may === "public" ? (row.good ?? 200) : 401);
  });
});

describe.each(guarded)("%s", (route, row) => {
  test.each([...ROLES])("asked by a %s about a system within reach", async (role) => {
    const me = await person(role, true, route);
    const { status, text } = await send(route, row, world.own, me, me.token);
    const isAllowed = rolesOf(row).includes(role);
    expect(status, text.slice(0, 500)).toBe(isAllowed ? (row.limited ?? row.good ?? 200) : 403);
    if (isAllowed && row.shows) expect(text).toContain(row.shows(world.own, me, world));
  });

  test.each(rolesOf(row).map((role) => [role]))("asked by a %s about a system out of reach", async (role) => {
    if (row.foreign === undefined) return;
    const [narrow, wide] = [await person(role, true, route), await person(role, false, route)];
    const refused = await send(route, row, world.foreign, narrow, narrow.token);
    expect(refused.status, refused.text.slice(0, 500)).toBe(
      row.foreign === "not shown" ? (row.good ?? 200) : row.foreign,
    );
    const mark = row.shows?.(world.foreign, narrow, world);
    if (mark !== undefined) expect(refused.text).not.toContain(mark);
    // What is not there for one is there for those who reach it: otherwise the refusal would prove nothing.
    const given = await send(route, row, world.foreign, wide, wide.token);
    const isOwned = row.owned === true && role !== "admin";
    if (isOwned && row.foreign !== "not shown")
      expect(given.status, given.text.slice(0, 500)).toBe(row.foreign);
    else expect(given.status, given.text.slice(0, 500)).toBe(row.good ?? 200);
    if (mark !== undefined) expect(given.text.includes(mark)).toBe(!isOwned);
  });

  test.each([...SCOPES])("asked with a key of the scope %s", async (scope: Scope) => {
    const role = rolesOf(row).at(-1)!;
    const me = await person(role, false, `${route} keys`);
    const body = { name: "x", scopes: [scope], user_id: me.id, systems: [world.own.system_id] };
    const made = await api.call(world.admin.token, "POST", "/api/v1/keys", body);
    const { key, secret } = await bodyOf<{ key: { id: string }; secret: string }>(made, 201);
    // A key that only sends follows the jobs of its owner, not those that the owner reads beside.
    const asOwner: Person = scope === "ingest" ? { ...me, role: "producer" } : me;
    const { status, text } = await send(route, row, world.own, asOwner, secret);
    const isAllowed = row.scopes?.includes(scope) ?? false;
    expect(status, text.slice(0, 500)).toBe(isAllowed ? (row.limited ?? row.good ?? 200) : 403);
    if (row.foreign !== undefined && isAllowed) {
      const refused = await send(route, row, world.foreign, asOwner, secret);
      expect(refused.status, refused.text.slice(0, 500)).toBe(
        row.foreign === "not shown" ? (row.good ?? 200) : row.foreign,
      );
      const mark = row.shows?.(world.foreign, asOwner, world);
      if (mark !== undefined) expect(refused.text).not.toContain(mark);
    }
    expect((await api.call(world.admin.token, "DELETE", `/api/v1/keys/${key.id}`)).status).toBe(200);
  });
});

describe("another producer's job", () => {
  const below = guarded.filter(([route]) => route.includes("/jobs/:job_id"));
  test("has routes", () => expect(below.length).toBeGreaterThan(3));

  test.each(below)(
    "%s does not exist for a producer, though its system is within reach",
    async (route, row) => {
      const me = await person("producer", true, route);
      const theirs = await world.job(world.own, world.own.producer_id);
      const ask = () => ({
        path: route.split(" ")[1]!.replace(":job_id", theirs),
        ...(route.startsWith("POST") ? { body: {} } : {}),
      });
      const { status } = await send(route, { ...row, ask }, world.own, me, me.token);
      expect(status).toBe(rolesOf(row).includes("producer") ? 404 : 403);
    },
  );

  test("is missing where jobs are asked for by their ids; so are one's own of a system out of reach", async () => {
    const me = await person("producer", true, "ids");
    const mine = await world.job(world.own, me.id);
    const [theirs, far] = [
      await world.job(world.own, world.own.producer_id),
      await world.job(world.foreign, me.id),
    ];
    const path = `/api/v1/jobs?ids=${mine},${theirs},${far}`;
    const answer = await bodyOf<{ items: { job_id: string }[]; missing: string[] }>(
      await api.call(me.token, "GET", path),
    );
    expect(answer.items.map(({ job_id }) => job_id)).toEqual([mine]);
    expect(answer.missing).toEqual([theirs, far]);
  });
});

describe("a system that is filtered for", () => {
  test.each(["/api/v1/jobs", "/api/v1/quarantine", "/api/v1/quarantine/incidents", "/api/v1/alerts"])(
    "and is out of reach has nothing in %s",
    async (path) => {
      const me = await person("reviewer", true, path);
      const wide = await person("reviewer", false, path);
      const of = async (who: Person) => {
        const response = await api.call(who.token, "GET", `${path}?system_id=${world.foreign.system_id}`);
        return (await bodyOf<{ items: unknown[] }>(response)).items.length;
      };
      expect(await of(me)).toBe(0);
      expect(await of(wide)).toBeGreaterThan(0);
    },
  );

  test.each(["", "&from=2020-01-01T00:00:00Z", "&q=pressure"])("is not counted either (%s)", async (more) => {
    const me = await person("reviewer", true, "counts");
    const path = `/api/v1/quarantine/counts?status=any${more}`;
    const counts = async (query: string) => {
      const response = await api.call(me.token, "GET", path + query);
      return bodyOf<{ total: { count: number }; systems: { id: string }[]; sensors: { id: string }[] }>(
        response,
      );
    };
    const all = await counts("");
    expect(all.systems.map(({ id }) => id)).toEqual([world.own.system_id]);
    expect(all.sensors.map(({ id }) => id)).toEqual([world.own.sensor_id]);
    expect((await counts(`&system_id=${world.foreign.system_id}`)).total.count).toBe(0);
    expect((await counts(`&sensor_id=${world.foreign.sensor_id}`)).total.count).toBe(0);
  });

  test.each(["csv", "ndjson"])("is not exported as %s", async (format) => {
    const me = await person("reviewer", true, "export");
    for (const query of [`format=${format}&status=any`, `format=${format}&limit=500`]) {
      const text = await (await api.call(me.token, "GET", `/api/v1/quarantine?${query}`)).text();
      expect(text).toContain(world.own.system_id);
      expect(text).not.toContain(world.foreign.system_id);
    }
  });

  test("gives no incident to list, count or decide on by its key", async () => {
    const me = await person("reviewer", true, "incident");
    await world.reading(world.foreign);
    const incident = world.incident(world.foreign);
    const list = await bodyOf<{ items: unknown[] }>(
      await api.call(me.token, "GET", `/api/v1/quarantine?incident=${incident}`),
    );
    expect(list.items).toEqual([]);
    const body = { action: "reject", selection: { incident }, note: "x" };
    for (const dry_run of [true, false]) {
      const response = await api.call(me.token, "POST", "/api/v1/quarantine/actions", { ...body, dry_run });
      await expectProblem(response, "invalid-request");
    }
  });
});

describe("a decision by filter", () => {
  const decide = (me: Person, filter: object, dry_run: boolean) =>
    api.call(me.token, "POST", "/api/v1/quarantine/actions", {
      action: "reject",
      selection: { filter },
      note: "x",
      dry_run,
    });

  test("selects nothing out of reach, in a trial, as a task, and for the worker that carries it out", async () => {
    const me = await person("reviewer", true, "filter");
    const [own, foreign] = [await world.reading(world.own), await world.reading(world.foreign)];
    const trial = await bodyOf<{ selected: number; samples: { id: number }[] }>(await decide(me, {}, true));
    expect(trial.samples.some(({ id }) => id === own)).toBe(true);
    expect(trial.samples.some(({ id }) => id === foreign)).toBe(false);
    expect(
      (await bodyOf<{ selected: number }>(await decide(me, { system_id: world.foreign.system_id }, true)))
        .selected,
    ).toBe(0);
    const task = await bodyOf<{ id: string; selected: number }>(await decide(me, {}, false), 202);
    expect(task.selected).toBe(trial.selected);
    const [kept] = await bench.database.sql<{ systems: string[] }[]>`
      SELECT to_json(systems) AS systems FROM diagnostics_review_task WHERE id = ${task.id}`;
    expect(kept?.systems).toEqual([world.own.system_id]);
    expect((await api.call(me.token, "GET", `/api/v1/quarantine/actions/${task.id}`)).status).toBe(200);
    await world.workOff(task.id);
    const state = async (id: number) =>
      (
        await bench.database.sql`SELECT review_status FROM diagnostics_quarantined_reading WHERE id = ${id}`
      )[0]?.review_status;
    expect([await state(own), await state(foreign)]).toEqual(["rejected", "pending"]);
  });

  test("of somebody without a list is out of sight, though it also concerns the own system", async () => {
    const wide = await person("reviewer", false, "filter");
    const me = await person("reviewer", true, "filter");
    const { id } = await bodyOf<{ id: string }>(await decide(wide, {}, false), 202);
    await expectProblem(
      await api.call(me.token, "GET", `/api/v1/quarantine/actions/${id}`),
      "review-task-not-found",
    );
    await expectProblem(
      await api.call(me.token, "POST", `/api/v1/quarantine/actions/${id}/cancel`),
      "review-task-not-found",
    );
    expect((await api.call(wide.token, "POST", `/api/v1/quarantine/actions/${id}/cancel`)).status).toBe(200);
  });
});

describe("a refused reading of the own system that names a sensor of another", () => {
  test("tells nothing of that sensor: neither name nor range nor readings", async () => {
    const mixed = { ...world.own, sensor_id: world.foreign.sensor_id };
    const id = await world.reading(mixed);
    const [me, wide] = [await person("reviewer", true, "mixed"), await person("reviewer", false, "mixed")];
    interface Detail {
      sensor: object | null;
      stored: object | null;
      around: { items: object[]; refused: { id: number }[] };
    }
    const get = async (who: Person) =>
      bodyOf<Detail>(await api.call(who.token, "GET", `/api/v1/quarantine/${id}`));
    const open = await get(wide);
    expect(open.sensor).not.toBeNull();
    expect(open.stored).not.toBeNull();
    expect(open.around.items.length).toBeGreaterThan(0);
    expect(open.around.refused.length).toBeGreaterThan(0);
    const closed = await get(me);
    expect(closed).toMatchObject({ sensor: null, stored: null, around: { items: [], refused: [] } });
  });
});

describe("a batch for a system out of reach", () => {
  test("gets the same answer whether there is such a system or not, names the field, and is stored nowhere", async () => {
    const me = await person("producer", true, "batch");
    const before = await bench.streamLength();
    const answers = [];
    for (const system_id of [world.foreign.system_id, crypto.randomUUID()]) {
      const problem = await expectProblem(
        await api.ingest(me.token, JSON.stringify(batchOf(1, system_id))),
        "system-not-found",
      );
      expect(problem.errors?.[0]?.pointer).toBe("/system_id");
      answers.push(JSON.stringify(problem).replaceAll(system_id, "X"));
    }
    expect(answers[0]).toBe(answers[1]!);
    expect(await bench.streamLength()).toBe(before);
    // Without a list an unknown system is no reason to refuse: its job says what is wrong.
    const wide = await person("producer", false, "batch");
    expect((await api.ingest(wide.token, JSON.stringify(batchOf(1, crypto.randomUUID())))).status).toBe(202);
  });
});

describe("dead letters out of reach", () => {
  test("are passed over page by page, those that nobody can read among them", async () => {
    const me = await person("reviewer", true, "letters");
    for (let i = 0; i < 12; i += 1) await world.letter(world.foreign);
    await bench.redis.xadd("dead:{0}", "*", "reason", "x", "entry", "1-0", "buried_at_ms", "1", "v", "99");
    await world.letter(world.own);
    let seen = 0;
    for (let link: string | null = "/api/v1/dead-letters?limit=2"; link !== null; ) {
      const page: { items: { job: { system_id: string } | null }[]; next: string | null } = await bodyOf(
        await api.call(me.token, "GET", link),
      );
      for (const { job } of page.items) expect(job?.system_id).toBe(world.own.system_id);
      seen += page.items.length;
      link = page.next;
    }
    const [{ n } = { n: 0 }] = [{ n: await bench.redis.xlen("dead:{0}") }];
    expect(seen).toBeGreaterThan(1);
    expect(seen).toBeLessThan(n);
  });
});
