/** An ingest thread that throws, rejects, blocks, exits or is killed is replaced; its entries finish once. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { Supervisor } from "../../src/ingest/supervisor.ts";
import { systemClock } from "../../src/ops/clock.ts";
import { createLogger } from "../../src/ops/log.ts";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { copyInWait, type HeldKey, holdMiddle } from "../support/fault/held-key.ts";
import { postBatch } from "../support/fault/load.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const CLAIM_IDLE_MS = 1_000;
/** Long enough for a thread that gets the processor late: only one that blocks is silent for so long. */
const HEARTBEAT_TIMEOUT_MS = 6_000;
const seed = seedOf("threads");
let stack: Stack;
let supervisor: Supervisor | undefined;
let held: HeldKey | undefined;
let log: string[];

beforeEach(async () => {
  stack = await Stack.create();
  await stack.start("api");
  log = [];
}, TEST_MS);

afterEach(async () => {
  await held?.release();
  await supervisor?.stop(20_000);
  held = undefined;
  supervisor = undefined;
  await stack.close();
}, TEST_MS);

/** Threads in this process, with the entry of a test or the real one. */
function supervise(threads: number, entry?: string): Supervisor {
  const into = { write: (line: string) => log.push(line) > 0 } as unknown as NodeJS.WritableStream;
  const made = new Supervisor(
    {
      threads,
      heartbeat_timeout_ms: HEARTBEAT_TIMEOUT_MS,
      process_name: `test:${process.pid}:${Date.now().toString(36)}`,
      thread: {
        database_url: stack.urls.database,
        redis_url: stack.urls.redis,
        partitions: 1,
        job_ttl_s: 3600,
        claim_idle_ms: CLAIM_IDLE_MS,
        heartbeat_ms: HEARTBEAT_TIMEOUT_MS / 5,
        units: [],
        sensor_registration: "auto",
        log: { level: "error", format: "json" },
      },
      ...(entry ? { entry: new URL(`../support/fault/threads/${entry}.ts`, import.meta.url) } : {}),
    },
    systemClock,
    createLogger({ level: "info", format: "json" }, into),
    () => undefined,
  );
  made.start();
  supervisor = made;
  return made;
}

const restartsOf = (s: Supervisor) => s.summaries().map(({ restarts }) => restarts);

test.each([
  ["throws", /thrown on purpose/],
  ["rejects", /rejected on purpose/],
  ["blocks", /no sign of life for \d+ ms/],
  ["exits", /ended/],
] as const)(
  "a thread that %s between COMMIT and acknowledgement is replaced, and its entries finish once",
  async (entry, why) => {
    const threads = supervise(2, entry);
    const load = await stack.load(seed);
    await until(
      "both threads are replaced and run",
      () => threads.summaries().every(({ state, restarts }) => state === "running" && restarts === 1),
      60_000,
    );
    const replaced = load.accepted.size;
    await until("work goes on", () => load.accepted.size >= replaced + 30);
    await load.stop();
    await stack.settle(load);
    expect(restartsOf(threads)).toEqual([1, 1]);
    for (const { last_error } of threads.summaries()) expect(last_error).toMatch(why);
  },
  TEST_MS,
);

test(
  "threads that are killed again and again under load: nothing is lost or doubled",
  async () => {
    const threads = supervise(2);
    const load = await stack.load(seed);
    const random = randomFrom(seed);
    for (let kills = 0; kills < 6; kills += 1) {
      const goal = load.accepted.size + 5 + Math.floor(random() * 20);
      await until("some more batches", () => load.accepted.size >= goal);
      const victim = kills % 2;
      await until("the victim runs", () => threads.summaries()[victim]?.state === "running");
      threads.kill(victim);
    }
    await load.stop();
    await stack.settle(load);
    // The jobs may have ended without the thread that was killed last: it waits for its back-off.
    await until("every kill is answered", () => restartsOf(threads).reduce((sum, n) => sum + n, 0) >= 6);
    expect(restartsOf(threads)).toEqual([3, 3]);
  },
  TEST_MS,
);

test(
  "a thread killed in the middle of COPY leaves no session that holds its keys, and its successor finishes",
  async () => {
    const threads = supervise(1);
    const token = await stack.login();
    const batch = new BatchSource(randomFrom(seed), 10_000).next();
    held = await holdMiddle(stack.reckoning.sql, batch);
    const response = await postBatch(stack.url, token, batch);
    const { job_id } = (await response.json()) as { job_id: string };
    const copy = await copyInWait(stack.reckoning.sql);
    expect(copy.bytes).toBeGreaterThan(0);
    threads.kill(0);
    // The session waits for a lock and does not look at its socket: only its successor can end it.
    await until("the session has ended", async () => {
      const rows = await stack.reckoning.sql`SELECT FROM pg_stat_activity WHERE pid = ${copy.session}`;
      return rows.length === 0;
    });
    await held.release();
    await stack.settle({ accepted: new Map([[job_id, batch]]) });
    expect(restartsOf(threads)).toEqual([1]);
  },
  TEST_MS,
);
