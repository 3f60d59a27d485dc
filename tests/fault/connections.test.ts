/** The network breaks and falls silent under load: the effect of each batch stays exactly one. */
import { afterEach, expect, test } from "bun:test";
import { randomFrom, seedOf } from "../support/fault/batches.ts";
import type { TcpProxy } from "../support/proxy.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const seed = seedOf("connections");
let stack: Stack | undefined;

afterEach(async () => {
  await stack?.close();
  stack = undefined;
}, TEST_MS);

/** Calls `harm` again and again, at random distances, until the returned function is called. */
function again(random: () => number, mean_ms: number, harm: () => void): () => number {
  let times = 0;
  let timer: ReturnType<typeof setTimeout>;
  const next = () => {
    timer = setTimeout(
      () => {
        harm();
        times += 1;
        next();
      },
      mean_ms * (0.5 + random()),
    );
  };
  next();
  return () => {
    clearTimeout(timer);
    return times;
  };
}

test(
  "connections to Redis and PostgreSQL are cut again and again under load: exactly once holds",
  async () => {
    const proxied = await Stack.createProxied();
    stack = proxied.stack;
    await stack.start("api");
    await Promise.all([stack.start("worker", { WORKER_THREADS: "2" }), stack.start("worker")]);
    const random = randomFrom(seed);
    const load = await stack.load(seed);
    const heal = [
      again(random, 150, () => proxied.redis.cut()),
      again(random, 100, () => proxied.postgres.cut()),
    ];
    await until("the load went through the cuts", () => load.accepted.size >= 400, 120_000);
    const cuts = heal.map((end) => end());
    await load.stop();
    // Not long after the last cut: nothing waits for a connection that is gone, and no thread had to be replaced.
    await stack.settle(load, 25_000);
    expect(stack.programs.filter((program) => program.logged("ingest thread died"))).toEqual([]);
    expect(Math.min(...cuts)).toBeGreaterThan(10);
    expect(load.slowest_ms).toBeLessThan(20_000);
  },
  TEST_MS,
);

test.each([
  ["Redis", (p: { redis: TcpProxy }) => p.redis],
  ["PostgreSQL", (p: { postgres: TcpProxy }) => p.postgres],
] as const)(
  "the network to %s falls silent for some seconds: requests are answered in time, all finish",
  async (name, pick) => {
    const proxied = await Stack.createProxied();
    stack = proxied.stack;
    const proxy = pick(proxied);
    await stack.start("all");
    const load = await stack.load(seed);
    await until("the load runs", () => load.accepted.size >= 60);
    proxy.pause();
    const silent_ms = performance.now();
    const enough = () =>
      name === "Redis" ? load.count(503, silent_ms) >= 6 : load.count(202, silent_ms) >= 150;
    await until("the silence is felt", enough, 60_000);
    proxy.resume();
    const resumed_ms = performance.now();
    await until("batches are accepted again", () => load.count(202, resumed_ms) >= 60, 60_000);
    await load.stop();
    await stack.settle(load);
    expect(load.slowest_ms).toBeLessThan(25_000);
  },
  TEST_MS,
);
