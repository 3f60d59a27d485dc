/** The ordered stop under load, and the stop that cannot wait. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { copyInWait, type HeldKey, holdMiddle } from "../support/fault/held-key.ts";
import { postBatch } from "../support/fault/load.ts";
import type { Program } from "../support/fault/program.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const GRACE_MS = 4_000;
/** Starting, stopping and noticing on a busy machine; what is stuck would hold up a stop for much longer. */
const SLACK_MS = 15_000;
/** For a stop that has all it needs: it ends long before this, or it waits for something. */
const PATIENT_MS = 30_000;
const seed = seedOf("stopping");
let stack: Stack;
let held: HeldKey | undefined;
let upload: Socket | undefined;

beforeEach(async () => {
  stack = await Stack.create({ SHUTDOWN_GRACE_MS: String(GRACE_MS), LOG_LEVEL: "debug" });
}, TEST_MS);
afterEach(async () => {
  upload?.destroy();
  await held?.release();
  held = undefined;
  upload = undefined;
  await stack.close();
}, TEST_MS);

/** Messages of the stop in the order of the log. */
const stopsOf = (program: Program) =>
  program.lines.flatMap((line) => /"msg":"([^"]+) stopped"/.exec(line)?.[1] ?? []);

test(
  "SIGTERM under load: stops in the order of the flow, exit code 0, and nothing is lost",
  async () => {
    const program = await stack.start("all", {
      WORKER_THREADS: "2",
      SHUTDOWN_GRACE_MS: String(PATIENT_MS),
    });
    const load = await stack.load(seed);
    await until("the load runs", () => load.accepted.size >= 60);
    const begin_ms = performance.now();
    program.signal("SIGTERM");
    expect(await program.end(PATIENT_MS + SLACK_MS)).toEqual({ code: 0, signal: null });
    expect(performance.now() - begin_ms).toBeLessThan(PATIENT_MS);
    expect(stopsOf(program)).toEqual([
      "HTTP server",
      "recent batches",
      "overview's history",
      "look for partitions",
      "names of systems",
      "outside identities",
      "last use of keys",
      "register of users",
      "review desk",
      "query pool",
      "API's Redis client",
      "ingest threads",
      "heartbeat",
      "webhooks",
      "reviews",
      "maintenance",
      "look after the append-only file",
      "search for lost jobs",
      "job mirror",
      "look for partitions",
      "worker's Redis client",
      "database pool",
      "services",
    ]);
    expect(await stack.reckoning.pending()).toBe(0);
    await stack.start("all", { WORKER_THREADS: "2" });
    await until("the load goes on", () => load.accepted.size >= 120);
    await load.stop();
    await stack.settle(load);
  },
  TEST_MS,
);

/** A worker that cannot finish, and a request whose body never ends. */
async function somethingStuck(program: Program) {
  const token = await stack.login();
  const batch = new BatchSource(randomFrom(seed), 1_000).next();
  held = await holdMiddle(stack.reckoning.sql, batch);
  const response = await postBatch(program.url, token, batch);
  const { job_id } = (await response.json()) as { job_id: string };
  await copyInWait(stack.reckoning.sql);
  const url = new URL(program.url);
  const socket = connect(Number(url.port), url.hostname);
  socket.on("error", () => undefined); // it is cut off at the end, which is the point
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  socket.write(
    `POST /api/v1/data/ingest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n` +
      "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
  );
  upload = socket;
  return new Map([[job_id, batch]]);
}

test(
  "a stop never takes longer than its grace period, whatever is stuck; the jobs left finish after the next start",
  async () => {
    const program = await stack.start("all", { BODY_TIMEOUT_MS: "60000" });
    const accepted = await somethingStuck(program);
    const begin_ms = performance.now();
    program.signal("SIGTERM");
    expect((await program.end(GRACE_MS + SLACK_MS)).code).toBe(0);
    expect(performance.now() - begin_ms).toBeLessThan(GRACE_MS + SLACK_MS);
    expect(await stack.reckoning.streamLength()).toBe(1);
    await held?.release();
    await stack.start("worker");
    await stack.settle({ accepted });
  },
  TEST_MS,
);

test(
  "a second SIGINT ends the program at once, and the next start recovers",
  async () => {
    const program = await stack.start("all", { BODY_TIMEOUT_MS: "60000", SHUTDOWN_GRACE_MS: "30000" });
    const accepted = await somethingStuck(program);
    program.signal("SIGINT");
    await until("the stop has begun", () => program.logged("stopping"));
    // A terminal and npm may each deliver one Ctrl-C: the same within 1.5 s is the same wish, so it is repeated.
    await until("the program has ended", () => {
      if (program.alive) program.signal("SIGINT");
      return !program.alive;
    });
    expect((await program.end(30_000)).code).toBe(130);
    await held?.release();
    await stack.start("worker");
    await stack.settle({ accepted });
  },
  TEST_MS,
);

test(
  "SIGTERM while Redis and PostgreSQL are silent: the stop keeps to its grace period",
  async () => {
    const proxied = await Stack.createProxied({ SHUTDOWN_GRACE_MS: String(GRACE_MS) });
    try {
      const program = await proxied.stack.start("all");
      const load = await proxied.stack.load(seed);
      await until("the load runs", () => load.accepted.size >= 30);
      proxied.redis.pause();
      proxied.postgres.pause();
      const begin_ms = performance.now();
      program.signal("SIGTERM");
      expect(await program.end(GRACE_MS + SLACK_MS)).toEqual({ code: 0, signal: null });
      expect(performance.now() - begin_ms).toBeLessThan(GRACE_MS + SLACK_MS);
      proxied.redis.resume();
      proxied.postgres.resume();
      await proxied.stack.start("all");
      await load.stop();
      await proxied.stack.settle(load);
    } finally {
      await proxied.stack.close();
    }
  },
  TEST_MS,
);
