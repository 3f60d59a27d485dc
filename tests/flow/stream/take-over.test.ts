/** What a process that stops hands over, and what waits for a newer program: taken at once by who may, by one. */
import { describe, expect, test } from "bun:test";
import { NEWEST_VERSION } from "../../../src/contract/entry-body.ts";
import { StreamConsumer } from "../../../src/stream/consumer.ts";
import { openReader } from "../../../src/stream/dedicated.ts";
import { handOver } from "../../../src/stream/hand-over.ts";
import { StreamHealth } from "../../../src/stream/health.ts";
import { INGEST_GROUP, streamKey, WAITING_CONSUMER } from "../../../src/stream/keys.ts";
import type { StreamReader } from "../../../src/stream/reader.ts";
import type { ScriptedRedis } from "../../../src/stream/scripts.ts";
import { useStreamRedis } from "../../support/stream-redis.ts";

const PARTITIONS = 2;
const DAY_MS = 86_400_000;

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

function consumerOf(name: string, newest?: number): StreamConsumer {
  const reader = openReader(url, redis);
  readers.push(reader);
  return new StreamConsumer(reader, redis, name, PARTITIONS, 60, newest);
}
async function add(count: number, version = "1"): Promise<void> {
  for (let i = 0; i < count; i += 1)
    await redis.xadd(streamKey(i % PARTITIONS), "*", "v", version, "m", "{}", "b", Buffer.from([0, 255, i]));
}
const ids = (entries: readonly { partition: number; id: string }[]) =>
  entries.map(({ partition, id }) => `${partition}/${id}`).sort();
const names = async (p = 0) =>
  ((await redis.xinfo("CONSUMERS", streamKey(p), INGEST_GROUP)) as unknown[][]).map((row) => row[1]);

describe("what the threads of a process hold when it stops", () => {
  test("is claimed by others at once, with its former owner; of another process nothing is", async () => {
    await add(1_200);
    const [stopped, other, heir] = [consumerOf("host:1:0.1"), consumerOf("host:11:0.1"), consumerOf("heir")];
    await stopped.ensureGroups();
    const left = await stopped.read(1_100, 10);
    const kept = await other.read(100, 10);
    expect([left.length, kept.length]).toEqual([1_100, 100]);
    expect(await heir.claimIdle(DAY_MS, 10)).toEqual([]);
    expect(await handOver(redis, PARTITIONS, "host:1:")).toBe(1_100);
    const claimed = [];
    for (let more = 1; more > 0; ) {
      const some = await heir.claimIdle(DAY_MS, 400);
      more = some.length;
      claimed.push(...some);
    }
    expect(ids(claimed)).toEqual(ids(left));
    expect(claimed.every(({ redelivered, heldBy }) => redelivered && heldBy === "host:1:0.1")).toBe(true);
    expect(Buffer.from(claimed[0]!.fields[5]!).subarray(0, 2)).toEqual(Buffer.from([0, 255]));
    expect(await redis.xpending(streamKey(0), INGEST_GROUP, "-", "+", 100, "host:11:0.1")).toHaveLength(50);
  });

  test("and its threads that hold nothing are forgotten at once", async () => {
    await add(2);
    const [empty, other] = [consumerOf("host:1:0.1"), consumerOf("host:2:0.1")];
    await empty.ensureGroups();
    await other.read(10, 10);
    await empty.read(10, 10);
    expect(await handOver(redis, PARTITIONS, "host:1:")).toBe(0);
    expect(await names()).toEqual(["host:2:0.1"]);
  });

  test("is nothing where there is no stream and no group", async () => {
    expect(await handOver(redis, PARTITIONS, "host:1:")).toBe(0);
    await add(2);
    expect(await handOver(redis, PARTITIONS, "host:1:")).toBe(0);
  });

  test("is shared out: two that look at the same moment take each entry once", async () => {
    await add(60);
    const stopped = consumerOf("host:1:0.1");
    await stopped.ensureGroups();
    await stopped.read(60, 10);
    await handOver(redis, PARTITIONS, "host:1:");
    const heirs = Array.from({ length: 6 }, (_, i) => consumerOf(`heir-${i}`));
    const taken = (await Promise.all(heirs.map((heir) => heir.claimIdle(DAY_MS, 5)))).flat();
    expect(taken).toHaveLength(60);
    expect(new Set(ids(taken)).size).toBe(60);
  });
});

describe("entries of a version that is too new", () => {
  const newer = NEWEST_VERSION + 1;
  const health = () =>
    new StreamHealth(redis, {
      partitions: PARTITIONS,
      max_entries: 10,
      max_bytes: 1e9,
      idempotency_ttl_s: 1,
    }).look();

  test("wait, counted and in the backlog, and no program of this version takes them, however long it takes", async () => {
    await add(6, String(newer));
    await add(2);
    const [old, other] = [consumerOf("old"), consumerOf("other")];
    await old.ensureGroups();
    const read = await old.read(6, 10);
    for (const entry of read) await old.leaveToNewer(entry, newer);
    for (const { partition, id } of read)
      await redis.xclaim(
        streamKey(partition),
        INGEST_GROUP,
        `${WAITING_CONSUMER}${newer}`,
        0,
        id,
        "IDLE",
        DAY_MS,
        "JUSTID",
      );
    // Behind them another one that somebody left, which must be found.
    const lost = await old.read(2, 10);
    await handOver(redis, PARTITIONS, "old");
    expect(ids(await other.claimIdle(DAY_MS, 1))).toEqual(ids(lost));
    expect(await other.claimIdle(DAY_MS, 100)).toEqual([]);
    expect(await health()).toMatchObject({ entries: 8, pending: 8, too_new: 6, dead_letters: 0 });
  });

  test("are taken at once by a program that knows it, as nobody's; one of a still newer version goes on waiting", async () => {
    await add(2, String(newer));
    await add(2, String(newer + 5));
    const old = consumerOf("old");
    await old.ensureGroups();
    const read = await old.read(10, 10);
    for (const entry of read) await old.leaveToNewer(entry, Number(entry.fields[1]));
    const taken = await consumerOf("new", newer).claimIdle(DAY_MS, 10);
    expect(taken.map(({ fields }) => Number(fields[1]))).toEqual([newer, newer]);
    expect(taken.every(({ redelivered, heldBy }) => redelivered && heldBy === undefined)).toBe(true);
    expect(await health()).toMatchObject({ entries: 4, too_new: 2 });
    expect(await consumerOf("newest", newer + 5).claimIdle(DAY_MS, 10)).toHaveLength(2);
    expect(await health()).toMatchObject({ too_new: 0 });
  });
});
