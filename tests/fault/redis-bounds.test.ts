/** Redis at maxmemory, or its disk full: batches are refused, the way out goes on, and nothing accepted is lost. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Batch, seedOf } from "../support/fault/batches.ts";
import { toTheBoundAndBack } from "../support/fault/bound.ts";
import { OwnRedis } from "../support/fault/own-redis.ts";
import { Stack } from "../support/stack.ts";
import { createTestDatabase, type TestService } from "../support/test-services.ts";

const TEST_MS = 90_000;
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
  [database, redis] = await Promise.all([
    createTestDatabase(),
    OwnRedis.start({ disk_mib: DISK_MIB, settings: { "enable-debug-command": "yes" } }),
  ]);
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

test(
  "Redis cannot write its append-only file: refused with 503 until there is room again, and nothing accepted is lost",
  async () => {
    if ("missing" in redis.disk) {
      console.log(`A full disk of Redis is left out: ${redis.disk.missing}`);
      return;
    }
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
    // The file is whole. Its disk would go with the server, so the server reads it again where it is.
    await redis.admin.debug("LOADAOF");
    await stack.settle({ accepted });
  },
  TEST_MS,
);
