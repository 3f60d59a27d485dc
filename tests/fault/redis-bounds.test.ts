/** Redis at maxmemory, or its disk full: batches are refused, the way out goes on, and nothing accepted is lost. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Batch, seedOf } from "../support/fault/batches.ts";
import { toTheBoundAndBack } from "../support/fault/bound.ts";
import { OwnRedis } from "../support/fault/own-redis.ts";
import { testWithDisk } from "../support/fault/small-disk.ts";
import { Stack } from "../support/stack.ts";
import { createTestDatabase, type TestService } from "../support/test-services.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const DISK_MIB = 96;
/** Beyond what an empty Redis takes. */
const ROOM_BYTES = 2_000_000;
const seed = seedOf("redis-bounds");
let database: TestService;
let redis: OwnRedis;
let stack: Stack;
/** By all loads: the programs are never started again. */
const accepted = new Map<string, Batch>();

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), OwnRedis.start({ disk_mib: DISK_MIB })]);
  stack = new Stack({ database: database.url, redis: redis.url });
  await stack.start("api");
  await stack.start("worker");
}, TEST_MS);

afterAll(async () => {
  await stack.close();
  await redis.close();
  await database.drop();
}, TEST_MS);

const startLoad = (readings: number) => stack.load(seed + accepted.size, { lanes: 24, rate: 300 }, readings);
const usedBytes = async () => Number(/^used_memory:(\d+)/m.exec(await redis.admin.info("memory"))![1]);

test(
  "Redis at maxmemory: refused with 503, what waits is stored by the way out that needs no memory, and all goes on",
  async () => {
    const lock = await stack.reckoning.sql.reserve();
    const load = await startLoad(500);
    await toTheBoundAndBack(
      stack,
      load,
      {
        harm: async () => {
          await lock`BEGIN`;
          await lock`LOCK TABLE diagnostics_sensordata IN EXCLUSIVE MODE`;
          await redis.admin.config("SET", "maxmemory", String((await usedBytes()) + ROOM_BYTES));
        },
        during: async () => {
          expect(await stack.reckoning.streamLength()).toBeGreaterThan(0);
        },
        // Only the way out is opened; Redis stays as small as it is.
        heal: async () => {
          await lock`COMMIT`;
          lock.release();
        },
      },
      accepted,
    );
    await redis.admin.config("SET", "maxmemory", "0");
  },
  TEST_MS,
);

testWithDisk(
  "Redis cannot write its append-only file: refused with 503 until there is room again, and nothing accepted is lost",
  async () => {
    const load = await startLoad(100);
    await toTheBoundAndBack(
      stack,
      load,
      {
        harm: () => redis.fillDisk(),
        during: async () => {
          const info = await redis.admin.info("persistence");
          expect(info).toContain("aof_last_write_status:err");
        },
        heal: () => redis.emptyDisk(),
      },
      accepted,
    );
    // The file is whole: a restart finds nothing else in it.
    await redis.kill();
    await redis.start();
    await until(
      "the service has its Redis again",
      async () => (await fetch(`${stack.url}/readyz`)).status === 200,
      60_000,
    );
    await stack.settle({ accepted });
  },
  TEST_MS,
);

testWithDisk(
  "with appendfsync always a full disk ends Redis: refused with 503 until it is started again, and nothing accepted is lost",
  async () => {
    await redis.admin.config("SET", "appendfsync", "always");
    const load = await startLoad(100);
    await toTheBoundAndBack(
      stack,
      load,
      {
        harm: () => redis.fillDisk(),
        during: async () => expect(redis.alive).toBe(false),
        heal: async () => {
          await redis.emptyDisk();
          await redis.start();
        },
      },
      accepted,
    );
  },
  TEST_MS,
);
