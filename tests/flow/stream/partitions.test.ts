/** Who uses how many partitions, and where an Idempotency-Key is looked for when the number has changed. */
import { describe, expect, test } from "bun:test";
import { createLogger } from "../../../src/ops/log.ts";
import { IdempotencyStore } from "../../../src/stream/idempotency.ts";
import { HEARD_AFTER_MS, PartitionRegister } from "../../../src/stream/partitions.ts";
import type { ScriptedRedis } from "../../../src/stream/scripts.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { useStreamRedis } from "../../support/stream-redis.ts";

const DAY_MS = 86_400_000;
const log = createLogger({ level: "error", format: "json" });
let redis: ScriptedRedis;
let clock: ManualClock;
useStreamRedis((own) => {
  redis = own;
});

const register = (own: number, announces: boolean) =>
  new PartitionRegister(redis, own, announces, clock, log);

describe("the register", () => {
  test("knows the most that a producer has used, also when it is less now", async () => {
    clock = new ManualClock(1_000);
    const worker = register(1, false);
    await worker.look();
    expect(worker.count()).toBe(1);
    await register(4, true).look();
    await register(2, true).look();
    await worker.look();
    expect(worker.count()).toBe(4);
    expect(await redis.zrange("partitions", "0", "-1")).toEqual(["2", "4"]);
  });

  test("tells a producer with a new number from one that others know, and from one that is alone", async () => {
    clock = new ManualClock(1_000);
    expect(await register(1, true).isNews()).toBe(false);
    expect(await register(3, true).isNews()).toBe(true);
    expect(await register(3, true).isNews()).toBe(false);
    clock.time_ms += DAY_MS;
    expect(await register(3, true).isNews()).toBe(false);
    clock.time_ms += HEARD_AFTER_MS + 1;
    await register(1, true).look();
    expect(await register(3, true).isNews()).toBe(true);
  });

  test("names other numbers as long as keys of theirs may be asked for", async () => {
    clock = new ManualClock(1_000);
    const own = register(1, true);
    await register(3, true).look();
    await own.look();
    expect(own.others(DAY_MS)).toEqual([3]);
    clock.time_ms += DAY_MS + 1;
    await own.look();
    expect(own.others(DAY_MS)).toEqual([]);
  });
});

describe("an Idempotency-Key of another number of partitions", () => {
  const store = (own: number, others: readonly number[]) =>
    new IdempotencyStore(redis, own, 60_000, undefined, () => others);
  /** A key that both numbers do not put into the same partition. */
  async function keyApart(): Promise<string> {
    for (let i = 0; ; i += 1) {
      const [one, other] = [await store(1, []).begin("u", `k${i}`), await store(3, []).begin("u", `k${i}`)];
      await redis.flushdb();
      if (one.kind === "fresh" && other.kind === "fresh" && one.claim.partition !== other.claim.partition)
        return `k${i}`;
    }
  }

  test("is in flight while its first request is, and leaves no claim behind", async () => {
    const key = await keyApart();
    const first = await store(1, [3]).begin("u", key);
    expect((await store(3, [1]).begin("u", key)).kind).toBe("in_flight");
    if (first.kind !== "fresh") throw new Error(first.kind);
    await store(1, [3]).abandon(first.claim);
    expect((await store(3, [1]).begin("u", key)).kind).toBe("fresh");
  });

  test("has the answer that was given there", async () => {
    const key = await keyApart();
    const first = await store(3, [1]).begin("u", key);
    if (first.kind !== "fresh") throw new Error(first.kind);
    await redis.set(first.claim.redisKey, "job print");
    expect(await store(1, [3]).begin("u", key)).toEqual({
      kind: "answered",
      job_id: "job",
      fingerprint: "print",
    });
  });

  test("claimed in both places at once is fresh for one of the two at most", async () => {
    const key = await keyApart();
    for (let round = 0; round < 50; round += 1) {
      const kinds = await Promise.all([store(1, [3]).begin("u", key), store(3, [1]).begin("u", key)]);
      expect(kinds.filter(({ kind }) => kind === "fresh").length).toBeLessThanOrEqual(1);
      await redis.flushdb();
    }
  });
});
