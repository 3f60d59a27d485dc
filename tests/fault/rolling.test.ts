/** Every process is replaced under load, one after another, and no client has an error. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { choosePort } from "../../src/services/free-port.ts";
import { Balancer } from "../support/fault/balancer.ts";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { login } from "../support/fault/load.ts";
import type { Program } from "../support/fault/program.ts";
import { Visitors } from "../support/fault/visitors.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const GRACE_MS = 20_000;
/** Much more than the balancer needs to hear of it, which may get the processor late. */
const DELAY_MS = 3_000;
const LATE_MS = 400;
/** Nobody may have to wait for this: what a worker that stops has left goes to the others at once. */
const CLAIM_IDLE_MS = 60_000;
/** A kept connection may end in the moment in which it is used again, once for each API that stops. */
const LOST_AT_MOST = 4;
const seed = seedOf("rolling");
let stack: Stack;
let balancer: Balancer;

beforeEach(async () => {
  stack = await Stack.create({
    SHUTDOWN_GRACE_MS: String(GRACE_MS),
    SHUTDOWN_DELAY_MS: String(DELAY_MS),
    CLAIM_IDLE_MS: String(CLAIM_IDLE_MS),
    BODY_TIMEOUT_MS: "30000",
  });
  balancer = await Balancer.start(LATE_MS);
}, TEST_MS);
afterEach(async () => {
  await balancer.close();
  await stack.close();
}, TEST_MS);

async function startApi(): Promise<Program> {
  const api = await stack.start("api", { PORT: String(await choosePort(undefined, [])) });
  await balancer.add(api.url);
  return api;
}

async function stopOne(program: Program): Promise<void> {
  program.signal("SIGTERM");
  const end = await program.end(DELAY_MS + GRACE_MS + 15_000);
  expect({ ...end, tail: end.code === 0 ? "" : program.tail() }).toEqual({ code: 0, signal: null, tail: "" });
}

/** As a rollout with maxSurge 1 and maxUnavailable 0 does it: the new one first, `rounds` times each. */
async function roll(start: () => Promise<Program>, first: Program[], rounds: number): Promise<void> {
  const running = [...first];
  for (let i = 0; i < rounds * first.length; i += 1) {
    running.push(await start());
    const old = running.shift()!;
    await stopOne(old);
    balancer.remove(old.url);
  }
}

test(
  "two APIs and two workers are replaced twice under load: no request fails, each batch is stored once and soon",
  async () => {
    const apis = [await startApi(), await startApi()];
    const startWorker = () => stack.start("worker", { WORKER_THREADS: "1" });
    const workers = [await startWorker(), await startWorker()];
    const url = () => balancer.url;
    const load = await stack.load(seed, { url, rate: 80 });
    const source = new BatchSource(randomFrom(seed + 1), 100);
    const [token, admin] = [await stack.login(), await login(url(), "admin")];
    const visitors = new Visitors({ url, token, admin, next: () => source.next() });
    await until("the load runs", () => load.accepted.size >= 60 && visitors.accepted.size >= 10);
    await Promise.all([roll(startApi, apis, 2), roll(startWorker, workers, 2)]);
    await until("the load goes on", () => load.accepted.size >= 300);
    await visitors.stop();
    await load.stop();

    // An answer to everything; the balancer was told in time, so that hardly a connection had to be made anew.
    const { reset = 0, refused = 0, ...answers } = visitors.counts();
    console.info("rolling: answers", answers, { reset, refused });
    expect(Object.keys(answers).filter((status) => !/^2..$/.test(status))).toEqual([]);
    expect(load.count(202)).toBe(load.accepted.size);
    expect(load.answers.length - load.accepted.size + reset + refused).toBeLessThanOrEqual(LOST_AT_MOST);
    expect(balancer.refused).toBe(0);

    const accepted = new Map([...load.accepted, ...visitors.accepted]);
    await stack.settle({ accepted });
    const [slowest] = await stack.reckoning.sql<{ ms: number }[]>`
      SELECT max(extract(epoch FROM completed_at - created_at) * 1000)::float8 AS ms FROM diagnostics_ingestion_job`;
    expect(slowest!.ms).toBeLessThan(CLAIM_IDLE_MS / 2);
  },
  TEST_MS,
);
