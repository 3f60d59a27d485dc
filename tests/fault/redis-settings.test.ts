/** What a Redis that somebody else runs does with accepted batches is known at the start, and said or refused. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { choosePort } from "../../src/services/free-port.ts";
import { keepingOf } from "../../src/stream/durability.ts";
import { OwnRedis } from "../support/fault/own-redis.ts";
import { runProgram } from "../support/fault/program.ts";
import { Stack } from "../support/stack.ts";
import { createTestDatabase, type TestService } from "../support/test-services.ts";

const TEST_MS = 240_000;
let database: TestService;
let redis: OwnRedis;
let stack: Stack;

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), OwnRedis.start()]);
  stack = new Stack({ database: database.url, redis: redis.url });
}, TEST_MS);
afterAll(async () => {
  await stack.close();
  await redis.close();
  await database.drop();
}, TEST_MS);

const set = (name: string, value: string) => redis.admin.config("SET", name, value);

test(
  "one that drops keys to make room is refused at the start, with what to do",
  async () => {
    await set("maxmemory-policy", "allkeys-lru");
    for (const role of ["worker", "api"]) {
      const { code, stderr } = await runProgram(
        ["start", role],
        stack.environment({ PORT: String(await choosePort(undefined, [])) }),
      );
      expect(code).toBe(1);
      expect(stderr).toContain("maxmemory-policy allkeys-lru");
      expect(stderr).toContain("CONFIG SET maxmemory-policy noeviction");
    }
    await set("maxmemory-policy", "noeviction");
  },
  TEST_MS,
);

test(
  "what falls short of REDIS_DURABILITY=always is warned of, and /health tells what there is, also after a change",
  async () => {
    await set("maxmemory-policy", "volatile-lru");
    const program = await stack.start("api", { REDIS_DURABILITY: "always" });
    const warned = program.lines.filter((line) => line.includes('"level":"warn"'));
    expect(warned.some((line) => line.includes("a power cut loses accepted batches"))).toBe(true);
    expect(warned.some((line) => line.includes("maxmemory-policy is not noeviction"))).toBe(true);
    const durability = async () => {
      const health = (await (await fetch(`${program.url}/health`)).json()) as {
        dependencies: { redis: { durability: string } };
      };
      return health.dependencies.redis.durability;
    };
    expect(await durability()).toBe("everysec");
    for (const [name, value, told] of [
      ["appendfsync", "always", "always"],
      ["appendfsync", "no", "os"],
      ["appendonly", "no", "off"],
    ] as const) {
      await set(name, value);
      expect(await durability()).toBe(told);
    }
  },
  TEST_MS,
);

test("one that may not be asked is unknown, not durable", async () => {
  const asked = {
    info: () => Promise.resolve("aof_enabled:1\r\nmaxmemory_policy:noeviction\r\n"),
    config: async () => {
      await redis.admin.call("ACL", "SETUSER", "guest", "on", "nopass", "+@all", "-config");
      const guest = redis.admin.duplicate({ username: "guest", password: "x" });
      try {
        return await guest.config("GET", "appendfsync");
      } finally {
        guest.disconnect();
      }
    },
  };
  expect(await keepingOf(asked as never)).toEqual({ durability: "unknown", eviction: "noeviction" });
});
