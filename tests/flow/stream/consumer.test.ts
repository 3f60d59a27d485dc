/** The consumer on real Redis: claims, keeps, retires, and survives every way a connection fails. */
import { describe, expect, test } from "bun:test";
import { StreamUnavailableError } from "../../../src/stream/connection.ts";
import { StreamConsumer } from "../../../src/stream/consumer.ts";
import { openReader } from "../../../src/stream/dedicated.ts";
import { StreamHealth } from "../../../src/stream/health.ts";
import { INGEST_GROUP, streamKey } from "../../../src/stream/keys.ts";
import { Producer } from "../../../src/stream/producer.ts";
import type { StreamReader } from "../../../src/stream/reader.ts";
import type { ScriptedRedis } from "../../../src/stream/scripts.ts";
import { createProxy } from "../../support/proxy.ts";
import { someOffer, useStreamRedis } from "../../support/stream-redis.ts";
import { until } from "../../support/until.ts";

const PARTITIONS = 3;
const BOUNDS = { partitions: PARTITIONS, max_entries: 1000, max_bytes: 1e9, idempotency_ttl_s: 60 };

let url: string;
let redis: ScriptedRedis;
const readers: StreamReader[] = [];
useStreamRedis(
  (own, address) => {
    redis = own;
    url = address;
  },
  () => {
    for (const reader of readers.splice(0)) reader.close();
  },
);

async function offer(count: number): Promise<void> {
  const producer = new Producer(redis, BOUNDS);
  for (let i = 0; i < count; i += 1) {
    await producer.offer(someOffer({ body: Buffer.from(String(i)) }));
  }
}
function consumerOf(name: string, at = url, partitions = PARTITIONS): StreamConsumer {
  const reader = openReader(at, redis);
  readers.push(reader);
  return new StreamConsumer(reader, redis, name, partitions, 60);
}
const DAY_MS = 86_400_000;
/** Makes a pending entry look as if nobody had touched it for so long; its consumer keeps it. */
async function age(partition: number, id: string, idle_ms: number): Promise<void> {
  const stream = streamKey(partition);
  const [[, owner] = []] = (await redis.xpending(stream, INGEST_GROUP, id, id, 1)) as [string, string][];
  await redis.xclaim(stream, INGEST_GROUP, owner!, 0, id, "IDLE", idle_ms, "JUSTID");
}
const ids = (entries: readonly { partition: number; id: string }[]) =>
  entries.map(({ partition, id }) => `${partition}/${id}`).sort();

describe("claims", () => {
  test("new entries of every partition are read once, about as many as asked for", async () => {
    await offer(12);
    const [a, b] = [consumerOf("a"), consumerOf("b")];
    await a.ensureGroups();
    await a.ensureGroups();
    const first = await a.read(6, 10);
    expect(first).toHaveLength(6);
    const second = await b.read(100, 10);
    expect(second).toHaveLength(6);
    expect(new Set([...ids(first), ...ids(second)]).size).toBe(12);
    expect(first.every(({ redelivered }) => !redelivered)).toBe(true);
  });

  test("entries of a named consumer are claimed whole, whatever their age, with their former owner", async () => {
    await offer(9);
    const [dead, heir] = [consumerOf("dead"), consumerOf("heir")];
    await dead.ensureGroups();
    const held = await dead.read(100, 10);
    const claimed = await heir.claimFrom("dead", 2);
    expect(claimed).toHaveLength(6);
    claimed.push(...(await heir.claimFrom("dead", 2)));
    expect(ids(claimed)).toEqual(ids(held));
    expect(claimed.every(({ redelivered, heldBy }) => redelivered && heldBy === "dead")).toBe(true);
    expect(claimed.map(({ fields }) => fields.map(String).join()).sort()).toEqual(
      held.map(({ fields }) => fields.map(String).join()).sort(),
    );
    expect(await heir.claimFrom("dead", 2)).toEqual([]);
  });

  test("idle entries are claimed behind any number of entries that are kept", async () => {
    await offer(600);
    const [busy, dead, heir] = [consumerOf("busy"), consumerOf("dead"), consumerOf("heir")];
    await busy.ensureGroups();
    const kept = await busy.read(594, 10);
    const lost = await dead.read(100, 10);
    expect(lost).toHaveLength(6);
    // Aged by Redis itself: a day apart, so that no machine is too slow for the difference.
    for (const { partition, id } of [...kept, ...lost]) await age(partition, id, 2 * DAY_MS);
    await busy.keep(kept);
    const claimed = await heir.claimIdle(DAY_MS, 16);
    expect(ids(claimed)).toEqual(ids(lost));
  });

  test("entries that were deleted meanwhile are neither claimed nor left pending", async () => {
    await offer(3);
    const [dead, heir] = [consumerOf("dead"), consumerOf("heir")];
    await dead.ensureGroups();
    for (const { partition, id } of await dead.read(100, 10)) await redis.xdel(streamKey(partition), id);
    expect(await heir.claimFrom("dead", 10)).toEqual([]);
    const health = await new StreamHealth(redis, BOUNDS).probe();
    expect(health.pending).toBe(0);
  });
});

describe("consumers that are gone", () => {
  const names = async (p = 0) =>
    ((await redis.xinfo("CONSUMERS", streamKey(p), INGEST_GROUP)) as unknown[][]).map((row) => row[1]);

  test("retire forgets an empty consumer and leaves one with entries", async () => {
    await offer(1);
    const [empty, holding] = [consumerOf("empty"), consumerOf("holding")];
    await empty.ensureGroups();
    expect(await holding.read(10, 10)).toHaveLength(1);
    await empty.read(10, 10);
    await holding.retire("empty");
    await empty.retire("holding");
    expect(await names()).toEqual(["holding"]);
    expect(await empty.claimFrom("holding", 10)).toHaveLength(1);
  });

  test("retireSilent forgets those that are silent for longer, and only these", async () => {
    const [old, young] = [consumerOf("old"), consumerOf("young")];
    await old.ensureGroups();
    for (let p = 0; p < PARTITIONS; p += 1) {
      await redis.xgroup("CREATECONSUMER", streamKey(p), INGEST_GROUP, "old");
    }
    // Again and again, because on a slow machine the young one may have been silent for longer, too.
    await until("the silent one alone is forgotten", async () => {
      await redis.xreadgroup("GROUP", INGEST_GROUP, "young", "STREAMS", streamKey(0), ">");
      await young.retireSilent(300);
      const left = await names();
      return left.includes("young") && !left.includes("old");
    });
  });

  test("every command copes with streams that do not exist, and makes them", async () => {
    const consumer = consumerOf("c");
    expect(await consumer.read(10, 10)).toEqual([]);
    await redis.flushdb();
    expect(await consumer.claimIdle(1, 10)).toEqual([]);
    await redis.flushdb();
    expect(await consumer.claimFrom("x", 10)).toEqual([]);
    await redis.flushdb();
    await consumer.retire("x");
    await redis.flushdb();
    await consumer.retireSilent(1);
    await consumer.keep([{ partition: 0, id: "1-1", fields: [], redelivered: false }]);
    expect(await redis.exists(streamKey(0))).toBe(1);
  });
});

describe("attempts", () => {
  test("are counted across consumers and taken back when they end", async () => {
    await offer(1);
    const [a, b] = [consumerOf("a"), consumerOf("b")];
    await a.ensureGroups();
    const entry = (await a.read(1, 10))[0]!;
    expect(await a.attemptBegun(entry)).toBe(1);
    expect(await b.attemptBegun(entry)).toBe(2);
    await b.attemptEnded(entry);
    expect(await b.attemptBegun(entry)).toBe(2);
    await b.attemptEnded(entry);
    await a.attemptEnded(entry);
    expect(await redis.keys("attempts:*")).toEqual([]);
    await a.attemptEnded(entry);
    expect(await a.attemptBegun(entry)).toBe(1);
    expect((await redis.keys("attempts:*")).length).toBe(1);
  });
});

describe("a blocked read", () => {
  /** Clients that Redis keeps waiting in this suite's database (CLIENT LIST: `b` among the flags). */
  const blockedReads = async () => {
    const db = new URL(url).pathname.slice(1);
    const clients = String(await redis.client("LIST")).split("\n");
    return clients.filter((line) => / flags=[a-zA-Z]*b/.test(line) && line.includes(` db=${db} `)).length;
  };

  test("whose connection is cut is rejected, and the next one works", async () => {
    const proxy = await createProxy(url);
    const consumer = consumerOf("c", proxy.through(url), 1);
    await consumer.ensureGroups();
    const read = consumer.read(1, 20_000).catch((error: unknown) => error);
    await until("it blocks", async () => (await blockedReads()) === 1);
    proxy.cut();
    expect(await read).toBeInstanceOf(StreamUnavailableError);
    // Until Redis has noticed, it would send a new entry to the connection that is gone, and the next read would not.
    await until("Redis has let go of it", async () => (await blockedReads()) === 0);
    await offer(3);
    const entries = await until("a read that works", async () => {
      const list = await consumer.read(10, 100).catch(() => []);
      return list.length > 0 ? list : undefined;
    });
    expect(entries).toHaveLength(1);
    await proxy.close();
  });

  test("on a silent connection is given up by the watchdog, and what it was sent can be claimed", async () => {
    const proxy = await createProxy(url);
    const consumer = consumerOf("c", proxy.through(url), 1);
    await consumer.ensureGroups();
    proxy.pause();
    const begin = performance.now();
    const outcome = await consumer.read(1, 100).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(StreamUnavailableError);
    expect(performance.now() - begin).toBeLessThan(30_000);
    proxy.resume();
    await offer(3);
    const entries = await until(
      "a read that works",
      async () => {
        const list = await consumer.read(10, 100).catch(() => []);
        const claimed = list.length > 0 ? list : await consumer.claimIdle(0, 10);
        return claimed.length > 0 ? claimed : undefined;
      },
      60_000,
    );
    expect(entries).toHaveLength(1);
    await proxy.close();
  });
});
