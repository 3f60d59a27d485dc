/** The scripts that change jobs tell it to whoever listens, and work as well where telling is not allowed. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { ready, subscriberClient, workClient } from "../../../src/stream/connection.ts";
import { StreamConsumer } from "../../../src/stream/consumer.ts";
import { openReader } from "../../../src/stream/dedicated.ts";
import { JobSignals } from "../../../src/stream/job-signals.ts";
import { JobBoard } from "../../../src/stream/jobs.ts";
import { JOB_CHANNEL } from "../../../src/stream/keys.ts";
import { Producer } from "../../../src/stream/producer.ts";
import type { ScriptedRedis } from "../../../src/stream/scripts.ts";
import { createProxy, type TcpProxy } from "../../support/proxy.ts";
import { someOffer } from "../../support/stream-redis.ts";
import { createTestRedis, type TestService } from "../../support/test-services.ts";
import { until } from "../../support/until.ts";

const BOUNDS = { partitions: 1, max_entries: 10, max_bytes: 1e6, idempotency_ttl_s: 60 };
/** A user of Redis who may do everything but publish, as ACLs have it by default. */
const RESTRICTED = { name: `hushed-${crypto.randomUUID()}`, password: crypto.randomUUID() };

let service: TestService;
let proxy: TcpProxy;
let redis: ScriptedRedis;
const open: { close(): void }[] = [];
beforeAll(async () => {
  service = await createTestRedis();
  proxy = await createProxy(service.url);
  redis = workClient(service.url);
  await ready(redis, 30_000);
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  proxy.resume();
  await redis.flushdb();
});
afterAll(async () => {
  redis.disconnect();
  await proxy.close();
  await service.drop();
});

async function listening() {
  const heard: string[] = [];
  const doubts: number[] = [];
  const signals = new JobSignals(subscriberClient(proxy.through(service.url)));
  signals.listen({ onChange: (ids) => heard.push(...ids), onDoubt: () => doubts.push(1) });
  open.push(signals);
  await until("the first subscription", () => doubts.length === 1);
  return { heard, doubts };
}

/** Three jobs, of which one begins, one ends, one is buried and the first ends too: the stream is empty again. */
async function threeJobs(client: ScriptedRedis): Promise<string[]> {
  const producer = new Producer(client, BOUNDS);
  const ids: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const outcome = await producer.offer(someOffer());
    if (outcome.kind !== "accepted") throw new Error(outcome.kind);
    ids.push(outcome.job_id);
  }
  const reader = openReader(service.url, client);
  open.push(reader);
  const consumer = new StreamConsumer(reader, client, "c", 1, 60);
  await consumer.ensureGroups();
  const entries = await consumer.read(10, 10);
  const board = new JobBoard(client);
  const [first, second, third] = await board.many(ids);
  await consumer.begin([first!.job_id], 5);
  await consumer.begin([first!.job_id], 6);
  await consumer.settle([{ entry: entries[1]!, job: { ...second!, status: "completed" } }]);
  await consumer.bury(entries[2]!, "why", 9, { ...third!, status: "failed", error_message: "why" });
  expect((await board.many(ids)).map((job) => job.status)).toEqual(["processing", "completed", "failed"]);
  await consumer.settle([{ entry: entries[0]!, job: { ...first!, status: "completed" } }]);
  return ids;
}

test("each change of a job is told once, by its id", async () => {
  const { heard } = await listening();
  const ids = await threeJobs(redis);
  await until("all are told", () => heard.length >= 4);
  expect(heard).toEqual([...ids, ids[0]!]);
});

test("a new connection listens again, and says that something may have been missed", async () => {
  const { heard, doubts } = await listening();
  proxy.cut();
  await until("the second subscription", () => doubts.length === 2);
  const ids = await threeJobs(redis);
  await until("all are told", () => ids.every((id) => heard.includes(id)));
});

test("jobs begin and end also for a user of Redis who may not publish", async () => {
  const { name, password } = RESTRICTED;
  await redis.acl("SETUSER", name, "on", `>${password}`, "~*", "+@all", "resetchannels");
  const url = new URL(service.url);
  url.username = name;
  url.password = password;
  const hushed = workClient(url.href);
  try {
    const refused = await hushed.publish(JOB_CHANNEL, "x").catch((error: Error) => error.message);
    expect(refused).toStartWith("NOPERM");
    await threeJobs(hushed);
  } finally {
    hushed.disconnect();
    await redis.acl("DELUSER", name);
  }
});

test("of a cluster's nodes one is listened to, and when it is lost another one", async () => {
  const { port, password } = new URL(service.url);
  const [first, second] = [await createProxy(service.url), await createProxy(service.url)];
  const places = [first, second].map((one) => new URL(one.through(service.url)).host);
  const signals = new JobSignals(
    subscriberClient(`redis-cluster://:${password}@${places.join(",")},127.0.0.1:${port}`),
  );
  const [heard, doubts]: [string[], number[]] = [[], []];
  signals.listen({ onChange: (ids) => heard.push(...ids), onDoubt: () => doubts.push(1) });
  await until("the first subscription", () => doubts.length === 1);
  // Two of three are gone for good; whichever it listened to, what is left is found.
  await first.close();
  await second.close();
  await until("all are told", async () => {
    const ids = await threeJobs(redis);
    return ids.every((id) => heard.includes(id));
  });
  signals.close();
});
