/**
 * A power cut, as far as one machine can play it: Redis is killed, and whatever of its append-only file no fdatasync had
 * put on the disk (strace tells) is gone. With `appendfsync always` every 202 is kept; the same cut shows what everysec
 * loses, so it would have been noticed, and that each lost batch is told.
 */
import { afterEach, expect, test } from "bun:test";
import { seedOf } from "../support/fault/batches.ts";
import { OwnRedis } from "../support/fault/own-redis.ts";
import { writesOf } from "../support/fault/synced-writes.ts";
import { Stack } from "../support/stack.ts";
import { createTestDatabase } from "../support/test-services.ts";
import { tool } from "../support/tools/debian-tools.ts";
import { describeWith } from "../support/tools/describe-with.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
/** Of the second test. Beside what was accepted, the file may have one batch of each lane whose answer is under way. */
const LANES = 2;
/** More than so many batches take in the file. */
const SOME_BYTES = 60_000;
const seed = seedOf("power-cut");
let close: (() => Promise<void>) | undefined;

afterEach(async () => {
  await close?.();
  close = undefined;
}, TEST_MS);

async function traced(tracer: string, appendfsync: "always" | "everysec") {
  const [database, redis] = await Promise.all([
    createTestDatabase(),
    OwnRedis.start({ tracer, settings: { appendfsync } }),
  ]);
  const stack = new Stack({ database: database.url, redis: redis.url });
  close = async () => {
    await stack.close();
    await redis.close();
    await database.drop();
  };
  return { stack, redis };
}

describeWith("strace", await tool("strace"), (tracer) => {
  test(
    "with appendfsync always nothing that was answered with 202 is lost, not even when all programs die in the cut",
    async () => {
      const { stack, redis } = await traced(tracer, "always");
      await stack.start("api");
      const load = await stack.load(seed);
      await until("batches wait", () => load.accepted.size >= 40, 60_000);
      await stack.start("worker");
      await until("and others are stored", () => load.accepted.size >= 100, 60_000);
      await Promise.all([...stack.programs.map((program) => program.kill()), redis.cutPower()]);
      const before = load.accepted.size;
      await redis.start();
      await stack.start("all");
      await until("the load goes on", () => load.accepted.size >= before + 30, 60_000);
      await load.stop();
      await stack.settle(load);
    },
    TEST_MS,
  );

  test(
    "with everysec the last second is lost: each of its batches is told, and none is stored twice when it is sent again",
    async () => {
      const { stack, redis } = await traced(tracer, "everysec");
      await stack.start("api");
      const load = await stack.load(seed, { lanes: LANES });
      await until(
        "some batches that were accepted are on the disk, and some are not",
        async () => {
          // It stands still meanwhile, and until the cut: a sync between the look and the cut would leave nothing to lose.
          redis.signal("SIGSTOP");
          const { kept, lost } = await redis.keeping();
          if (Math.min(kept, lost) > SOME_BYTES) return true;
          redis.signal("SIGCONT");
          return false;
        },
        60_000,
      );
      expect(await redis.cutPower()).toBeGreaterThan(0);
      const before = load.accepted.size;
      await redis.start();
      await until("the load goes on", () => load.accepted.size >= before + 30, 60_000);
      await load.stop();
      await stack.start("worker");
      await stack.reckoning.drained(60_000, () => stack.tail());
      const ended = async () => {
        const rows = await stack.reckoning.sql`
          SELECT 1 FROM diagnostics_ingestion_job WHERE status IN ('completed', 'failed')`;
        return rows.length === load.accepted.size && stack.reckoning.lost();
      };
      const lost = await until("every accepted batch has ended", ended, 60_000);
      expect(lost.size).toBeGreaterThan(0);
      expect(lost.size).toBeLessThan(before);
      const expected = await stack.sendLostAgain(load, lost);
      await stack.reckoning.drained(60_000, () => stack.tail());
      await stack.reckoning.expectExactly(expected, lost);
    },
    TEST_MS,
  );
});

test("a sync keeps what had been written when it began, and only if it returned", () => {
  const trace = `7 write(8</a.aof>, ""..., 100) = 100
9 fdatasync(8</a.aof> <unfinished ...>
7 write(8</a.aof>, ""..., 30) = 30
9 <... fdatasync resumed>) = 0
7 write(8</a.aof> <unfinished ...>
9 fdatasync(8</a.aof>) = -1 EIO (Input/output error)
7 <... write resumed>, ""..., 5) = 5
7 write(3<socket:[1]>, ""..., 5) = 5
9 fsync(4</b.aof> <unfinished ...>
`;
  const files = writesOf(trace);
  expect(files.get("/a.aof")).toEqual({ written: 135, synced: 100, syncing: 130 });
  expect(files.get("/b.aof")).toEqual({ written: 0, synced: 0, syncing: 0 });
});
