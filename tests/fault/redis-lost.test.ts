/** Redis loses its data under the real service: every batch is stored or told to be lost, and none is stored twice. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { seedOf } from "../support/fault/batches.ts";
import type { Load } from "../support/fault/load.ts";
import { OwnRedis } from "../support/fault/own-redis.ts";
import { Stack } from "../support/stack.ts";
import { createTestDatabase, type TestService } from "../support/test-services.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const seed = seedOf("redis-lost");
let stack: Stack;
let redis: OwnRedis;
let database: TestService;

beforeEach(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), OwnRedis.start()]);
  stack = new Stack({ database: database.url, redis: redis.url });
}, TEST_MS);

afterEach(async () => {
  await stack.close();
  await redis.close();
  await database.drop();
}, TEST_MS);

const accepts = (load: Load, more: number) => {
  const before = load.accepted.size;
  return until(`${more} more batches are accepted`, () => load.accepted.size >= before + more, 60_000);
};

/** Nothing more is to be found out: each accepted batch has ended, one way or the other. */
const allEnded = (load: Load) =>
  until(
    "every accepted batch has ended",
    async () => {
      const [row] = await stack.reckoning.sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM diagnostics_ingestion_job WHERE status IN ('completed', 'failed')`;
      return row!.n === load.accepted.size && stack.reckoning.lost();
    },
    60_000,
  );

test(
  "FLUSHALL under load: the load goes on, what was lost is told and stored once when it is sent again",
  async () => {
    await stack.start("api");
    const load = await stack.load(seed);
    await accepts(load, 40);
    await redis.admin.flushall();
    await accepts(load, 20);
    await stack.start("worker", { WORKER_THREADS: "2" });
    await accepts(load, 40);
    await redis.admin.flushall();
    await accepts(load, 40);
    await load.stop();
    const lost = await allEnded(load);
    expect(lost.size).toBeGreaterThanOrEqual(35);
    const expected = await stack.sendLostAgain(load, lost);
    await stack.reckoning.drained(60_000, () => stack.tail());
    await stack.reckoning.expectRows(expected, lost);
  },
  TEST_MS,
);

test(
  "an empty Redis in its place, then the old snapshot again: what comes back after its report is stored, once",
  async () => {
    const { sql } = stack.reckoning;
    await stack.start("all");
    const lock = await sql.reserve();
    await lock`BEGIN`;
    await lock`LOCK TABLE diagnostics_sensordata IN EXCLUSIVE MODE`;
    const load = await stack.load(seed);
    await accepts(load, 40);
    const putBack = await redis.snapshot();
    await accepts(load, 40);
    await load.stop();

    await redis.kill();
    await redis.wipe();
    await redis.start();
    await until(
      "all of it is told to be lost",
      async () => (await stack.reckoning.lost()).size === load.accepted.size,
      60_000,
    );
    await until("each has its line in the log", () => {
      const told = stack.programs[0]!.lines.filter((line) => line.includes('"job lost with Redis"'));
      return told.length === load.accepted.size;
    });
    await lock`COMMIT`;
    lock.release();

    await redis.kill();
    await putBack();
    await redis.start();
    const lost = await until("what the snapshot has is stored", async () => {
      const still = await stack.reckoning.lost();
      return still.size <= load.accepted.size - 40 && (await redis.admin.xlen("ingest:{0}")) === 0 && still;
    });
    expect(lost.size).toBeGreaterThan(0);
    const expected = await stack.sendLostAgain(load, lost);
    await stack.reckoning.drained(60_000, () => stack.tail());
    await stack.reckoning.expectRows(expected, lost);
  },
  TEST_MS,
);
