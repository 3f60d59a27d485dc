/** PostgreSQL or Redis goes away and comes back, or the whole program dies: nothing accepted is lost or doubled. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { type Batch, BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import type { Load } from "../support/fault/load.ts";
import { PrivateServices } from "../support/fault/private-services.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
/** So long PostgreSQL is stopped. */
const OUTAGE_MS = 10_000;
const seed = seedOf("services");
let services: PrivateServices;
let stack: Stack | undefined;

beforeAll(async () => {
  services = await PrivateServices.start();
}, 180_000);

afterEach(async () => {
  await stack?.close();
  stack = undefined;
}, TEST_MS);

afterAll(async () => {
  await services.close();
}, TEST_MS);

const someAccepted = (load: Load, more: number) => {
  const before = load.accepted.size;
  return until(`${more} more batches are accepted`, () => load.accepted.size >= before + more, 60_000);
};

test(
  "PostgreSQL crashes and stays away for 10 s under load: batches are accepted all the time, no job fails, all finish",
  async () => {
    stack = new Stack(await services.fresh());
    await stack.start("all", { WORKER_THREADS: "2" });
    const load = await stack.load(seed);
    await someAccepted(load, 60);
    await services.crashPostgres();
    const down_ms = performance.now();
    await until("the outage is over", () => performance.now() - down_ms > OUTAGE_MS, OUTAGE_MS + 1_000);
    const during = load.count(202, down_ms);
    await services.restart();
    await someAccepted(load, 60);
    await load.stop();
    await stack.settle(load);
    expect(during).toBeGreaterThan(50);
    expect(load.answers.filter(({ status }) => status !== 202)).toEqual([]);
    // None has waited for the end of the outage.
    expect(load.slowest_ms).toBeLessThan(8_000);
  },
  TEST_MS,
);

test.each([
  ["is stopped", () => services.stopRedis()],
  ["is killed", () => services.killRedis()],
] as const)(
  "Redis %s and started again under load: every accepted job finishes, requests in between get 503",
  async (_, stop) => {
    stack = new Stack(await services.fresh());
    await stack.start("all");
    const load = await stack.load(seed);
    await someAccepted(load, 60);
    await stop();
    const down_ms = performance.now();
    await until("requests are refused", () => load.count(503, down_ms) >= 10);
    await services.restart();
    await someAccepted(load, 120);
    await load.stop();
    await stack.settle(load);
    const refused = load.answers.filter(({ status }) => status !== 202 && status !== 409);
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    for (const { retry_after, content_type } of refused) {
      expect(Number(retry_after)).toBeGreaterThanOrEqual(1);
      expect(content_type).toContain("application/problem+json");
    }
    expect(load.slowest_ms).toBeLessThan(20_000);
  },
  TEST_MS,
);

test(
  "kill -9 of the whole program under load, three times: the next start finishes everything, once",
  async () => {
    const urls = await services.fresh();
    stack = new Stack(urls);
    await stack.start("all", { WORKER_THREADS: "2" });
    const load = await stack.load(seed);
    for (let life = 1; life <= 3; life += 1) {
      await someAccepted(load, 50);
      await stack.programs.at(-1)?.kill();
      await stack.start("all", { WORKER_THREADS: "2" });
    }
    await someAccepted(load, 30);
    await load.stop();
    await stack.settle(load);
    expect(load.accepted.size).toBeGreaterThanOrEqual(180);
  },
  TEST_MS,
);

test(
  "the program, its PostgreSQL and its Redis are killed at once: the next start recovers its own instances with all data",
  async () => {
    const { redis } = await services.fresh();
    const own = { DATABASE_URL: "", REDIS_URL: "", DATA_DIR: services.dataDir };
    stack = new Stack({ database: services.databaseUrl, redis }, undefined, own);
    await stack.start("all");
    const load = await stack.load(seed);
    await someAccepted(load, 60);
    await Promise.all([stack.programs[0]?.kill(), services.crashPostgres(), services.killRedis()]);
    await stack.start("all");
    await someAccepted(load, 30);
    await load.stop();
    await stack.settle(load);
  },
  TEST_MS,
);

test(
  "an Idempotency-Key is remembered by a Redis that was stopped and started: the first answer, and 422 for another batch",
  async () => {
    stack = new Stack(await services.fresh());
    await stack.start("all");
    const token = await stack.login();
    const source = new BatchSource(randomFrom(seed), 10);
    const [batch, other] = [source.next(), source.next()];
    const send = ({ body }: Batch) =>
      fetch(`${stack!.url}/api/v1/data/ingest`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${token}`,
          "Content-Type": "application/json",
          "Idempotency-Key": "rig-7/000001",
        },
        body,
      });
    const first = (await (await send(batch)).json()) as { job_id: string };
    await services.stopRedis();
    await services.restart();
    const again = await until("the API has its Redis again", async () => {
      const response = await send(batch);
      return response.status === 503 ? undefined : response;
    });
    expect(again.headers.get("Idempotent-Replayed")).toBe("true");
    expect(await again.json()).toEqual({ job_id: first.job_id, status: "queued" });
    expect((await send(other)).status).toBe(422);
  },
  TEST_MS,
);
