/** The outbox has an end: what waits, what is logged, who sends, and how long a stop takes. */
import { describe, expect, test } from "bun:test";
import { type GAP_EVENT, MAX_LOGGED, MAX_PENDING } from "../../../src/contract/webhook-events.ts";
import { holding, silent, status } from "../../support/receiver.ts";
import { until } from "../../support/until.ts";
import { makeWebhook, note, webhookScene } from "../../support/webhooks.ts";

const scene = webhookScene();
const { receiver, dispatch, webhookOf } = scene;
/** Many rows at once, that ended or that wait. */
const fill = (webhook_id: string, count: number, ended_at: Date | null, next: Date) => scene.database.sql`
  INSERT INTO diagnostics_webhook_delivery (webhook_id, event, subject_id, snapshot, state, ended_at, next_attempt_at)
  SELECT ${webhook_id}, 'job.completed', 'x',
    json_build_object('created_by', (SELECT created_by FROM diagnostics_webhook WHERE id = ${webhook_id})), ${ended_at === null ? "pending" : "delivered"}, ${ended_at}, ${next}
  FROM generate_series(1, ${count})`;
const count = async (condition: string, webhook_id: string) => {
  const [row] = await scene.database.sql.unsafe<{ n: number }[]>(
    `SELECT count(*)::int AS n FROM diagnostics_webhook_delivery WHERE webhook_id = $1 AND ${condition}`,
    [webhook_id],
  );
  return row!.n;
};
const LATER = new Date(Date.now() + 3_600_000);
const HOUR_MS = 3_600_000;

describe("what waits", () => {
  test("has a bound: then nothing is noted until there is room, and the receiver is told of the gap", async () => {
    const there = await receiver();
    const { id } = await makeWebhook(scene.database, there.url);
    await fill(id, MAX_PENDING, null, LATER);
    const first = dispatch();
    await until("it is full", async () => (await webhookOf(id)).overflow_since !== null);
    await first.counts("hydraulic_webhook_overflows_total", 1);
    await first.counts("hydraulic_webhook_pending", MAX_PENDING);
    await first.counts("hydraulic_webhook_overflowing", 1);
    await first.says("too many deliveries wait");
    await first.stop();
    await scene.database.sql`
      UPDATE diagnostics_webhook_delivery SET state = 'delivered', ended_at = now()
      WHERE id IN (SELECT id FROM diagnostics_webhook_delivery LIMIT ${MAX_PENDING / 2 + 1})`;
    const before = Date.now();
    dispatch();
    await until("it is told", () => there.received.length === 1);
    expect((await webhookOf(id)).overflow_since).toBeNull();
    const { type, data } = JSON.parse(there.received[0]!.body) as {
      type: typeof GAP_EVENT;
      data: { webhook_id: string; reason: string; from: string; to: string };
    };
    expect({ type, id: data.webhook_id, reason: data.reason }).toEqual({
      type: "webhook.gap",
      id,
      reason: "overflow",
    });
    expect(Date.parse(data.from)).toBeLessThan(before - 59_000);
    expect(Date.parse(data.to)).toBeGreaterThan(before + 59_000);
  });

  test("is given up after four days, when it could not be tried", async () => {
    const { id } = await makeWebhook(scene.database, "http://127.0.0.1:1/", {
      disabled_at: new Date(),
      disabled_reason: "user",
    });
    await note(scene.database, id, 2, "job.failed", { due_since: new Date(Date.now() - 97 * HOUR_MS) });
    await note(scene.database, id, 3, "job.failed", { due_since: new Date(Date.now() - 95 * HOUR_MS) });
    dispatch();
    await until("two are given up", async () => (await count("state = 'failed'", id)) === 2);
    expect(await count("state = 'pending'", id)).toBe(3);
  });
});

describe("the log", () => {
  test("is shortened to a week and to a number, for each webhook, and never loses what waits", async () => {
    const many = await makeWebhook(scene.database, "http://127.0.0.1:1/");
    const few = await makeWebhook(scene.database, "http://127.0.0.1:1/");
    await fill(many.id, 10, null, LATER);
    await fill(many.id, MAX_LOGGED + 500, new Date(), LATER);
    await fill(few.id, 5, new Date(Date.now() - 8 * 24 * HOUR_MS), LATER);
    await fill(few.id, 7, new Date(Date.now() - 6 * 24 * HOUR_MS), LATER);
    await fill(crypto.randomUUID(), 20, null, LATER);
    dispatch();
    await until("it is short", async () => (await count("state <> 'pending'", many.id)) === MAX_LOGGED);
    await until("it is new", async () => (await count("true", few.id)) === 7);
    expect(await count("state = 'pending'", many.id)).toBe(10);
    await until("strays are gone", async () => {
      const [strays] = await scene.database.sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM diagnostics_webhook_delivery d
        WHERE NOT EXISTS (SELECT FROM diagnostics_webhook w WHERE w.id = d.webhook_id)`;
      return strays!.n === 0;
    });
  });

  test("forgets a secret that holds no more", async () => {
    const { id } = await makeWebhook(scene.database, "http://127.0.0.1:1/", {
      previous_secret: "whsec_x",
      previous_secret_until: new Date(Date.now() - 1_000),
    });
    dispatch();
    await until("it is gone", async () => {
      const [row] = await scene.database
        .sql`SELECT previous_secret FROM diagnostics_webhook WHERE id = ${id}`;
      return row!.previous_secret === null;
    });
  });
});

describe("of several dispatchers", () => {
  test("one sends, and the next goes on when it has gone", async () => {
    const there = await receiver();
    const { id } = await makeWebhook(scene.database, there.url);
    const first = dispatch();
    await first.counts("hydraulic_webhook_dispatching", 1);
    const second = dispatch();
    await note(scene.database, id, 20);
    await until("all have come", () => there.received.length === 20);
    expect(await second.metric('hydraulic_webhook_attempts_total{result="delivered"}')).toBeNaN();
    await first.stop();
    await note(scene.database, id, 5);
    await until("the rest has come", () => there.received.length === 25);
    const ids = new Set(there.received.map(({ headers }) => headers["webhook-id"]));
    expect(ids.size).toBe(25);
  });

  test("one whose connection is lost sends what it could not write down again, under the same id", async () => {
    let cut = async () => undefined as unknown;
    const there = await receiver((response, _, nth) => {
      if (nth === 1) void cut().then(() => response.writeHead(204).end());
      else response.writeHead(204).end();
    });
    cut = () => scene.database.sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'test:webhooks' AND datname = current_database()`;
    const { id } = await makeWebhook(scene.database, there.url);
    await note(scene.database, id);
    dispatch();
    await until("it is delivered", async () => (await count("state = 'delivered'", id)) === 1);
    expect(new Set(there.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });
});

describe("a stop", () => {
  test("waits for what is being sent, and takes nothing new", async () => {
    const { behaviour, held, release } = holding();
    const slow = await receiver(behaviour);
    const { id } = await makeWebhook(scene.database, slow.url);
    await note(scene.database, id, 10);
    const dispatcher = dispatch();
    await until("eight are being sent", () => held.length === 8);
    const stopping = dispatcher.stop();
    release();
    await stopping;
    expect(slow.received).toHaveLength(8);
    expect(await count("state = 'delivered'", id)).toBe(8);
    expect(await count("state = 'pending' AND attempts = 0", id)).toBe(2);
  });

  test("cuts off what takes too long; nothing is written down, and the next one sends it", async () => {
    const mute = await receiver(silent);
    const { id } = await makeWebhook(scene.database, mute.url);
    await note(scene.database, id);
    const dispatcher = dispatch();
    await until("it is being sent", () => mute.received.length === 1);
    await dispatcher.dispatcher.stop(500);
    expect(await count("state = 'pending' AND attempts = 0", id)).toBe(1);
    mute.behave(status(200));
    dispatch();
    await until("it is delivered", async () => (await count("state = 'delivered'", id)) === 1);
  });
});
