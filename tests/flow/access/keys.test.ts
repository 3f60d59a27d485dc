/** API keys: made once, used anywhere, changed on record, revoked everywhere. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mintKey } from "../../../src/api/auth/api-keys.ts";
import type { KeyView, NewKeyBody } from "../../../src/contract/access.ts";
import { EVERYWHERE_MS, refusedEverywhere, statusOf } from "../../support/access.ts";
import { batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { KEYS_PATH, KeyBench, type MadeKey } from "../../support/key-bench.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

let keys: KeyBench;
let one: TestApi;
let two: TestApi;
let admin: TestUser;
let producer: TestUser;
let mine: string;
beforeAll(async () => {
  keys = await KeyBench.create();
  ({ one, two, admin, producer, mine } = keys);
});
afterAll(() => keys?.close());
afterEach(() => keys.bench.postgresProxy.resume());

describe("a key", () => {
  test("is made with its secret shown once, which nobody keeps, and is on record without it", async () => {
    const expires_at = new Date(Date.now() + 86_400_000).toISOString();
    const given = { name: "Press 2, Logger Ä", scopes: ["ingest", "read"], systems: [mine], expires_at };
    const response = await keys.post({ ...given, note: "For the cabinet" });
    const { key, secret } = await bodyOf<MadeKey>(response, 201);
    expect(response.headers.get("Location")).toBe(`${KEYS_PATH}/${key.id}`);
    expect(response.headers.get("Cache-Control")).toBe("no-store");
    expect(secret).toStartWith(`${key.prefix}_`);
    expect(key).toEqual({
      ...given,
      scopes: ["ingest", "read"],
      id: key.id,
      prefix: key.prefix,
      user_id: producer.id,
      username: producer.username,
      requests_per_minute: null,
      readings_per_minute: null,
      created_at: key.created_at,
      revoked_at: null,
      last_used_at: null,
    });
    expect(await bodyOf<KeyView>(await keys.get(key.id))).toEqual(key);
    const [entry] = await keys.record(key.id);
    expect(entry).toMatchObject({ action: "key.create", actor: producer.id, note: "For the cabinet" });
    expect(entry?.after).toMatchObject({
      name: given.name,
      scopes: given.scopes,
      systems: [mine],
      prefix: key.prefix,
    });
    const hidden = secret.slice(12);
    const kept = await keys.bench.database.sql<{ text: string }[]>`
      SELECT k::text AS text FROM diagnostics_api_key k UNION ALL SELECT a::text FROM diagnostics_audit a`;
    for (const { text } of kept) expect(text).not.toContain(hidden);
    for (const api of [one, two]) for (const line of api.logLines) expect(line).not.toContain(hidden);
  });

  test.each([
    ["Authorization: Bearer", (secret: string) => ({ Authorization: `Bearer ${secret}` })],
    ["X-Api-Key", (secret: string) => ({ "X-Api-Key": secret })],
  ] as const)("is taken as %s, by every process, for its owner's jobs", async (_, headersOf) => {
    const { secret, key } = await keys.make();
    for (const api of [one, two]) {
      const response = await api.fetch("/api/v1/data/ingest", {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headersOf(secret) },
        body: keys.batch(),
      });
      const { job_id } = await bodyOf<{ job_id: string }>(response, 202);
      expect((await one.job(producer.token, job_id)).status).toBe(200);
      expect((await api.fetch(`/api/v1/jobs/${job_id}`, { headers: headersOf(secret) })).status).toBe(200);
    }
    expect(
      await bodyOf<object>(await two.fetch("/api/v1/auth/session", { headers: headersOf(secret) })),
    ).toEqual({
      user: { id: producer.id, username: producer.username, role: "producer", systems: null },
      key: { id: key.id, name: "logger", prefix: key.prefix, scopes: ["ingest"] },
      expires_at: null,
      expires_in: null,
      renewable_until: null,
    });
  });

  test("gives way to an Authorization header, and needs no sign of the own site", async () => {
    const { secret } = await keys.make();
    const headers = { "X-Api-Key": secret, Authorization: "Basic eDp5" };
    await expectProblem(await one.fetch("/api/v1/auth/session", { headers }), "authentication-required");
    const crossSite = {
      "X-Api-Key": secret,
      "Sec-Fetch-Site": "cross-site",
      "Content-Type": "application/json",
    };
    const init = {
      method: "POST",
      headers: { ...crossSite, Cookie: "hydraulic_session=x" },
      body: keys.batch(),
    };
    expect((await one.fetch("/api/v1/data/ingest", init)).status).toBe(202);
  });

  test("that is mistyped, unknown, or the right prefix with another secret is refused, and said which", async () => {
    const { secret } = await keys.make();
    const swapped = secret.slice(0, -3) + (secret.at(-3) === "a" ? "b" : "a") + secret.slice(-2);
    const detailOf = async (key: string) =>
      (await expectProblem(await two.call(key, "GET", "/api/v1/auth/session"), "invalid-token")).detail;
    expect(await detailOf(swapped)).toBe("The API key is mistyped: its checksum does not fit.");
    expect(await detailOf(mintKey().secret)).toBe("The API key is not known.");
    const stranger = mintKey();
    const { key } = await keys.make();
    await keys.bench.database
      .sql`UPDATE diagnostics_api_key SET prefix = ${stranger.prefix} WHERE id = ${key.id}`;
    await one.register.refresh();
    const response = await one.call(stranger.secret, "GET", "/api/v1/auth/session");
    expect((await expectProblem(response, "invalid-token")).detail).toBe("The API key is not known.");
    expect(response.headers.get("WWW-Authenticate")).toContain('error="invalid_token"');
  });

  test("ends at its expiry", async () => {
    const { secret } = await keys.make({ expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    const clock = new ManualClock(Date.now());
    const other = await keys.bench.start({ clock });
    expect(await statusOf(other, secret)).toBe(200);
    clock.time_ms += 3_600_000;
    const { detail } = await expectProblem(await other.call(secret, "GET", KEYS_PATH), "invalid-token");
    expect(detail).toBe("The API key has expired.");
  });

  test("tells when it was last used, some time later, also after an outage of the database", async () => {
    const { key, secret } = await keys.make();
    const before = Date.now();
    expect((await two.ingest(secret, keys.batch())).status).toBe(202);
    const used = async () => (await bodyOf<KeyView>(await keys.get(key.id))).last_used_at;
    const first = await until("the use is written", async () => (await used()) ?? undefined);
    expect(Date.parse(first)).toBeWithin(before - 1, Date.now() + 1);
    keys.bench.postgresProxy.refuse();
    await Bun.sleep(10);
    expect((await two.ingest(secret, keys.batch())).status).toBe(202);
    await until("it cannot be written", () => two.logLines.some((line) => line.includes("written later")));
    keys.bench.postgresProxy.resume();
    await until("the later use is written", async () => {
      const response = await keys.get(key.id);
      return response.status === 200 && ((await response.json()) as KeyView).last_used_at !== first;
    });
    expect(await keys.record(key.id)).toHaveLength(1);
  });
});

describe("a revoked key", () => {
  test("is refused by every process soon, while those beside it go on", async () => {
    const [gone, stays] = [await keys.make(), await keys.make()];
    for (const api of [one, two]) expect(await statusOf(api, gone.secret)).toBe(200);
    const revoked = await bodyOf<KeyView>(await keys.revoke(gone.key.id));
    expect(Date.parse(revoked.revoked_at ?? "")).toBeWithin(Date.now() - 60_000, Date.now() + 1_000);
    expect(await statusOf(one, gone.secret)).toBe(401);
    await refusedEverywhere([one, two], gone.secret);
    expect((await expectProblem(await two.ingest(gone.secret, keys.batch()), "invalid-token")).detail).toBe(
      "The API key was revoked.",
    );
    for (const api of [one, two]) expect(await statusOf(api, stays.secret)).toBe(200);
    expect((await keys.record(gone.key.id)).map(({ action }) => action)).toEqual([
      "key.revoke",
      "key.create",
    ]);
    expect((await bodyOf<KeyView>(await keys.revoke(gone.key.id))).revoked_at).toBe(revoked.revoked_at);
    expect(await keys.record(gone.key.id)).toHaveLength(2);
  });

  test("stays refused, and others stay known, while Postgres is away", async () => {
    const [gone, stays] = [await keys.make(), await keys.make()];
    await keys.revoke(gone.key.id);
    await refusedEverywhere([one, two], gone.secret);
    expect(await statusOf(two, stays.secret)).toBe(200);
    keys.bench.postgresProxy.refuse();
    for (const api of [one, two]) {
      expect((await api.ingest(stays.secret, keys.batch())).status).toBe(202);
      expect(await statusOf(api, gone.secret)).toBe(401);
      const unknown = await api.call(mintKey().secret, "GET", "/api/v1/auth/session");
      await expectProblem(unknown, "service-unavailable");
    }
  });

  test("closes the events that it opened", async () => {
    const reviewer = await one.tokenFor("reviewer");
    const { key, secret } = await keys.make({ scopes: ["read"] }, reviewer.token);
    const response = await two.call(secret, "GET", "/api/v1/overview/events");
    expect(response.status).toBe(200);
    const ended = response.text().then(() => "ended");
    await keys.revoke(key.id, reviewer.token);
    expect(await Promise.race([ended, Bun.sleep(EVERYWHERE_MS).then(() => "open")])).toBe("ended");
  });
});

describe("a change", () => {
  test("of the name is the owner's, of limits the admin's; both count and are on record", async () => {
    const { key, secret } = await keys.make();
    const patch = (body: object, token = producer.token) =>
      one.call(token, "PATCH", `${KEYS_PATH}/${key.id}`, body);
    expect(await bodyOf<KeyView>(await patch({ name: "renamed" }))).toMatchObject({ name: "renamed" });
    await expectProblem(await patch({ readings_per_minute: null }), "forbidden");
    await expectProblem(
      await keys.post({ name: "x", scopes: ["ingest"], readings_per_minute: 9 }),
      "forbidden",
    );
    await bodyOf(await patch({ readings_per_minute: 2, note: "Too eager" }, admin.token));
    const three = JSON.stringify(batchOf(3, mine));
    await until("the limit counts", async () => (await two.ingest(secret, three)).status === 429);
    expect((await one.ingest(producer.token, three)).status).toBe(202);
    const [entry] = await keys.record(key.id);
    expect(entry).toMatchObject({
      action: "key.change",
      before: { name: "renamed", readings_per_minute: null },
      after: { name: "renamed", readings_per_minute: 2 },
      note: "Too eager",
    });
    await keys.revoke(key.id);
    await expectProblem(await patch({ name: "too late" }), "key-over");
  });

  test("of the secret leaves all else as it is; the old one ends at once, or after the overlap", async () => {
    const given: Partial<NewKeyBody> = { systems: [mine], scopes: ["ingest", "read"] };
    const first = await keys.make({ ...given, expires_at: new Date(Date.now() + 86_400_000).toISOString() });
    const second = await bodyOf<MadeKey>(await keys.rotate(first.key.id, {}), 201);
    const same = ({ id: _, prefix: __, created_at: ___, ...rest }: KeyView) => rest;
    expect(same(second.key)).toEqual(same(first.key));
    await refusedEverywhere([one, two], first.secret);
    expect(await statusOf(two, second.secret)).toBe(200);
    await expectProblem(await keys.rotate(first.key.id, {}), "key-over");
    const third = await bodyOf<MadeKey>(await keys.rotate(second.key.id, { overlap_s: 10 }), 201);
    for (const { secret } of [second, third]) expect(await statusOf(two, secret)).toBe(200);
    expect(same(third.key)).toEqual(same(first.key));
    await until("the overlap is over", async () => (await statusOf(two, second.secret)) === 401);
    expect(await statusOf(two, third.secret)).toBe(200);
    expect((await keys.record(second.key.id)).map(({ action }) => action)).toEqual([
      "key.rotate",
      "key.create",
    ]);
  });
});

test.each([
  ["no name", { name: "" }, "/name"],
  ["no scope", { scopes: [] }, "/scopes"],
  ["an unknown scope", { scopes: ["root"] }, "/scopes"],
  ["a scope twice", { scopes: ["read", "read"] }, "/scopes"],
  ["an empty list of systems", { systems: [] }, "/systems"],
  ["an expiry that is over", { expires_at: "2020-01-01T00:00:00Z" }, "/expires_at"],
  ["an expiry that is no time", { expires_at: "tomorrow" }, "/expires_at"],
  ["an owner that is no UUID", { user_id: "me" }, "/user_id"],
  ["a field that there is not", { secret: "mine" }, "/secret"],
] as const)("a key with %s is refused, and the field is named", async (_, change, pointer) => {
  const { errors } = await expectProblem(
    await keys.post({ name: "x", scopes: ["read"], ...change }),
    "invalid-request",
  );
  expect(errors?.[0]?.pointer).toStartWith(pointer);
});
