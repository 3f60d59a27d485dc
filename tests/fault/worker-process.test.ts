/** A worker process that dies or freezes in the middle of COPY: another one finishes its batches, once. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { copyInWait, type HeldKey, holdMiddle } from "../support/fault/held-key.ts";
import { postBatch } from "../support/fault/load.ts";
import type { Program } from "../support/fault/program.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const BIG = 10_000;
const seed = seedOf("worker-process");
let stack: Stack;
let held: HeldKey | undefined;

beforeEach(async () => {
  stack = await Stack.create();
}, TEST_MS);

afterEach(async () => {
  await held?.release();
  held = undefined;
  await stack.close();
}, TEST_MS);

/** Brings one of the workers into the middle of COPY of a large batch. */
async function workerInCopy(workers: readonly Program[]) {
  const token = await stack.login();
  const batch = new BatchSource(randomFrom(seed), BIG).next();
  held = await holdMiddle(stack.reckoning.sql, batch);
  const response = await postBatch(stack.url, token, batch);
  expect(response.status).toBe(202);
  const { job_id } = (await response.json()) as { job_id: string };
  const copy = await copyInWait(stack.reckoning.sql);
  const victim = workers.find(({ pid }) => copy.worker.includes(`:${pid}:`))!;
  return { token, batch, job_id, copy, victim };
}

test(
  "kill -9 in the middle of COPY: another worker process finishes, nothing is lost or doubled",
  async () => {
    await stack.start("api");
    const workers = await Promise.all([stack.start("worker"), stack.start("worker")]);
    const { token, batch, job_id, copy, victim } = await workerInCopy(workers);
    expect(copy.bytes).toBeGreaterThan(0);
    await victim.kill();
    await held?.release();
    const load = await stack.load(seed, { token });
    load.accepted.set(job_id, batch);
    await until("the other worker works", () => load.accepted.size > 60);
    await load.stop();
    await stack.settle(load);
    expect(workers.filter(({ alive }) => alive)).toHaveLength(1);
  },
  TEST_MS,
);

test(
  "a worker process that freezes in the middle of COPY holds up nobody, and does no harm when it wakes",
  async () => {
    await stack.start("api");
    const workers = await Promise.all([stack.start("worker"), stack.start("worker")]);
    const { batch, job_id, victim } = await workerInCopy(workers);
    victim.signal("SIGSTOP");
    await held?.release();
    const accepted = new Map([[job_id, batch]]);
    await stack.settle({ accepted });
    victim.signal("SIGCONT");
    await until("the frozen worker is at work again", async () => {
      const seen = await stack.reckoning.redis.xinfo("CONSUMERS", "ingest:{0}", "ingest");
      return (seen as unknown[][]).some(
        (row) => String(row[1]).includes(`:${victim.pid}:`) && Number(row[5]) < 600,
      );
    });
    await stack.reckoning.expectExactly(accepted);
    expect(victim.alive).toBe(true);
  },
  TEST_MS,
);
