/** What is in the outbox reaches its receiver: signed, at least once, tried again, bounded, and never somewhere else. */
import { describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import type { Attempt } from "../../../src/contract/webhook.ts";
import type { DeliveryState } from "../../../src/contract/webhook-events.ts";
import { DeliveryLog } from "../../../src/store/webhooks/deliveries.ts";
import { WebhookStore } from "../../../src/store/webhooks/webhooks.ts";
import { holding, ok, status } from "../../support/receiver.ts";
import { until } from "../../support/until.ts";
import { makeUser, makeWebhook, note, SNAPSHOT, webhookScene } from "../../support/webhooks.ts";

const scene = webhookScene();
const { receiver, dispatch, webhookOf } = scene;
interface Row {
  state: DeliveryState;
  attempts: number;
  history: Attempt[];
  message_id: string;
  next_in_s: number;
}
async function rowOf(id: string): Promise<Row> {
  const [row] = await scene.database.sql<Row[]>`
    SELECT state, attempts, history, message_id, extract(epoch FROM next_attempt_at - now())::float8 AS next_in_s
    FROM diagnostics_webhook_delivery WHERE id = ${id}`;
  return row!;
}
const ended = (id: string) =>
  until(`the end of delivery ${id}`, async () => {
    const row = await rowOf(id);
    return row.state !== "pending" && row;
  });

/** Waits until a message to somebody else has come: what was due before it would have come too. */
async function somethingElse(): Promise<void> {
  const { id } = await makeWebhook(scene.database, (await receiver()).url);
  const [fence] = await note(scene.database, id);
  await ended(fence!);
}

describe("a delivery", () => {
  test("arrives as Standard Webhooks say, and is written down", async () => {
    const there = await receiver();
    const { id, secret } = await makeWebhook(scene.database, `${there.url}/hooks?x=1`);
    const [delivery] = await note(scene.database, id);
    const running = dispatch();
    const row = await ended(delivery!);
    expect(row).toMatchObject({ state: "delivered", attempts: 1 });
    expect(row.history).toMatchObject([{ status: 204, error: null, response: null }]);
    const [message] = there.received;
    expect(message!.path).toBe("/hooks?x=1");
    expect(message!.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "hydraulic-ingest/test",
      host: `127.0.0.1:${there.port}`,
      "webhook-id": `msg_${row.message_id.replaceAll("-", "")}`,
    });
    const body = new Webhook(secret).verify(message!.body, { ...message!.headers }) as { data: object };
    expect(body).toMatchObject({ type: "job.completed", data: { status: "completed", success_rate: 100 } });
    const all = { reach: null, user_id: null };
    const detail = await new DeliveryLog(scene.database).get(id, Number(delivery), all);
    expect(JSON.stringify(detail!.payload)).toBe(message!.body);
    expect(await webhookOf(id)).toMatchObject({ pending: 0, failing_since: null, enabled: true });
    expect((await webhookOf(id)).last_success_at).not.toBeNull();
    await running.counts('hydraulic_webhook_attempts_total{result="delivered"}', 1);
  });

  test("that fails n times is tried again with the same id and body, and a new signature", async () => {
    const there = await receiver((response, request, nth) =>
      (nth < 4 ? status(500) : ok)(response, request, nth),
    );
    const { id, secret } = await makeWebhook(scene.database, there.url);
    const [delivery] = await note(scene.database, id);
    // A fifth less is still more than the second that the signature is about.
    const running = dispatch({ retry_delays_ms: [1_300, 20, 20] });
    const row = await ended(delivery!);
    expect(row).toMatchObject({ state: "delivered", attempts: 4 });
    expect(row.history.map((made) => made.status)).toEqual([500, 500, 500, 204]);
    expect(row.history[0]!.error).toBe("it answered 500");
    expect(new Set(there.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(there.received.map(({ body }) => body)).size).toBe(1);
    expect(new Set(there.received.map(({ headers }) => headers["webhook-signature"])).size).toBeGreaterThan(
      1,
    );
    for (const { body, headers } of there.received) new Webhook(secret).verify(body, { ...headers });
    await running.counts('hydraulic_webhook_attempts_total{result="retried"}', 3);
  });

  test("is given up after the last attempt, and kept with what was answered", async () => {
    const there = await receiver(status(422, {}, "no such line"));
    const { id } = await makeWebhook(scene.database, there.url);
    const [delivery] = await note(scene.database, id);
    const running = dispatch({ retry_delays_ms: [10] });
    const row = await ended(delivery!);
    expect(row).toMatchObject({ state: "failed", attempts: 2 });
    expect(row.history[1]).toMatchObject({ status: 422, error: "it answered 422", response: "no such line" });
    await running.says("a webhook was given up");
    expect((await webhookOf(id)).failing_since).not.toBeNull();
  });

  test("goes out once more when it is asked for, under the same id", async () => {
    const there = await receiver();
    const { id } = await makeWebhook(scene.database, there.url);
    const [delivery] = await note(scene.database, id);
    dispatch();
    await ended(delivery!);
    await new DeliveryLog(scene.database).redeliver(id, Number(delivery));
    await until("the second", () => there.received.length === 2);
    const [first, second] = there.received.map(({ headers }) => headers["webhook-id"]);
    expect(second).toBe(first!);
    expect(await ended(delivery!)).toMatchObject({ state: "delivered", attempts: 1 });
    expect((await rowOf(delivery!)).history).toHaveLength(2);
  });

  test("that was asked for once more while it was being sent is sent again", async () => {
    const { behaviour, release } = holding();
    const there = await receiver(behaviour);
    const { id } = await makeWebhook(scene.database, there.url);
    const [delivery] = await note(scene.database, id);
    dispatch();
    await until("the first", () => there.received.length === 1);
    await new DeliveryLog(scene.database).redeliver(id, Number(delivery));
    there.behave(ok);
    release();
    await until("the second", () => there.received.length === 2);
    await ended(delivery!);
    expect((await rowOf(delivery!)).history).toHaveLength(2);
  });

  test("is signed with both secrets while a rotated one still holds, and with the new one alone after that", async () => {
    const there = await receiver();
    const made = await makeWebhook(scene.database, there.url);
    const next = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    await new WebhookStore(scene.database).rotate({ id: made.owner, name: "x" }, made.id, next, 24);
    await note(scene.database, made.id);
    dispatch();
    await until("the first", () => there.received.length === 1);
    for (const secret of [made.secret, next]) {
      new Webhook(secret).verify(there.received[0]!.body, { ...there.received[0]!.headers });
    }
    await scene.database.sql`UPDATE diagnostics_webhook SET previous_secret_until = now() - interval '1 s'`;
    await note(scene.database, made.id);
    await until("the second", () => there.received.length === 2);
    const { body, headers } = there.received[1]!;
    new Webhook(next).verify(body, { ...headers });
    expect(() => new Webhook(made.secret).verify(body, { ...headers })).toThrow();
  });
});

describe("a receiver", () => {
  test("that hangs keeps nobody else waiting, and is asked for one message at a time once it fails", async () => {
    const { behaviour, held, release } = holding();
    const [hanging, good] = [await receiver(behaviour), await receiver()];
    const bad = await makeWebhook(scene.database, hanging.url);
    const fine = await makeWebhook(scene.database, good.url);
    await note(scene.database, bad.id, 50);
    const deliveries = await note(scene.database, fine.id, 50);
    dispatch();
    for (const id of deliveries) expect((await ended(id)).attempts).toBe(1);
    expect(good.received).toHaveLength(50);
    await until("as many as may be", () => held.length === 8);
    release(500);
    await until("it fails", async () => (await webhookOf(bad.id)).failing_since !== null);
    for (let i = 0; i < 4; i += 1) {
      await until("another attempt", () => held.length > 0);
      await somethingElse();
      expect(held).toHaveLength(1);
      release(500);
    }
    hanging.behave(ok);
    release();
  });

  test("gets at most eight messages at once", async () => {
    const { behaviour, held, release } = holding();
    const busy = await receiver(behaviour);
    const { id } = await makeWebhook(scene.database, busy.url);
    await note(scene.database, id, 60);
    dispatch();
    let most = 0;
    await until("all", async () => {
      most = Math.max(most, held.length);
      if (held.length === Math.min(8, 60 - (busy.received.length - held.length))) release();
      return (await webhookOf(id)).pending === 0;
    });
    expect(most).toBe(8);
    // While nobody dies, each comes once.
    expect(busy.received).toHaveLength(60);
  });

  test("that redirects is not followed: the other place hears nothing", async () => {
    const inner = await receiver();
    const outer = await receiver(status(307, { Location: `${inner.url}/` }));
    const { id } = await makeWebhook(scene.database, outer.url);
    const [delivery] = await note(scene.database, id);
    dispatch({ retry_delays_ms: [] });
    expect((await ended(delivery!)).history[0]!.error).toBe("it answered 307; redirects are not followed");
    expect(inner.connections()).toBe(0);
  });

  test("that says 410 is told nothing more, on record", async () => {
    const gone = await receiver(status(410));
    const { id } = await makeWebhook(scene.database, gone.url);
    const [delivery] = await note(scene.database, id);
    const running = dispatch();
    expect(await ended(delivery!)).toMatchObject({ state: "failed", attempts: 1 });
    expect(await webhookOf(id)).toMatchObject({ enabled: false, disabled_reason: "gone" });
    await running.counts('hydraulic_webhook_disabled_total{reason="gone"}', 1);
    await running.says("a webhook was disabled");
    const [entry] = await scene.database
      .sql`SELECT actor, action, after FROM diagnostics_audit WHERE subject_id = ${id}`;
    expect(entry).toEqual({ actor: null, action: "webhook.disable", after: { reason: "gone" } });
    await note(scene.database, id);
    await somethingElse();
    expect(gone.received).toHaveLength(1);
  });

  test("that asks for a pause gets it, for all its messages", async () => {
    const busy = await receiver(status(429, { "Retry-After": "30" }));
    const { id } = await makeWebhook(scene.database, busy.url);
    const [first] = await note(scene.database, id);
    dispatch();
    await until("the first attempt", async () => (await rowOf(first!)).attempts === 1);
    expect((await rowOf(first!)).next_in_s).toBeWithin(20, 31);
    expect((await webhookOf(id)).paused_until).not.toBeNull();
    await note(scene.database, id);
    await somethingElse();
    expect(busy.received).toHaveLength(1);
    await scene.database.sql`UPDATE diagnostics_webhook SET paused_until = now()`;
    busy.behave(ok);
    await until("the second", () => busy.received.length === 2);
    await until("no pause", async () => (await webhookOf(id)).paused_until === null);
  });

  test("that fails for five days is disabled, but not one that was not tried for long in between", async () => {
    const bad = await receiver(status(500));
    const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    const lasting = await makeWebhook(scene.database, bad.url, {
      failing_since: ago(121),
      last_failure_at: ago(20),
    });
    const paused = await makeWebhook(scene.database, bad.url, {
      failing_since: ago(121),
      last_failure_at: ago(40),
    });
    const recent = await makeWebhook(scene.database, bad.url, {
      failing_since: ago(119),
      last_failure_at: ago(20),
    });
    await note(scene.database, paused.id);
    const running = dispatch({ retry_delays_ms: [] });
    await until("one is disabled", async () => !(await webhookOf(lasting.id)).enabled);
    expect(await webhookOf(lasting.id)).toMatchObject({ disabled_reason: "failing" });
    expect((await webhookOf(recent.id)).enabled).toBe(true);
    await until("the other was tried", () => bad.received.length === 1);
    await until("failing began anew", async () => {
      const { enabled, failing_since } = await webhookOf(paused.id);
      return enabled && Date.now() - Date.parse(failing_since!) < 60_000;
    });
    await running.counts('hydraulic_webhook_disabled_total{reason="failing"}', 1);
  });
});

describe("an address", () => {
  const rebinding = (...answers: string[][]) => {
    let asked = 0;
    return async () => answers[Math.min(asked++, answers.length - 1)]!;
  };

  test("that leads to a private network is refused at the moment of sending", async () => {
    const inner = await receiver();
    const { id } = await makeWebhook(scene.database, `http://127.0.0.1:${inner.port}/`);
    const named = await makeWebhook(scene.database, `https://hook.example:${inner.port}/`);
    const deliveries = [...(await note(scene.database, id)), ...(await note(scene.database, named.id))];
    dispatch({ allowed: [], retry_delays_ms: [], resolve: async () => ["10.0.0.1"] });
    const errors: (string | null | undefined)[] = [];
    for (const delivery of deliveries) errors.push((await ended(delivery)).history[0]?.error);
    expect(errors).toEqual([
      "the address is refused: 127.0.0.1, a loopback address",
      "the address is refused: hook.example leads to 10.0.0.1, a private network",
    ]);
    expect(inner.connections()).toBe(0);
  });

  test("whose name means something else after the check is still the one that was checked", async () => {
    const checked = await receiver();
    const asked: string[] = [];
    const { id } = await makeWebhook(scene.database, `http://hook.example:${checked.port}/`);
    const [delivery] = await note(scene.database, id);
    dispatch({
      resolve: async (name) => {
        asked.push(name);
        return asked.length === 1 ? ["127.0.0.1"] : ["127.0.0.9"];
      },
    });
    expect(await ended(delivery!)).toMatchObject({ state: "delivered" });
    expect(asked).toEqual(["hook.example"]);
    expect(checked.received[0]!.headers.host).toBe(`hook.example:${checked.port}`);
  });

  test("whose name turns to a private network between two attempts is refused from then on", async () => {
    const there = await receiver(status(500));
    const { id } = await makeWebhook(scene.database, `http://hook.example:${there.port}/`);
    const [delivery] = await note(scene.database, id);
    dispatch({ resolve: rebinding(["127.0.0.1"], ["169.254.169.254"]) });
    const row = await ended(delivery!);
    expect(row.history[0]!.status).toBe(500);
    for (const made of row.history.slice(1)) {
      expect(made.error).toBe(
        "the address is refused: hook.example leads to 169.254.169.254, a link-local address",
      );
    }
    expect(there.received).toHaveLength(1);
  });
});

describe("whoever may not know of it", () => {
  test("is told nothing: a user who is inactive, who is no admin any more, or whose systems are others now", async () => {
    const there = await receiver();
    const { sql } = scene.database;
    const inactive = await makeWebhook(scene.database, there.url);
    await sql`UPDATE diagnostics_user SET active = false WHERE id = ${inactive.owner}`;
    const demoted = await makeWebhook(scene.database, there.url, {
      owner: await makeUser(scene.database, "producer"),
      scope: "all",
    });
    const moved = await makeWebhook(scene.database, there.url, {
      owner: await makeUser(scene.database, "producer", [crypto.randomUUID()]),
    });
    const waiting = [];
    for (const { id } of [inactive, demoted, moved]) waiting.push(...(await note(scene.database, id)));
    const good = await makeWebhook(scene.database, there.url);
    const [delivery] = await note(scene.database, good.id);
    dispatch();
    await ended(delivery!);
    await until("two are disabled", async () => {
      const reasons = await Promise.all(
        [inactive, demoted].map(async ({ id }) => (await webhookOf(id)).disabled_reason),
      );
      return reasons.every((reason) => reason === "owner");
    });
    expect(await ended(waiting[2]!)).toMatchObject({ state: "failed", attempts: 0 });
    expect((await webhookOf(moved.id)).enabled).toBe(true);
    expect(there.received).toHaveLength(1);
  });
});

test("what was noted for an admin is not told to one who is none any more, whatever became of the webhook", async () => {
  const there = await receiver();
  const owner = await makeUser(scene.database, "engineer");
  const { id } = await makeWebhook(scene.database, there.url, { owner, scope: "own" });
  const ofOthers = await note(scene.database, id, 1, "job.completed", { snapshot: SNAPSHOT });
  const [alert] = await note(scene.database, id, 1, "alert.raised", {
    snapshot: { system_id: SNAPSHOT.system_id },
  });
  const [own] = await note(scene.database, id);
  dispatch();
  expect(await ended(own!)).toMatchObject({ state: "delivered" });
  for (const delivery of [...ofOthers, alert!]) {
    expect(await ended(delivery)).toMatchObject({ state: "failed", attempts: 0 });
  }
  expect(there.received).toHaveLength(1);
});

describe("a test", () => {
  test("is sent once, also to a disabled webhook, and says nothing about whether it works", async () => {
    const there = await receiver(status(500));
    const { id, owner } = await makeWebhook(scene.database, there.url, {
      disabled_at: new Date(),
      disabled_reason: "user",
    });
    const log = new DeliveryLog(scene.database);
    const first = await log.test(id, { id: owner, name: "somebody" });
    expect((await log.test(id, { id: owner, name: "else" })).id).toBe(first.id);
    await note(scene.database, id);
    dispatch();
    expect(await ended(String(first.id))).toMatchObject({ state: "failed", attempts: 1 });
    expect(JSON.parse(there.received[0]!.body)).toMatchObject({
      type: "webhook.test",
      data: { webhook_id: id, sent_by: "somebody" },
    });
    expect(await webhookOf(id)).toMatchObject({ failing_since: null, last_failure_at: null, pending: 1 });
    await log.test(id, { id: owner, name: "else" });
    await until("the second", () => there.received.length === 2);
  });
});
