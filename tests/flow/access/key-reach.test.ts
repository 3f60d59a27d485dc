/** What an API key may: never more than its owner, within its scopes, systems and limits; and whose keys are whose. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { MAX_KEYS } from "../../../src/contract/access.ts";
import { refusedEverywhere, statusOf } from "../../support/access.ts";
import { batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { KEYS_PATH, KeyBench, type MadeKey } from "../../support/key-bench.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, newSystem } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

let keys: KeyBench;
let one: TestApi;
let two: TestApi;
let admin: TestUser;
let producer: TestUser;
let mine: string;
let foreign: string;
beforeAll(async () => {
  keys = await KeyBench.create();
  ({ one, two, admin, producer, mine, foreign } = keys);
});
afterAll(() => keys?.close());

describe("an owner", () => {
  test("who is deactivated takes the keys along, and brings them back", async () => {
    const owner = await one.tokenFor("producer");
    const { secret } = await keys.make({}, owner.token);
    const path = `/api/v1/users/${owner.id}`;
    await bodyOf(await one.call(admin.token, "PATCH", path, { active: false }));
    await refusedEverywhere([one, two], secret);
    await bodyOf(await one.call(admin.token, "PATCH", path, { active: true }));
    for (const api of [one, two]) {
      await until("the key works again", async () => (await statusOf(api, secret)) === 200);
    }
  });

  test("who loses a role or systems takes them from the keys", async () => {
    const owner = await one.tokenFor("engineer");
    const { secret } = await keys.make({ scopes: ["read", "write"], systems: [mine] }, owner.token);
    const create = () =>
      two.call(secret, "POST", `/api/v1/systems/${mine}/sensors`, { name: crypto.randomUUID(), unit: "bar" });
    expect((await create()).status).toBe(201);
    const change = (body: object) => one.call(admin.token, "PATCH", `/api/v1/users/${owner.id}`, body);
    await bodyOf(await change({ role: "producer" }));
    await until("the role is gone", async () => (await create()).status === 403);
    await bodyOf(await change({ role: "engineer", systems: [foreign] }));
    await until("the system is gone", async () => (await create()).status === 404);
  });

  test("has a bound of keys, of which those that are over are not counted", async () => {
    const owner = await one.tokenFor("producer");
    const made: MadeKey[] = [];
    for (let i = 0; i < MAX_KEYS; i += 1) made.push(await keys.make({}, owner.token));
    await expectProblem(
      await keys.post({ name: "one more", scopes: ["read"] }, owner.token),
      "too-many-keys",
    );
    // An old key that goes on is one in use.
    const { id } = made[1]!.key;
    await expectProblem(await keys.rotate(id, { overlap_s: 60 }, owner.token), "too-many-keys");
    expect((await keys.record(id)).map(({ action }) => action)).toEqual(["key.create"]);
    expect((await keys.rotate(id, {}, owner.token)).status).toBe(201);
    await keys.revoke(made[0]!.key.id, owner.token);
    await keys.make({}, owner.token);
  });

  test("has no more keys than that when many are made at once, and none is rotated beyond it", async () => {
    const owner = await one.tokenFor("producer");
    const body = { name: "one of many", scopes: ["read"] };
    const answers = await Promise.all(
      Array.from({ length: MAX_KEYS + 30 }, (_, i) =>
        (i % 2 ? one : two).call(owner.token, "POST", KEYS_PATH, body),
      ),
    );
    const codes = Object.groupBy(answers, ({ status }) => status);
    expect([codes[201]?.length, codes[409]?.length]).toEqual([MAX_KEYS, 30]);
    const made = await keys.list("&state=active", owner.token);
    expect(made).toHaveLength(MAX_KEYS);
    for (const { id } of made.slice(0, 3)) await keys.revoke(id, owner.token);
    const rotated = await Promise.all(
      made.slice(3, 13).map(({ id }) => keys.rotate(id, { overlap_s: 60 }, owner.token)),
    );
    expect(rotated.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(await keys.list("&state=active", owner.token)).toHaveLength(MAX_KEYS);
  });
});

describe("scopes", () => {
  const job = async (secret: string) =>
    (await bodyOf<{ job_id: string }>(await one.ingest(secret, keys.batch()), 202)).job_id;

  test("ingest sends, and follows the owner's own jobs alone, though the owner reads all", async () => {
    const engineer = await one.tokenFor("engineer");
    const { secret } = await keys.make({}, engineer.token);
    const own = await job(secret);
    const other = await job(producer.token);
    expect((await one.job(secret, own)).status).toBe(200);
    expect((await one.job(engineer.token, other)).status).toBe(200);
    await expectProblem(await one.job(secret, other), "job-not-found");
    for (const path of ["/api/v1/systems", `/api/v1/systems/${mine}/latest`, "/api/v1/quarantine"]) {
      const { detail } = await expectProblem(await one.call(secret, "GET", path), "forbidden");
      expect(detail).toBe("This API key has the scopes ingest; it takes one of: read.");
    }
  });

  test("read changes nothing, write reads nothing, and neither sends", async () => {
    const engineer = await one.tokenFor("engineer");
    const { secret: read } = await keys.make({ scopes: ["read"] }, engineer.token);
    const { secret: write } = await keys.make({ scopes: ["write"] }, engineer.token);
    const systems = "/api/v1/systems";
    expect((await one.call(read, "GET", systems)).status).toBe(200);
    await expectProblem(await one.call(read, "POST", systems, { name: "x" }), "forbidden");
    expect((await one.call(write, "POST", systems, { name: "x" })).status).toBe(201);
    await expectProblem(await one.call(write, "GET", systems), "forbidden");
    for (const key of [read, write]) await expectProblem(await one.ingest(key, keys.batch()), "forbidden");
  });

  test("of any kind manage neither users nor keys nor sessions", async () => {
    const { secret, key } = await keys.make({ scopes: ["ingest", "read", "write"] }, admin.token);
    for (const [method, path] of [
      ["GET", "/api/v1/users"],
      ["GET", KEYS_PATH],
      ["GET", `${KEYS_PATH}/${key.id}`],
      ["DELETE", `${KEYS_PATH}/${key.id}`],
      ["POST", "/api/v1/auth/logout"],
    ] as const) {
      await expectProblem(await one.call(secret, method, path), "forbidden");
    }
    const body = { name: "x", scopes: ["read"] };
    expect((await expectProblem(await keys.post(body, secret), "forbidden")).detail).toBe(
      "No API key may do this; log in.",
    );
    const password = { current_password: "x", new_password: "correct horse" };
    await expectProblem(await one.call(secret, "POST", "/api/v1/auth/password", password), "forbidden");
  });
});

describe("systems of a key", () => {
  test("are what key and owner both reach", async () => {
    const owner = await one.tokenFor("engineer", { systems: [mine] });
    const { secret } = await keys.make({ scopes: ["read"] }, owner.token);
    expect((await one.call(secret, "GET", `/api/v1/systems/${mine}`)).status).toBe(200);
    await expectProblem(await one.call(secret, "GET", `/api/v1/systems/${foreign}`), "system-not-found");
    const { secret: narrow } = await keys.make({ scopes: ["read"], systems: [foreign] }, admin.token);
    expect((await one.call(narrow, "GET", `/api/v1/systems/${foreign}`)).status).toBe(200);
    await expectProblem(await one.call(narrow, "GET", `/api/v1/systems/${mine}`), "system-not-found");
    await expectProblem(
      await keys.post({ name: "x", scopes: ["read"], systems: [foreign] }, owner.token),
      "forbidden",
    );
    const forOwner = { name: "x", scopes: ["read"], systems: [foreign], user_id: owner.id };
    const { errors } = await expectProblem(await keys.post(forOwner, admin.token), "invalid-request");
    expect(errors?.[0]?.pointer).toBe("/systems");
  });
});

describe("keys of others", () => {
  test("do not exist for those who are no admins, who make none for others", async () => {
    const { key } = await keys.make();
    const other = await one.tokenFor("engineer");
    for (const response of [
      await keys.get(key.id, other.token),
      await keys.revoke(key.id, other.token),
      await keys.rotate(key.id, {}, other.token),
      await one.call(other.token, "PATCH", `${KEYS_PATH}/${key.id}`, { name: "taken over" }),
    ]) {
      await expectProblem(response, "key-not-found");
    }
    expect(await keys.list("", other.token)).toEqual([]);
    expect(await keys.list(`&user_id=${producer.id}`, other.token)).toEqual([]);
    const body = { name: "x", scopes: ["ingest"], user_id: producer.id };
    await expectProblem(await keys.post(body, other.token), "user-not-found");
  });

  test("are the admin's to make, limit and revoke; an admin of systems sees those of the users within", async () => {
    const { key } = await keys.make({ user_id: producer.id, requests_per_minute: 3 }, admin.token);
    expect(key).toMatchObject({ user_id: producer.id, requests_per_minute: 3 });
    expect((await keys.list("", admin.token)).some(({ id }) => id === key.id)).toBe(true);
    const { id: own } = await newSystem(one, admin.token);
    const limited = await one.tokenFor("admin", { systems: [own] });
    const within = await one.tokenFor("producer", { systems: [own] });
    const { key: near } = await keys.make({}, within.token);
    await expectProblem(await keys.get(key.id, limited.token), "key-not-found");
    expect((await keys.list("", limited.token)).map(({ id }) => id)).toEqual([near.id]);
    expect((await keys.revoke(near.id, limited.token)).status).toBe(200);
    await expectProblem(
      await keys.post({ name: "x", scopes: ["read"], user_id: producer.id }, limited.token),
      "user-not-found",
    );
  });

  test("are listed by state, newest first, page by page", async () => {
    const owner = await one.tokenFor("producer");
    const made = [
      await keys.make({}, owner.token),
      await keys.make({}, owner.token),
      await keys.make({}, owner.token),
    ];
    await keys.revoke(made[1]!.key.id, owner.token);
    const ids = async (query: string) => (await keys.list(query, owner.token)).map(({ id }) => id);
    const [a, b, c] = made.map(({ key }) => key.id);
    expect(await ids("")).toEqual([c!, b!, a!]);
    expect(await ids("&state=active")).toEqual([c!, a!]);
    expect(await ids("&state=over")).toEqual([b!]);
    await expectProblem(await one.call(owner.token, "GET", `${KEYS_PATH}?state=x`), "invalid-request");
    await expectProblem(await one.call(owner.token, "GET", `${KEYS_PATH}?after=x`), "invalid-request");
  });
});

test("without limits of their own have those of their owner: nobody escapes a small limit by making a key", async () => {
  const owner = await one.tokenFor("producer", { requests_per_minute: 50, readings_per_minute: 2 });
  const { key, secret } = await keys.make({}, owner.token);
  expect(key).toMatchObject({ requests_per_minute: null, readings_per_minute: null });
  const refused = await one.ingest(secret, JSON.stringify(batchOf(3, mine)));
  await expectProblem(refused, "rate-limited");
  expect(refused.headers.get("RateLimit-Limit")).toBe("2");
  const taken = await one.ingest(secret, JSON.stringify(batchOf(2, mine)));
  expect([taken.status, taken.headers.get("RateLimit-Limit")]).toEqual([202, "50"]);
  // Budgets stay apart: what the key has sent is not taken from its owner.
  expect((await one.ingest(owner.token, JSON.stringify(batchOf(2, mine)))).status).toBe(202);
  const generous = await keys.make({ user_id: owner.id, readings_per_minute: 9 }, admin.token);
  expect((await one.ingest(generous.secret, JSON.stringify(batchOf(3, mine)))).status).toBe(202);
});
