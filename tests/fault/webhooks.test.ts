/** A worker that dies in the middle of a delivery has lost nothing: the next one sends it, under the same id. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import postgres from "postgres";
import { Webhook } from "standardwebhooks";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { postBatch } from "../support/fault/load.ts";
import { type Receiver, silent, startReceiver, status } from "../support/receiver.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const seed = seedOf("webhooks");
let stack: Stack;
let receiver: Receiver;
let sql: postgres.Sql;

beforeEach(async () => {
  stack = await Stack.create({ WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8" });
  receiver = await startReceiver();
  sql = postgres(stack.urls.database, { max: 1, onnotice: () => undefined });
}, TEST_MS);
afterEach(async () => {
  await sql.end();
  await stack.close();
  await receiver.close();
}, TEST_MS);

/** A webhook of the user who sends; its secret. */
async function makeWebhook(token: string): Promise<string> {
  const response = await fetch(`${stack.url}/api/v1/webhooks`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ url: receiver.url, events: ["job.completed", "job.failed"] }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { secret: string }).secret;
}
async function send(token: string, source: BatchSource): Promise<string> {
  const response = await postBatch(stack.url, token, source.next());
  return ((await response.json()) as { job_id: string }).job_id;
}
const jobOf = (body: string) => (JSON.parse(body) as { data: { job_id: string } }).data.job_id;

test(
  "kill -9 while messages are on their way: each arrives, each id stands for one job, every signature holds",
  async () => {
    await stack.start("api");
    const worker = await stack.start("worker");
    const token = await stack.login();
    const secret = await makeWebhook(token);
    const source = new BatchSource(randomFrom(seed), 10);
    receiver.behave(silent);
    const jobs = await Promise.all(Array.from({ length: 8 }, () => send(token, source)));
    await until("some are on their way", () => receiver.received.length >= 4, 60_000);
    await worker.kill();
    receiver.behave(status(200));
    const cut = new Set(receiver.received.map(({ headers }) => headers["webhook-id"]));
    await stack.start("worker");
    const delivered = async () => {
      const [row] = await sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM diagnostics_webhook_delivery WHERE state = 'delivered'`;
      return row!.n === jobs.length;
    };
    await until(`all are delivered\n${stack.tail()}`, delivered, 60_000);
    const idOf = new Map<string, string>();
    for (const { headers, body } of receiver.received) {
      new Webhook(secret).verify(body, { ...headers });
      const known = idOf.get(headers["webhook-id"]!);
      expect(known ?? jobOf(body)).toBe(jobOf(body));
      idOf.set(headers["webhook-id"]!, jobOf(body));
    }
    expect([...idOf.values()].sort()).toEqual(jobs.toSorted());
    for (const id of cut) {
      expect(receiver.received.filter(({ headers }) => headers["webhook-id"] === id).length).toBeGreaterThan(
        1,
      );
    }
  },
  TEST_MS,
);

test(
  "kill -9 between the end of a job and its delivery: the job's end and its message are there together",
  async () => {
    await stack.start("api");
    const token = await stack.login();
    await makeWebhook(token);
    const source = new BatchSource(randomFrom(seed), 10);
    const jobs: string[] = [];
    for (let life = 0; life < 4; life += 1) {
      const worker = await stack.start("worker");
      for (let i = 0; i < 15; i += 1) jobs.push(await send(token, source));
      await until("some have ended", () => receiver.received.length >= life * 10 + 2, 60_000);
      await worker.kill();
      const [torn] = await sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM diagnostics_ingestion_job j WHERE status IN ('completed', 'failed')
          AND NOT EXISTS (SELECT FROM diagnostics_webhook_delivery d WHERE d.subject_id = j.id::text)`;
      expect(torn!.n).toBe(0);
    }
    await stack.start("worker");
    const told = () => new Set(receiver.received.map(({ body }) => jobOf(body)));
    await until(`all are told\n${stack.tail()}`, () => told().size === jobs.length, 60_000);
    expect([...told()].sort()).toEqual(jobs.toSorted());
  },
  TEST_MS,
);
