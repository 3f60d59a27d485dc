/** API keys: made once, used anywhere, revoked everywhere; what they may, and what is on record. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mintKey } from "../../../src/api/auth/api-keys.ts";
import { type KeyView, MAX_KEYS, type NewKeyBody } from "../../../src/contract/access.ts";
import type { AuditEntry } from "../../../src/contract/oversight.ts";
import { EVERYWHERE_MS, refusedEverywhere, statusOf } from "../../support/access.ts";
import { ApiBench, batchOf, type TestApi, type TestUser } from "../../support/api.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf, newSystem } from "../../support/registry.ts";
import { until } from "../../support/until.ts";

const PATH = "/api/v1/keys";
interface Made {
  readonly key: KeyView;
  readonly secret: string;
}
let bench: ApiBench;
let one: TestApi;
let two: TestApi;
let admin: TestUser;
let producer: TestUser;
let mine: string;
let foreign: string;
beforeAll(async () => {
  bench = await ApiBench.create();
  const options = { notes_every_ms: 50 };
  [one, two] = [await bench.start(options), await bench.start(options)];
  admin = await one.tokenFor("admin");
  producer = await one.tokenFor("producer");
  mine = (await newSystem(one, admin.token)).id;
  foreign = (await newSystem(one, admin.token)).id;
});
afterAll(() => bench.close());
afterEach(() => bench.postgresProxy.resume());

const post = (body: object, token = producer.token) => one.call(token, "POST", PATH, body);
const make = async (given: Partial<NewKeyBody> = {}, token = producer.token): Promise<Made> =>
  bodyOf<Made>(await post({ name: "logger", scopes: ["ingest"], ...given }, token), 201);
const get = (id: string, token = producer.token) => one.call(token, "GET", `${PATH}/${id}`);
const revoke = (id: string, token = producer.token) => one.call(token, "DELETE", `${PATH}/${id}`);
const rotate = (id: string, body: object, token = producer.token) =>
  one.call(token, "POST", `${PATH}/${id}/rotate`, body);
const list = async (query = "", token = producer.token): Promise<KeyView[]> => {
  const seen: KeyView[] = [];
  for (let link: string | null = `${PATH}?limit=2${query}`; link !== null; ) {
    const page: { items: KeyView[]; next: string | null } = await bodyOf(await one.call(token, "GET", link));
    seen.push(...page.items);
    link = page.next;
  }
  return seen;
};
async function record(id: string): Promise<AuditEntry[]> {
  const path = `/api/v1/audit?subject_type=key&subject_id=${id}`;
  return (await bodyOf<{ items: AuditEntry[] }>(await one.call(admin.token, "GET", path))).items;
}
const batch = (system_id = mine) => JSON.stringify(batchOf(1, system_id));

describe("a key", () => {
  test("is made with its secret shown once, which nobody keeps, and is on record without it", async () => {
    const expires_at = new Date(Date.now() + 86_400_000).toISOString();
    const given = { name: "Press 2, Logger Ä", scopes: ["ingest", "read"], systems: [mine], expires_at };
    const response = await post({ ...given, note: "For the cabinet" });
    const { key, secret } = await bodyOf<Made>(response, 201);
    expect(response.headers.get("Location")).toBe(`${PATH}/${key.id}`);
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
    expect(await bodyOf<KeyView>(await get(key.id))).toEqual(key);
    const [entry] = await record(key.id);
    expect(entry).toMatchObject({ action: "key.create", actor: producer.id, note: "For the cabinet" });
    expect(entry?.after).toMatchObject({
      name: given.name,
      scopes: given.scopes,
      systems: [mine],
      prefix: key.prefix,
    });
    const hidden = secret.slice(12);
    const kept = await bench.database.sql<{ text: string }[]>`
      SELECT k::text AS text FROM diagnostics_api_key k UNION ALL SELECT a::text FROM diagnostics_audit a`;
    for (const { text } of kept) expect(text).not.toContain(hidden);
    for (const api of [one, two]) for (const line of api.logLines) expect(line).not.toContain(hidden);
  });

  test.each([
    ["Authorization: Bearer", (secret: string) => ({ Authorization: `Bearer ${secret}` })],
    ["X-Api-Key", (secret: string) => ({ "X-Api-Key": secret })],
  ] as const)("is taken as %s, by every process, for its owner's jobs", async (_, headersOf) => {
    const { secret, key } = await make();
    for (const api of [one, two]) {
      const response = await api.fetch("/api/v1/data/ingest", {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headersOf(secret) },
        body: batch(),
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
    const { secret } = await make();
    const headers = { "X-Api-Key": secret, Authorization: "Basic eDp5" };
    await expectProblem(await one.fetch("/api/v1/auth/session", { headers }), "authentication-required");
    const crossSite = {
      "X-Api-Key": secret,
      "Sec-Fetch-Site": "cross-site",
      "Content-Type": "application/json",
    };
    const init = { method: "POST", headers: { ...crossSite, Cookie: "hydraulic_session=x" }, body: batch() };
    expect((await one.fetch("/api/v1/data/ingest", init)).status).toBe(202);
  });

  test("that is mistyped, unknown, or the right prefix with another secret is refused, and said which", async () => {
    const { secret } = await make();
    const swapped = secret.slice(0, -3) + (secret.at(-3) === "a" ? "b" : "a") + secret.slice(-2);
    const detailOf = async (key: string) =>
      (await expectProblem(await two.call(key, "GET", "/api/v1/auth/session"), "invalid-token")).detail;
    expect(await detailOf(swapped)).toBe("The API key is mistyped: its checksum does not fit.");
    expect(await detailOf(mintKey().secret)).toBe("The API key is not known.");
    const stranger = mintKey();
    const { key } = await make();
    await bench.database.sql`UPDATE diagnostics_api_key SET prefix = ${stranger.prefix} WHERE id = ${key.id}`;
    await one.register.refresh();
    const response = await one.call(stranger.secret, "GET", "/api/v1/auth/session");
    expect((await expectProblem(response, "invalid-token")).detail).toBe("The API key is not known.");
    expect(response.headers.get("WWW-Authenticate")).toContain('error="invalid_token"');
  });

  test("ends at its expiry", async () => {
    const { secret } = await make({ expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    const clock = new ManualClock(Date.now());
    const other = await bench.start({ clock });
    expect(await statusOf(other, secret)).toBe(200);
    clock.time_ms += 3_600_000;
    const { detail } = await expectProblem(await other.call(secret, "GET", PATH), "invalid-token");
    expect(detail).toBe("The API key has expired.");
  });

  test("tells when it was last used, some time later, also after an outage of the database", async () => {
    const { key, secret } = await make();
    const before = Date.now();
    expect((await two.ingest(secret, batch())).status).toBe(202);
    const used = async () => (await bodyOf<KeyView>(await get(key.id))).last_used_at;
    const first = await until("the use is written", async () => (await used()) ?? undefined);
    expect(Date.parse(first)).toBeWithin(before - 1, Date.now() + 1);
    bench.postgresProxy.refuse();
    await Bun.sleep(10);
    expect((await two.ingest(secret, batch())).status).toBe(202);
    await until("it cannot be written", () => two.logLines.some((line) => line.includes("written later")));
    bench.postgresProxy.resume();
    await until("the later use is written", async () => {
      const response = await get(key.id);
      return response.status === 200 && ((await response.json()) as KeyView).last_used_at !== first;
    });
    expect(await record(key.id)).toHaveLength(1);
  });
});

describe("a revoked key", () => {
  test("is refused by every process soon, while those beside it go on", async () => {
    const [gone, stays] = [await make(), await make()];
    for (const api of [one, two]) expect(await statusOf(api, gone.secret)).toBe(200);
    const revoked = await bodyOf<KeyView>(await revoke(gone.key.id));
    expect(Date.parse(revoked.revoked_at ?? "")).toBeWithin(Date.now() - 60_000, Date.now() + 1_000);
    expect(await statusOf(one, gone.secret)).toBe(401);
    await refusedEverywhere([one, two], gone.secret);
    expect((await expectProblem(await two.ingest(gone.secret, batch()), "invalid-token")).detail).toBe(
      "The API key was revoked.",
    );
    for (const api of [one, two]) expect(await statusOf(api, stays.secret)).toBe(200);
    expect((await record(gone.key.id)).map(({ action }) => action)).toEqual(["key.revoke", "key.create"]);
    expect((await bodyOf<KeyView>(await revoke(gone.key.id))).revoked_at).toBe(revoked.revoked_at);
    expect(await record(gone.key.id)).toHaveLength(2);
  });

  test("stays refused, and others stay known, while Postgres is away", async () => {
    const [gone, stays] = [await make(), await make()];
    await revoke(gone.key.id);
    await refusedEverywhere([one, two], gone.secret);
    expect(await statusOf(two, stays.secret)).toBe(200);
    bench.postgresProxy.refuse();
    for (const api of [one, two]) {
      expect((await api.ingest(stays.secret, batch())).status).toBe(202);
      expect(await statusOf(api, gone.secret)).toBe(401);
      const unknown = await api.call(mintKey().secret, "GET", "/api/v1/auth/session");
      await expectProblem(unknown, "service-unavailable");
    }
  });

  test("closes the events that it opened", async () => {
    const reviewer = await one.tokenFor("reviewer");
    const { key, secret } = await make({ scopes: ["read"] }, reviewer.token);
    const response = await two.call(secret, "GET", "/api/v1/overview/events");
    expect(response.status).toBe(200);
    const ended = response.text().then(() => "ended");
    await revoke(key.id, reviewer.token);
    expect(await Promise.race([ended, Bun.sleep(EVERYWHERE_MS).then(() => "open")])).toBe("ended");
  });
});

describe("an owner", () => {
  test("who is deactivated takes the keys along, and brings them back", async () => {
    const owner = await one.tokenFor("producer");
    const { secret } = await make({}, owner.token);
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
    const { secret } = await make({ scopes: ["read", "write"], systems: [mine] }, owner.token);
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
    const made: Made[] = [];
    for (let i = 0; i < MAX_KEYS; i += 1) made.push(await make({}, owner.token));
    await expectProblem(await post({ name: "one more", scopes: ["read"] }, owner.token), "too-many-keys");
    // An old key that goes on is one in use.
    const { id } = made[1]!.key;
    await expectProblem(await rotate(id, { overlap_s: 60 }, owner.token), "too-many-keys");
    expect((await record(id)).map(({ action }) => action)).toEqual(["key.create"]);
    expect((await rotate(id, {}, owner.token)).status).toBe(201);
    await revoke(made[0]!.key.id, owner.token);
    await make({}, owner.token);
  });

  test("has no more keys than that when many are made at once, and none is rotated beyond it", async () => {
    const owner = await one.tokenFor("producer");
    const body = { name: "one of many", scopes: ["read"] };
    const answers = await Promise.all(
      Array.from({ length: MAX_KEYS + 30 }, (_, i) =>
        (i % 2 ? one : two).call(owner.token, "POST", PATH, body),
      ),
    );
    const codes = Object.groupBy(answers, ({ status }) => status);
    expect([codes[201]?.length, codes[409]?.length]).toEqual([MAX_KEYS, 30]);
    const keys = await list("&state=active", owner.token);
    expect(keys).toHaveLength(MAX_KEYS);
    for (const { id } of keys.slice(0, 3)) await revoke(id, owner.token);
    const rotated = await Promise.all(
      keys.slice(3, 13).map(({ id }) => rotate(id, { overlap_s: 60 }, owner.token)),
    );
    expect(rotated.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(await list("&state=active", owner.token)).toHaveLength(MAX_KEYS);
  });
});

describe("scopes", () => {
  const job = async (secret: string) =>
    (await bodyOf<{ job_id: string }>(await one.ingest(secret, batch()), 202)).job_id;

  test("ingest sends, and follows the owner's own jobs alone, though the owner reads all", async () => {
    const engineer = await one.tokenFor("engineer");
    const { secret } = await make({}, engineer.token);
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
    const { secret: read } = await make({ scopes: ["read"] }, engineer.token);
    const { secret: write } = await make({ scopes: ["write"] }, engineer.token);
    const systems = "/api/v1/systems";
    expect((await one.call(read, "GET", systems)).status).toBe(200);
    await expectProblem(await one.call(read, "POST", systems, { name: "x" }), "forbidden");
    expect((await one.call(write, "POST", systems, { name: "x" })).status).toBe(201);
    await expectProblem(await one.call(write, "GET", systems), "forbidden");
    for (const key of [read, write]) await expectProblem(await one.ingest(key, batch()), "forbidden");
  });

  test("of any kind manage neither users nor keys nor sessions", async () => {
    const { secret, key } = await make({ scopes: ["ingest", "read", "write"] }, admin.token);
    for (const [method, path] of [
      ["GET", "/api/v1/users"],
      ["GET", PATH],
      ["GET", `${PATH}/${key.id}`],
      ["DELETE", `${PATH}/${key.id}`],
      ["POST", "/api/v1/auth/logout"],
    ] as const) {
      await expectProblem(await one.call(secret, method, path), "forbidden");
    }
    const body = { name: "x", scopes: ["read"] };
    expect((await expectProblem(await post(body, secret), "forbidden")).detail).toBe(
      "No API key may do this; log in.",
    );
    const password = { current_password: "x", new_password: "correct horse" };
    await expectProblem(await one.call(secret, "POST", "/api/v1/auth/password", password), "forbidden");
  });
});

describe("systems of a key", () => {
  test("are what key and owner both reach", async () => {
    const owner = await one.tokenFor("engineer", { systems: [mine] });
    const { secret } = await make({ scopes: ["read"] }, owner.token);
    expect((await one.call(secret, "GET", `/api/v1/systems/${mine}`)).status).toBe(200);
    await expectProblem(await one.call(secret, "GET", `/api/v1/systems/${foreign}`), "system-not-found");
    const { secret: narrow } = await make({ scopes: ["read"], systems: [foreign] }, admin.token);
    expect((await one.call(narrow, "GET", `/api/v1/systems/${foreign}`)).status).toBe(200);
    await expectProblem(await one.call(narrow, "GET", `/api/v1/systems/${mine}`), "system-not-found");
    await expectProblem(
      await post({ name: "x", scopes: ["read"], systems: [foreign] }, owner.token),
      "forbidden",
    );
    const forOwner = { name: "x", scopes: ["read"], systems: [foreign], user_id: owner.id };
    const { errors } = await expectProblem(await post(forOwner, admin.token), "invalid-request");
    expect(errors?.[0]?.pointer).toBe("/systems");
  });
});

describe("keys of others", () => {
  test("do not exist for those who are no admins, who make none for others", async () => {
    const { key } = await make();
    const other = await one.tokenFor("engineer");
    for (const response of [
      await get(key.id, other.token),
      await revoke(key.id, other.token),
      await rotate(key.id, {}, other.token),
      await one.call(other.token, "PATCH", `${PATH}/${key.id}`, { name: "taken over" }),
    ]) {
      await expectProblem(response, "key-not-found");
    }
    expect(await list("", other.token)).toEqual([]);
    expect(await list(`&user_id=${producer.id}`, other.token)).toEqual([]);
    const body = { name: "x", scopes: ["ingest"], user_id: producer.id };
    await expectProblem(await post(body, other.token), "user-not-found");
  });

  test("are the admin's to make, limit and revoke; an admin of systems sees those of the users within", async () => {
    const { key } = await make({ user_id: producer.id, requests_per_minute: 3 }, admin.token);
    expect(key).toMatchObject({ user_id: producer.id, requests_per_minute: 3 });
    expect((await list("", admin.token)).some(({ id }) => id === key.id)).toBe(true);
    const { id: own } = await newSystem(one, admin.token);
    const limited = await one.tokenFor("admin", { systems: [own] });
    const within = await one.tokenFor("producer", { systems: [own] });
    const { key: near } = await make({}, within.token);
    await expectProblem(await get(key.id, limited.token), "key-not-found");
    expect((await list("", limited.token)).map(({ id }) => id)).toEqual([near.id]);
    expect((await revoke(near.id, limited.token)).status).toBe(200);
    await expectProblem(
      await post({ name: "x", scopes: ["read"], user_id: producer.id }, limited.token),
      "user-not-found",
    );
  });

  test("are listed by state, newest first, page by page", async () => {
    const owner = await one.tokenFor("producer");
    const made = [await make({}, owner.token), await make({}, owner.token), await make({}, owner.token)];
    await revoke(made[1]!.key.id, owner.token);
    const ids = async (query: string) => (await list(query, owner.token)).map(({ id }) => id);
    const [a, b, c] = made.map(({ key }) => key.id);
    expect(await ids("")).toEqual([c!, b!, a!]);
    expect(await ids("&state=active")).toEqual([c!, a!]);
    expect(await ids("&state=over")).toEqual([b!]);
    await expectProblem(await one.call(owner.token, "GET", `${PATH}?state=x`), "invalid-request");
    await expectProblem(await one.call(owner.token, "GET", `${PATH}?after=x`), "invalid-request");
  });
});

test("without limits of their own have those of their owner: nobody escapes a small limit by making a key", async () => {
  const owner = await one.tokenFor("producer", { requests_per_minute: 50, readings_per_minute: 2 });
  const { key, secret } = await make({}, owner.token);
  expect(key).toMatchObject({ requests_per_minute: null, readings_per_minute: null });
  const refused = await one.ingest(secret, JSON.stringify(batchOf(3, mine)));
  await expectProblem(refused, "rate-limited");
  expect(refused.headers.get("RateLimit-Limit")).toBe("2");
  const taken = await one.ingest(secret, JSON.stringify(batchOf(2, mine)));
  expect([taken.status, taken.headers.get("RateLimit-Limit")]).toEqual([202, "50"]);
  // Budgets stay apart: what the key has sent is not taken from its owner.
  expect((await one.ingest(owner.token, JSON.stringify(batchOf(2, mine)))).status).toBe(202);
  const generous = await make({ user_id: owner.id, readings_per_minute: 9 }, admin.token);
  expect((await one.ingest(generous.secret, JSON.stringify(batchOf(3, mine)))).status).toBe(202);
});

describe("a change", () => {
  test("of the name is the owner's, of limits the admin's; both count and are on record", async () => {
    const { key, secret } = await make();
    const patch = (body: object, token = producer.token) =>
      one.call(token, "PATCH", `${PATH}/${key.id}`, body);
    expect(await bodyOf<KeyView>(await patch({ name: "renamed" }))).toMatchObject({ name: "renamed" });
    await expectProblem(await patch({ readings_per_minute: null }), "forbidden");
    await expectProblem(await post({ name: "x", scopes: ["ingest"], readings_per_minute: 9 }), "forbidden");
    await bodyOf(await patch({ readings_per_minute: 2, note: "Too eager" }, admin.token));
    const three = JSON.stringify(batchOf(3, mine));
    await until("the limit counts", async () => (await two.ingest(secret, three)).status === 429);
    expect((await one.ingest(producer.token, three)).status).toBe(202);
    const [entry] = await record(key.id);
    expect(entry).toMatchObject({
      action: "key.change",
      before: { name: "renamed", readings_per_minute: null },
      after: { name: "renamed", readings_per_minute: 2 },
      note: "Too eager",
    });
    await revoke(key.id);
    await expectProblem(await patch({ name: "too late" }), "key-over");
  });

  test("of the secret leaves all else as it is; the old one ends at once, or after the overlap", async () => {
    const given: Partial<NewKeyBody> = { systems: [mine], scopes: ["ingest", "read"] };
    const first = await make({ ...given, expires_at: new Date(Date.now() + 86_400_000).toISOString() });
    const second = await bodyOf<Made>(await rotate(first.key.id, {}), 201);
    const same = ({ id: _, prefix: __, created_at: ___, ...rest }: KeyView) => rest;
    expect(same(second.key)).toEqual(same(first.key));
    await refusedEverywhere([one, two], first.secret);
    expect(await statusOf(two, second.secret)).toBe(200);
    await expectProblem(await rotate(first.key.id, {}), "key-over");
    const third = await bodyOf<Made>(await rotate(second.key.id, { overlap_s: 10 }), 201);
    for (const { secret } of [second, third]) expect(await statusOf(two, secret)).toBe(200);
    expect(same(third.key)).toEqual(same(first.key));
    await until("the overlap is over", async () => (await statusOf(two, second.secret)) === 401);
    expect(await statusOf(two, third.secret)).toBe(200);
    expect((await record(second.key.id)).map(({ action }) => action)).toEqual(["key.rotate", "key.create"]);
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
    await post({ name: "x", scopes: ["read"], ...change }),
    "invalid-request",
  );
  expect(errors?.[0]?.pointer).toStartWith(pointer);
});
