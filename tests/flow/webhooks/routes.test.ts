/** Webhooks over HTTP: made, seen, changed and tested by those who may, and refused by name when they lead astray. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type {
  DeliveryDetail,
  DeliveryView,
  WebhookMade,
  WebhookView,
} from "../../../src/contract/webhook.ts";
import { loggedIn } from "../../support/access.ts";
import { ApiBench, type TestApi, type TestUser } from "../../support/api.ts";
import { auditOf } from "../../support/audit.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";
import { note, SNAPSHOT } from "../../support/webhooks.ts";

const PATH = "/api/v1/webhooks";
const GOOD = { url: "https://hook.example/a?token=t0ps3cret", events: ["job.completed"] };
let bench: ApiBench;
let api: TestApi;
let producer: TestUser;
let admin: TestUser;
beforeAll(async () => {
  bench = await ApiBench.create();
  const names: Record<string, string[]> = {
    "hook.example": ["93.184.216.34"],
    "inner.example": ["10.0.0.5"],
  };
  api = await bench.start({ resolve: async (name) => names[name] ?? [] });
  [producer, admin] = [await api.tokenFor("producer"), await api.tokenFor("admin")];
});
afterEach(async () => {
  bench.postgresProxy.resume();
  await bench.database.sql`TRUNCATE diagnostics_webhook, diagnostics_webhook_delivery`;
});
afterAll(() => bench.close());

const call = (user: TestUser, method: string, path = "", body?: unknown) =>
  api.call(user.token, method, `${PATH}${path}`, body);
const make = async (user = producer, more: object = {}): Promise<WebhookMade> =>
  bodyOf(await call(user, "POST", "", { ...GOOD, ...more }), 201);
const get = async (id: string, user = producer) => bodyOf<WebhookView>(await call(user, "GET", `/${id}`));
const list = async (user: TestUser, query = "") =>
  bodyOf<{ items: WebhookView[]; next: string | null }>(await call(user, "GET", query));
const recorded = (subject_id: string) => auditOf(api, admin.token, "webhook", subject_id);

describe("a webhook", () => {
  test("is made with a secret that is shown once, and on record without what its address hides", async () => {
    const response = await call(producer, "POST", "", { ...GOOD, description: "Line 3" });
    const { secret, ...made } = await bodyOf<WebhookMade>(response, 201);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(response.headers.get("Location")).toBe(`${PATH}/${made.id}`);
    expect(made).toMatchObject({
      ...GOOD,
      description: "Line 3",
      scope: "own",
      enabled: true,
      created_by: producer.id,
      created_by_name: producer.username,
      pending: 0,
    });
    for (const path of [`/${made.id}`, ""]) {
      const answer = await call(producer, "GET", path);
      expect(answer.headers.get("Cache-Control")).toBe("no-store");
      expect(await answer.text()).not.toContain("whsec_");
    }
    expect(await get(made.id)).toEqual(made);
    const [entry] = await recorded(made.id);
    expect(entry).toMatchObject({ actor: producer.id, action: "webhook.create" });
    expect(JSON.stringify(entry)).not.toMatch(/t0ps3cret|whsec_/);
    expect(entry!.after).toMatchObject({ origin: "https://hook.example" });
  });

  test("is changed as far as the body says, and what waits is tried when its reason to fail may be gone", async () => {
    const { id } = await make();
    await note(bench.database, id, 1, "job.failed", { next_attempt_at: new Date(Date.now() + 3_600_000) });
    await bench.database
      .sql`UPDATE diagnostics_webhook SET failing_since = now(), paused_until = now() + interval '1 h'`;
    const due = async () => {
      const [row] = await bench.database.sql<{ due: boolean }[]>`
        SELECT next_attempt_at <= now() AS due FROM diagnostics_webhook_delivery WHERE webhook_id = ${id}`;
      return row!.due;
    };
    const described = await bodyOf<WebhookView>(
      await call(producer, "PATCH", `/${id}`, { description: "x" }),
    );
    expect(described).toMatchObject({ ...GOOD, description: "x", pending: 1 });
    expect(described.failing_since).not.toBeNull();
    expect(await due()).toBe(false);
    const url = "https://hook.example/b";
    const moved = await bodyOf<WebhookView>(await call(producer, "PATCH", `/${id}`, { url }));
    expect(moved).toMatchObject({ url, description: "x", failing_since: null, paused_until: null });
    expect(await due()).toBe(true);
    expect((await recorded(id)).map(({ action }) => action)).toEqual([
      "webhook.change",
      "webhook.change",
      "webhook.create",
    ]);
  });

  test("is told nothing while it is disabled, and of the gap afterwards", async () => {
    const { id } = await make();
    const off = await bodyOf<WebhookView>(await call(producer, "PATCH", `/${id}`, { enabled: false }));
    expect(off).toMatchObject({ enabled: false, disabled_reason: "user" });
    const again = await bodyOf<WebhookView>(await call(producer, "PATCH", `/${id}`, { enabled: false }));
    expect(again.disabled_at).toBe(off.disabled_at);
    const on = await bodyOf<WebhookView>(await call(producer, "PATCH", `/${id}`, { enabled: true }));
    expect(on).toMatchObject({ enabled: true, disabled_at: null, disabled_reason: null, pending: 1 });
    await call(producer, "PATCH", `/${id}`, { enabled: true });
    const page = await bodyOf<{ items: DeliveryView[] }>(await call(producer, "GET", `/${id}/deliveries`));
    expect(page.items.map(({ event }) => event)).toEqual(["webhook.gap"]);
    const detail = await bodyOf<DeliveryDetail>(
      await call(producer, "GET", `/${id}/deliveries/${page.items[0]!.id}`),
    );
    expect(detail.payload).toMatchObject({
      type: "webhook.gap",
      data: { webhook_id: id, reason: "disabled" },
    });
  });

  test("gets a new secret, while the old one holds as long as is asked for", async () => {
    const { id, secret } = await make();
    const rotate = async (body: object) =>
      bodyOf<{ secret: string; previous_secret_until: string | null }>(
        await call(producer, "POST", `/${id}/secret`, body),
      );
    const first = await rotate({});
    expect(first.secret).not.toBe(secret);
    expect(Date.parse(first.previous_secret_until!) - Date.now()).toBeWithin(86_300_000, 86_500_000);
    const kept = await bench.database
      .sql`SELECT secret, previous_secret FROM diagnostics_webhook WHERE id = ${id}`;
    expect(kept[0]).toEqual({ secret: first.secret, previous_secret: secret });
    const second = await rotate({ overlap_hours: 0 });
    expect(second.previous_secret_until).toBeNull();
    expect((await get(id)).previous_secret_until).toBeNull();
    expect((await recorded(id))[0]).toMatchObject({ action: "webhook.rotate" });
    await expectProblem(
      await call(producer, "POST", `/${id}/secret`, { overlap_hours: 169 }),
      "invalid-request",
    );
  });

  test("goes with its deliveries", async () => {
    const { id } = await make();
    await note(bench.database, id, 3);
    expect((await call(producer, "DELETE", `/${id}`)).status).toBe(204);
    await expectProblem(await call(producer, "GET", `/${id}`), "webhook-not-found");
    await expectProblem(await call(producer, "DELETE", `/${id}`), "webhook-not-found");
    const [left] = await bench.database.sql`SELECT count(*)::int AS n FROM diagnostics_webhook_delivery`;
    expect(left!.n).toBe(0);
    expect((await recorded(id))[0]).toMatchObject({ action: "webhook.delete", actor: producer.id });
  });

  test("is one of ten at most, for each user", async () => {
    for (let i = 0; i < 10; i += 1) await make();
    await expectProblem(await call(producer, "POST", "", GOOD), "too-many-webhooks");
    await make(admin);
    const seen: string[] = [];
    let query: string | null = "?limit=4";
    while (query !== null) {
      const page: { items: WebhookView[]; next: string | null } = await list(producer, query);
      seen.push(...page.items.map(({ id }) => id));
      query = page.next?.slice(PATH.length) ?? null;
    }
    expect(seen).toHaveLength(10);
    expect(seen).toEqual(seen.toSorted().reverse());
  });

  test("is one of ten at most, also when many are made at once", async () => {
    const maker = await api.tokenFor("producer");
    const answers = await Promise.all(Array.from({ length: 40 }, () => call(maker, "POST", "", GOOD)));
    const codes = Object.groupBy(answers, ({ status }) => status);
    expect([codes[201]?.length, codes[409]?.length]).toEqual([10, 30]);
    expect((await list(maker)).items).toHaveLength(10);
  });
});

describe("who may", () => {
  test("producers see their own, admins all, and nobody else's exist", async () => {
    const mine = await make();
    const theirs = await make(await api.tokenFor("engineer"));
    expect((await list(producer)).items.map(({ id }) => id)).toEqual([mine.id]);
    expect((await list(admin)).items.map(({ id }) => id)).toEqual([theirs.id, mine.id]);
    const limited = await api.tokenFor("admin", { systems: [crypto.randomUUID()] });
    expect((await list(limited)).items).toEqual([]);
    await note(bench.database, theirs.id);
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PATCH", "", { enabled: false }],
      ["DELETE", "", undefined],
      ["POST", "/secret", {}],
      ["POST", "/test", undefined],
      ["GET", "/deliveries", undefined],
      ["GET", "/deliveries/1", undefined],
      ["POST", "/deliveries/1/redeliver", undefined],
    ] as const) {
      for (const user of [producer, limited]) {
        await expectProblem(await call(user, method, `/${theirs.id}${path}`, body), "webhook-not-found");
      }
    }
    const changed = await call(admin, "PATCH", `/${mine.id}`, { enabled: false });
    expect(await bodyOf<WebhookView>(changed)).toMatchObject({ created_by: producer.id, enabled: false });
    expect((await recorded(mine.id))[0]).toMatchObject({ actor: admin.id });
    await expectProblem(await call(await api.tokenFor("reviewer"), "GET", ""), "forbidden");
    await expectProblem(await api.fetch(PATH), "authentication-required");
  });

  test("only webhooks of admins are told of everybody's batches and of alerts", async () => {
    const all = await call(producer, "POST", "", { ...GOOD, scope: "all" });
    expect((await expectProblem(all, "forbidden")).errors?.[0]?.pointer).toBe("/scope");
    const alerts = { ...GOOD, events: ["alert.raised"] };
    for (const user of [producer, admin]) {
      const { errors } = await expectProblem(await call(user, "POST", "", alerts), "invalid-request");
      expect(errors?.[0]?.pointer).toBe("/events");
    }
    const made = await make(admin, { ...alerts, scope: "all" });
    await expectProblem(await call(admin, "PATCH", `/${made.id}`, { scope: "own" }), "invalid-request");
    const { id } = await make();
    // Not even an admin makes a producer's webhook tell what the producer may not know.
    await expectProblem(await call(admin, "PATCH", `/${id}`, { scope: "all" }), "forbidden");
  });
});

describe("an address is refused", () => {
  test.each([
    ["http://hook.example/", "http is taken only"],
    ["https://127.0.0.1/", "a loopback address"],
    ["https://[::ffff:10.0.0.1]/", "a private network"],
    ["https://169.254.169.254/latest/meta-data", "a link-local address"],
    ["https://inner.example/", "inner.example leads to 10.0.0.5, a private network"],
    ["https://unknown.example/", "unknown.example has no address"],
    ["https://user:pass@hook.example/", "user name or a password"],
    ["javascript:alert(1)", "begins with javascript:"],
    ["hook", "no absolute URL"],
  ])("%s: %s", async (url, words) => {
    const made = await call(producer, "POST", "", { ...GOOD, url });
    const { detail, errors } = await expectProblem(made, "invalid-request");
    expect(errors?.[0]?.pointer).toBe("/url");
    expect(detail).toContain(words);
    const { id } = await make();
    const changed = await expectProblem(await call(producer, "PATCH", `/${id}`, { url }), "invalid-request");
    expect(changed.errors?.[0]?.pointer).toBe("/url");
    expect((await get(id)).url).toBe(GOOD.url);
  });

  test("unless the operator has named its network", async () => {
    const open = await bench.start({ config: { WEBHOOK_ALLOWED_NETWORKS: ["127.0.0.0/8"] } });
    const body = { ...GOOD, url: "http://127.0.0.1:9/hook" };
    await bodyOf(await open.call(producer.token, "POST", PATH, body), 201);
  });
});

describe("a body is refused", () => {
  test.each([
    ["nothing", {}, "/url"],
    ["no event", { ...GOOD, events: [] }, "/events"],
    ["an unknown event", { ...GOOD, events: ["job.queued"] }, "/events/0"],
    ["an event twice", { ...GOOD, events: ["job.failed", "job.failed"] }, "/events"],
    ["an unknown scope", { ...GOOD, scope: "mine" }, "/scope"],
    ["a secret", { ...GOOD, secret: "whsec_AAAA" }, "/secret"],
    ["a long address", { ...GOOD, url: `https://hook.example/${"a".repeat(2_000)}` }, "/url"],
    ["an address with a NUL", { ...GOOD, url: "https://hook.example/\u0000" }, "/url"],
    ["an address of two lines", { ...GOOD, url: "https://hook.example/\r\nX: y" }, "/url"],
    ["a description with a NUL", { ...GOOD, description: "a\u0000b" }, "/description"],
    ["a long description", { ...GOOD, description: "a".repeat(501) }, "/description"],
  ])("%s", async (_, body, pointer) => {
    const { errors } = await expectProblem(await call(producer, "POST", "", body), "invalid-request");
    expect(errors?.map((error) => error.pointer)).toContain(pointer);
  });

  test("and so are a patch that changes nothing, wrong ids, and unknown parameters", async () => {
    const { id } = await make();
    await expectProblem(await call(producer, "PATCH", `/${id}`, {}), "invalid-request");
    await expectProblem(await call(producer, "GET", "/nothing"), "invalid-request");
    await expectProblem(await call(producer, "GET", `/${crypto.randomUUID()}`), "webhook-not-found");
    await expectProblem(await call(producer, "GET", `/${id}/deliveries/0`), "invalid-request");
    await expectProblem(await call(producer, "GET", `/${id}/deliveries/99`), "webhook-delivery-not-found");
    await expectProblem(await call(producer, "GET", `/${id}/deliveries?state=lost`), "invalid-request");
    await expectProblem(await call(producer, "GET", "?owner=x"), "invalid-request");
    await expectProblem(await call(producer, "GET", "?after=x"), "invalid-request");
  });
});

describe("the log", () => {
  test("is listed page by page with filters, shows what was sent, and sends again", async () => {
    const { id } = await make();
    await note(bench.database, id, 3);
    await note(bench.database, id, 2, "job.failed", { state: "failed", ended_at: new Date(), attempts: 10 });
    const page = async (query: string) =>
      bodyOf<{ items: DeliveryView[]; next: string | null }>(
        await call(producer, "GET", `/${id}/deliveries${query}`),
      );
    const first = await page("?limit=2");
    const rest = await page(`?limit=3&after=${new URL(first.next!, "http://x").searchParams.get("after")}`);
    expect(rest.next).toBeNull();
    const ids = [...first.items, ...rest.items].map((item) => item.id);
    expect(ids).toEqual(ids.toSorted((a, b) => b - a));
    expect((await page("?state=failed")).items).toHaveLength(2);
    expect((await page("?event=job.completed&state=pending")).items).toHaveLength(3);
    const failed = first.items[0]!;
    expect(failed).toMatchObject({
      state: "failed",
      attempts: 10,
      next_attempt_at: null,
      last_attempt: null,
    });
    const again = await call(producer, "POST", `/${id}/deliveries/${failed.id}/redeliver`);
    expect(await bodyOf<DeliveryView>(again, 202)).toMatchObject({
      id: failed.id,
      message_id: failed.message_id,
      state: "pending",
      attempts: 0,
      ended_at: null,
    });
    const detail = await bodyOf<DeliveryDetail>(
      await call(producer, "GET", `/${id}/deliveries/${failed.id}`),
    );
    expect(detail).toMatchObject({
      payload: { type: "job.failed", timestamp: failed.created_at },
      history: [],
    });
  });

  test("does not show what is about a system that its user reaches no more", async () => {
    const limited = await api.tokenFor("producer", { systems: [crypto.randomUUID()] });
    const { id } = await make(limited);
    const [delivery] = await note(bench.database, id);
    const { items } = await bodyOf<{ items: unknown[] }>(await call(limited, "GET", `/${id}/deliveries`));
    expect(items).toEqual([]);
    for (const [method, path] of [
      ["GET", ""],
      ["POST", "/redeliver"],
    ] as const) {
      const answer = await call(limited, method, `/${id}/deliveries/${delivery}${path}`);
      await expectProblem(answer, "webhook-delivery-not-found");
    }
  });

  test("does not show what was noted for an admin to one who is none any more", async () => {
    const user = await api.createUser("admin");
    const logIn = async () => ({ ...user, token: await loggedIn(api, user.username, user.password) });
    const { id } = await make(await logIn(), { scope: "all" });
    const [foreign] = await note(bench.database, id, 1, "job.completed", { snapshot: SNAPSHOT });
    const [own] = await note(bench.database, id);
    await bodyOf(await api.call(admin.token, "PATCH", `/api/v1/users/${user.id}`, { role: "producer" }));
    const demoted = await logIn();
    const look = async (who: TestUser) =>
      (await bodyOf<{ items: DeliveryView[] }>(await call(who, "GET", `/${id}/deliveries`))).items.map(
        (item) => String(item.id),
      );
    expect(await look(demoted)).toEqual([own!]);
    expect(await look(admin)).toEqual([own!, foreign!]);
    await expectProblem(await call(demoted, "PATCH", `/${id}`, { enabled: true }), "forbidden");
    for (const [method, path] of [
      ["GET", ""],
      ["POST", "/redeliver"],
    ] as const) {
      const answer = await call(demoted, method, `/${id}/deliveries/${foreign}${path}`);
      await expectProblem(answer, "webhook-delivery-not-found");
    }
  });

  test("takes one test at a time, to be followed at its address", async () => {
    const { id } = await make();
    const response = await call(producer, "POST", `/${id}/test`);
    const delivery = await bodyOf<DeliveryView>(response, 202);
    expect(delivery).toMatchObject({ event: "webhook.test", subject_id: id, state: "pending" });
    const followed = await api.call(producer.token, "GET", response.headers.get("Location")!);
    const { payload } = await bodyOf<DeliveryDetail>(followed);
    expect(payload).toMatchObject({
      type: "webhook.test",
      data: { webhook_id: id, sent_by: producer.username },
    });
    const second = await bodyOf<DeliveryView>(await call(producer, "POST", `/${id}/test`), 202);
    expect(second.id).toBe(delivery.id);
  });
});

test("without Postgres every route says so", async () => {
  const { id } = await make();
  bench.postgresProxy.refuse();
  await expectProblem(await call(producer, "GET", ""), "service-unavailable");
  await expectProblem(await call(producer, "POST", "", GOOD), "service-unavailable");
  await expectProblem(await call(producer, "POST", `/${id}/test`), "service-unavailable");
});
