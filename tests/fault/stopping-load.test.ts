/** A stop while everything is in use, while the program starts, and with work that cannot be finished in time. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { choosePort } from "../../src/services/free-port.ts";
import { ADVISORY_LOCKS } from "../../src/store/advisory-locks.ts";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { copyInWait, type HeldKey, holdMiddle } from "../support/fault/held-key.ts";
import { login, postBatch } from "../support/fault/load.ts";
import { startService } from "../support/fault/program.ts";
import { Visitors } from "../support/fault/visitors.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const GRACE_MS = 5_000;
/** Starting, stopping and noticing on a busy machine; what is stuck would hold up a stop for much longer. */
const SLACK_MS = 15_000;
/** For a stop that has all it needs: it ends long before this, or it waits for something. */
const PATIENT_MS = 30_000;
/** Nobody may have to wait for this. */
const CLAIM_IDLE_MS = 60_000;
const RESET_AT_MOST = 3;
const seed = seedOf("stopping-load");
let stack: Stack;
let receiver: Receiver;
let held: HeldKey | undefined;

beforeEach(async () => {
  receiver = await startReceiver();
  stack = await Stack.create({
    SHUTDOWN_GRACE_MS: String(GRACE_MS),
    CLAIM_IDLE_MS: String(CLAIM_IDLE_MS),
    BODY_TIMEOUT_MS: "30000",
    WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8",
  });
}, TEST_MS);
afterEach(async () => {
  await held?.release();
  held = undefined;
  await stack.close();
  await receiver.close();
}, TEST_MS);

async function makeWebhook(token: string): Promise<void> {
  const response = await fetch(`${stack.url}/api/v1/webhooks`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ url: receiver.url, events: ["job.completed", "job.failed"] }),
  });
  expect(response.status).toBe(201);
}

test(
  "SIGTERM with everything in use: each request in work is answered, and each job is told after the next start",
  async () => {
    const settings = {
      PORT: String(await choosePort(undefined, [])),
      WORKER_THREADS: "2",
      SHUTDOWN_GRACE_MS: String(PATIENT_MS),
    };
    const program = await stack.start("all", settings);
    const [token, admin] = [await stack.login(), await login(stack.url, "admin")];
    await makeWebhook(token);
    const load = await stack.load(seed, { token, rate: 120 });
    const source = new BatchSource(randomFrom(seed + 1), 100);
    const visitors = new Visitors({ url: () => program.url, token, admin, next: () => source.next() });
    await until("everybody is there", () => load.accepted.size >= 80 && visitors.outcomes.size >= 7);
    await until("uploads have been seen", () => visitors.counts("upload")[202] !== undefined);
    const begin_ms = performance.now();
    program.signal("SIGTERM");
    expect(await program.end(PATIENT_MS + SLACK_MS)).toEqual({ code: 0, signal: null });
    expect(performance.now() - begin_ms).toBeLessThan(PATIENT_MS);
    expect(await stack.reckoning.pending()).toBe(0);
    await stack.start("all", settings);
    await until("the load goes on", () => load.accepted.size >= 200);
    await visitors.stop();
    await load.stop();

    const counts = visitors.counts();
    console.info("stopping-load: answers", counts);
    expect(Object.keys(counts).filter((outcome) => !/^(2..|refused|reset)$/.test(outcome))).toEqual([]);
    expect(counts.refused).toBeGreaterThan(0);
    // Nothing in work is reset; a kept connection may end in the moment in which it is used again.
    expect(counts.reset ?? 0).toBeLessThanOrEqual(RESET_AT_MOST);
    const accepted = new Map([...load.accepted, ...visitors.accepted]);
    await stack.settle({ accepted });
    const waiting = async () => {
      const [row] = await stack.reckoning.sql<{ told: number; open: number }[]>`
        SELECT count(DISTINCT subject_id) FILTER (WHERE state = 'delivered')::int AS told,
          (SELECT count(*)::int FROM diagnostics_review_task WHERE state IN ('queued', 'running')) AS open
        FROM diagnostics_webhook_delivery`;
      return row!.told === accepted.size && row!.open === 0;
    };
    await until(`each job is told, and each review done\n${stack.tail()}`, waiting, 60_000);
  },
  TEST_MS,
);

test(
  "a worker that cannot finish in time hands over what it has: another one takes it at once",
  async () => {
    await stack.start("api");
    const worker = await stack.start("worker", { SHUTDOWN_GRACE_MS: "2000" });
    const token = await stack.login();
    const batch = new BatchSource(randomFrom(seed), 1_000).next();
    held = await holdMiddle(stack.reckoning.sql, batch);
    const response = await postBatch(stack.url, token, batch);
    const { job_id } = (await response.json()) as { job_id: string };
    await copyInWait(stack.reckoning.sql);
    await stack.start("worker");
    worker.signal("SIGTERM");
    expect((await worker.end(2_000 + SLACK_MS)).code).toBe(0);
    expect(worker.logged("entries handed over to other workers")).toBe(true);
    await held.release();
    await stack.settle({ accepted: new Map([[job_id, batch]]) }, CLAIM_IDLE_MS / 2);
    const names = (await stack.reckoning.redis.xinfo("CONSUMERS", "ingest:{0}", "ingest")) as unknown[][];
    expect(names).toHaveLength(2);
  },
  TEST_MS,
);

test.each(["all", "worker"] as const)(
  "SIGTERM while `start %s` waits for another program's migration: it ends at once, and well",
  async (role) => {
    const migrating = await stack.reckoning.sql.reserve();
    await migrating`SELECT pg_advisory_lock(${ADVISORY_LOCKS.migration})`;
    const program = await startService(role, stack.environment({ LOG_LEVEL: "debug" }));
    stack.programs.push(program);
    await until("it waits", async () => {
      const [row] = await stack.reckoning.sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'`;
      return row!.n === 1;
    });
    program.signal("SIGTERM");
    expect(await program.end(GRACE_MS + SLACK_MS)).toEqual({ code: 0, signal: null });
    expect(program.logged("ready")).toBe(false);
    await migrating`SELECT pg_advisory_unlock(${ADVISORY_LOCKS.migration})`;
    migrating.release();
  },
  TEST_MS,
);

test(
  "SIGTERM while a start waits for a Redis that is silent, and while Redis and PostgreSQL refuse: it ends well",
  async () => {
    const proxied = await Stack.createProxied({ SHUTDOWN_GRACE_MS: String(GRACE_MS) });
    try {
      proxied.redis.pause();
      const starting = await startService("all", proxied.stack.environment({ LOG_LEVEL: "debug" }));
      proxied.stack.programs.push(starting);
      await until("it is at Redis", () => proxied.redis.connections() > 0, 60_000);
      starting.signal("SIGTERM");
      expect(await starting.end(GRACE_MS + SLACK_MS)).toEqual({ code: 0, signal: null });
      proxied.redis.resume();

      const program = await proxied.stack.start("all");
      const load = await proxied.stack.load(seed);
      await until("the load runs", () => load.accepted.size >= 30);
      proxied.redis.refuse();
      proxied.postgres.refuse();
      await until("refusals", () => load.count(503) > 0);
      const begin_ms = performance.now();
      program.signal("SIGTERM");
      expect(await program.end(GRACE_MS + SLACK_MS)).toEqual({ code: 0, signal: null });
      expect(performance.now() - begin_ms).toBeLessThan(GRACE_MS + SLACK_MS);
      proxied.redis.resume();
      proxied.postgres.resume();
      await proxied.stack.start("all", { CLAIM_IDLE_MS: "1000" });
      await load.stop();
      await proxied.stack.settle(load);
    } finally {
      await proxied.stack.close();
    }
  },
  TEST_MS,
);
