/** The Lua scripts on real Redis: all or nothing, once, and within the bounds. */
import { describe, expect, test } from "bun:test";
import { type EntryMeta, encodeEntry } from "../../../src/contract/entry.ts";
import { newJobId } from "../../../src/contract/job-id.ts";
import { StreamUnavailableError } from "../../../src/stream/connection.ts";
import { StreamConsumer } from "../../../src/stream/consumer.ts";
import { DeadLetters } from "../../../src/stream/dead-letters.ts";
import { openReader } from "../../../src/stream/dedicated.ts";
import { StreamHealth } from "../../../src/stream/health.ts";
import { IdempotencyStore } from "../../../src/stream/idempotency.ts";
import { JobBoard, jobFields } from "../../../src/stream/jobs.ts";
import {
  acceptedKey,
  backlogKey,
  deadKey,
  INGEST_GROUP,
  jobKey,
  mirrorKey,
  streamKey,
} from "../../../src/stream/keys.ts";
import { type BatchOffer, Producer, type StreamBounds } from "../../../src/stream/producer.ts";
import type { ScriptedRedis } from "../../../src/stream/scripts.ts";
import { useStreamRedis } from "../../support/stream-redis.ts";
import { until } from "../../support/until.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const USER = "550e8400-e29b-41d4-a716-44665544ffff";

let url: string;
let redis: ScriptedRedis;
useStreamRedis((own, address) => {
  redis = own;
  url = address;
});

const BOUNDS: StreamBounds = { partitions: 1, max_entries: 3, max_bytes: 1_000, idempotency_ttl_s: 60 };
const offerOf = (bytes: number, more: Partial<BatchOffer> = {}): BatchOffer => ({
  system_id: SYSTEM,
  user_id: USER,
  request_id: "r",
  total_readings: 1,
  received_at_ms: 1_767_225_600_000,
  format: "json",
  body: Buffer.alloc(bytes, "x"),
  ...more,
});
/**
 * Every key with its dump: two equal snapshots mean that nothing was written. Without the readings that were accepted,
 * which a producer counts a moment after the batch.
 */
async function snapshot(): Promise<Record<string, string>> {
  const keys = (await redis.keys("*")).filter((key) => key !== acceptedKey(0)).sort();
  const dumps = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return Object.fromEntries(keys.map((key, i) => [key, dumps[i]!.toString("hex")]));
}

describe("offer", () => {
  test("writes entry, job, mirror note, bytes and the answer to the key together", async () => {
    const store = new IdempotencyStore(redis, 1, 10_000);
    const state = await store.begin(USER, "key");
    if (state.kind !== "fresh") throw new Error(state.kind);
    const idempotency = { ...state.claim, fingerprint: "f00d" };
    const outcome = await new Producer(redis, BOUNDS).offer(offerOf(100, { idempotency }));
    if (outcome.kind !== "accepted") throw new Error(outcome.kind);
    expect(await redis.xlen(streamKey(0))).toBe(1);
    expect(await redis.xlen(mirrorKey(0))).toBe(1);
    expect(await redis.get(backlogKey(0))).toBe("100");
    expect(await new JobBoard(redis).get(outcome.job_id)).toEqual({
      job_id: outcome.job_id,
      system_id: SYSTEM,
      created_by: USER,
      status: "queued",
      total_readings: 1,
      inserted_readings: 0,
      duplicate_readings: 0,
      quarantined_readings: 0,
      created_at_ms: 1_767_225_600_000,
      started_at_ms: null,
      completed_at_ms: null,
      error_message: null,
    });
    expect(await redis.ttl(jobKey(outcome.job_id))).toBe(-1);
    expect(await store.begin(USER, "key")).toEqual({
      kind: "answered",
      job_id: outcome.job_id,
      fingerprint: "f00d",
    });
    // As long as answers are kept, and not only as long as the claim.
    expect(await redis.ttl(state.claim.redisKey)).toBeWithin(11, 61);
  });

  test("at the bound of entries it refuses and stores nothing", async () => {
    const producer = new Producer(redis, BOUNDS);
    for (let i = 0; i < 3; i += 1) expect((await producer.offer(offerOf(1))).kind).toBe("accepted");
    const before = await snapshot();
    expect(await producer.offer(offerOf(1))).toEqual({ kind: "backlog_full", bound: "entries" });
    expect(await snapshot()).toEqual(before);
  });

  test("at the bound of bytes it refuses and stores nothing; one larger body fits into an empty stream", async () => {
    const producer = new Producer(redis, BOUNDS);
    expect((await producer.offer(offerOf(999))).kind).toBe("accepted");
    const before = await snapshot();
    expect(await producer.offer(offerOf(2))).toEqual({ kind: "backlog_full", bound: "bytes" });
    expect(await snapshot()).toEqual(before);
    expect((await producer.offer(offerOf(1))).kind).toBe("accepted");
    expect(await new StreamHealth(redis, BOUNDS).look()).toMatchObject({ fill: 1, full: true });
    await redis.flushdb();
    expect((await producer.offer(offerOf(5_000))).kind).toBe("accepted");
  });

  test("how full it is goes by the fullest partition and the nearer bound", async () => {
    const bounds = { ...BOUNDS, partitions: 2, max_entries: 4 };
    const health = new StreamHealth(redis, bounds);
    expect(await health.look()).toMatchObject({ fill: 0, full: false });
    await redis.xadd(streamKey(1), "*", "v", "1");
    await redis.set(backlogKey(1), 100);
    expect(await health.look()).toMatchObject({ fill: 0.25, full: false });
    await redis.set(backlogKey(1), 900);
    expect(await health.look()).toMatchObject({ fill: 0.9, full: false });
    for (let i = 0; i < 3; i += 1) await redis.xadd(streamKey(0), "*", "v", "1");
    expect(await health.look()).toMatchObject({ entries: 4, fill: 0.9, full: false });
    await redis.xadd(streamKey(0), "*", "v", "1");
    expect(await health.look()).toMatchObject({ fill: 1, full: true });
  });

  test("the same command sent twice after a lost answer stores one batch", async () => {
    const job_id = newJobId(0);
    const meta: EntryMeta = { ...offerOf(1), job_id } as EntryMeta;
    const keys = [streamKey(0), jobKey(job_id), mirrorKey(0), backlogKey(0)];
    const send = () =>
      redis.hiOffer(
        4,
        ...keys,
        10,
        1_000,
        3,
        JSON.stringify(meta),
        "1",
        Buffer.from("abc"),
        "",
        60,
        "",
        ...jobFields(meta),
      );
    expect(await send()).toBe("accepted");
    const before = await snapshot();
    expect(await send()).toBe("accepted");
    expect(await snapshot()).toEqual(before);
    expect(await redis.get(backlogKey(0))).toBe("3");
  });

  test("survives SCRIPT FLUSH on a live connection", async () => {
    const producer = new Producer(redis, BOUNDS);
    await producer.offer(offerOf(1));
    await redis.script("FLUSH");
    expect((await producer.offer(offerOf(1))).kind).toBe("accepted");
  });
});

describe("Redis at maxmemory", () => {
  async function full<T>(work: () => Promise<T>): Promise<T> {
    // Not a little below what is used: buffers of clients are freed at any moment.
    await redis.config("SET", "maxmemory", 1);
    try {
      return await work();
    } finally {
      await redis.config("SET", "maxmemory", "0");
    }
  }

  test("offer is refused as unavailable and leaves nothing half written", async () => {
    const producer = new Producer(redis, { ...BOUNDS, max_bytes: 1e9 });
    await producer.offer(offerOf(200_000));
    const before = await snapshot();
    await full(async () => {
      const refused = await producer.offer(offerOf(100)).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(StreamUnavailableError);
    });
    expect(await snapshot()).toEqual(before);
  });

  test("begin, attempts, settle and bury still work: a full Redis becomes empty", async () => {
    const producer = new Producer(redis, { ...BOUNDS, max_bytes: 1e9 });
    const ids = await Promise.all([1, 2].map(() => producer.offer(offerOf(200_000))));
    const reader = openReader(url, redis);
    const consumer = new StreamConsumer(reader, redis, "c", 1, 60);
    await consumer.ensureGroups();
    const entries = await consumer.read(10, 100);
    expect(entries).toHaveLength(2);
    const [first, second] = ids.map((outcome) => (outcome.kind === "accepted" ? outcome.job_id : ""));
    const job = (await new JobBoard(redis).get(first!))!;
    await full(async () => {
      await consumer.begin([first!, second!], 5);
      expect(await consumer.attemptBegun(entries[0]!)).toBe(1);
      await consumer.attemptEnded(entries[0]!);
      await consumer.settle([
        { entry: entries[0]!, job: { ...job, status: "completed", inserted_readings: 1 } },
      ]);
      await consumer.bury(entries[1]!, "why", 9, {
        ...job,
        job_id: second!,
        status: "failed",
        error_message: "why",
      });
    });
    reader.close();
    expect(await redis.xlen(streamKey(0))).toBe(0);
    expect(await redis.get(backlogKey(0))).toBe("0");
    expect(await redis.xlen(deadKey(0))).toBe(1);
    const board = new JobBoard(redis);
    expect(await board.get(first!)).toMatchObject({ status: "completed", inserted_readings: 1 });
    expect(await board.get(second!)).toMatchObject({ status: "failed", error_message: "why" });
    expect(await redis.ttl(jobKey(first!))).toBeWithin(1, 61);
  });
});

describe("settle and bury sent twice", () => {
  async function oneEntry() {
    const producer = new Producer(redis, BOUNDS);
    const outcome = await producer.offer(offerOf(100));
    await producer.offer(offerOf(50));
    if (outcome.kind !== "accepted") throw new Error(outcome.kind);
    const consumer = new StreamConsumer(openReader(url, redis), redis, "c", 1, 60);
    await consumer.ensureGroups();
    const [entry] = await consumer.read(1, 10);
    const job = (await new JobBoard(redis).get(outcome.job_id))!;
    return { consumer, entry: entry!, job };
  }

  test("settle takes the bytes off once", async () => {
    const { consumer, entry, job } = await oneEntry();
    for (let i = 0; i < 2; i += 1) await consumer.settle([{ entry, job: { ...job, status: "completed" } }]);
    expect(await redis.get(backlogKey(0))).toBe("50");
    expect(await redis.xlen(streamKey(0))).toBe(1);
    expect((await redis.xpending(streamKey(0), INGEST_GROUP))[0]).toBe(0);
  });

  test("settle does not make a lost job hash anew", async () => {
    const { consumer, entry, job } = await oneEntry();
    await redis.del(jobKey(job.job_id));
    await consumer.settle([{ entry, job: { ...job, status: "completed" } }]);
    expect(await redis.exists(jobKey(job.job_id))).toBe(0);
  });

  test("bury makes one dead letter, and does not fail a job that was replayed in between", async () => {
    const { consumer, entry, job } = await oneEntry();
    const bury = () => consumer.bury(entry, "why", 9, { ...job, status: "failed", error_message: "why" });
    await bury();
    const letters = new DeadLetters(redis, 1);
    const [letter] = await Array.fromAsync(letters.list());
    expect(letter).toMatchObject({ reason: "why", buried_at_ms: 9, size: 100, meta: { job_id: job.job_id } });
    expect(await letters.revive(letter!)).toBe(true);
    expect(await letters.revive(letter!)).toBe(false);
    await bury();
    expect(await Array.fromAsync(letters.list())).toEqual([]);
    expect(await new JobBoard(redis).get(job.job_id)).toMatchObject({
      status: "queued",
      error_message: null,
    });
    expect(await redis.get(backlogKey(0))).toBe("150");
    const [revived] = await consumer.read(10, 10).then((list) => list.slice(-1));
    expect(revived!.fields.map(String)).toEqual(entry.fields.map(String));
  });

  test("the list of dead letters ends although each replayed one comes back at once", async () => {
    const { consumer, entry, job } = await oneEntry();
    await consumer.bury(entry, "why", 9, job);
    const letters = new DeadLetters(redis, 1);
    let seen = 0;
    for await (const letter of letters.list(1)) {
      seen += 1;
      expect(seen).toBe(1);
      await letters.revive(letter);
      const [again] = (await consumer.read(10, 10)).slice(-1);
      await consumer.bury(again!, "again", 10, job);
    }
    expect(await redis.xlen(deadKey(0))).toBe(1);
  });

  test("the counter of bytes is right again after a foreign entry has passed", async () => {
    const { consumer, entry, job } = await oneEntry();
    await redis.xadd(
      streamKey(0),
      "*",
      ...(encodeEntry(
        { ...offerOf(1), job_id: newJobId(0) } as EntryMeta,
        Buffer.alloc(9_000),
      ) as unknown as [string, string]),
    );
    const others = await consumer.read(10, 10);
    for (const one of [entry, ...others])
      await consumer.settle([{ entry: one, job: { ...job, status: "completed" } }]);
    expect(await redis.get(backlogKey(0))).toBe("0");
  });
});

describe("Idempotency-Key", () => {
  test("a claimed key is in flight for everybody else, and free again when abandoned or too old", async () => {
    const store = new IdempotencyStore(redis, 4, 60_000);
    const first = await store.begin(USER, "k");
    if (first.kind !== "fresh") throw new Error(first.kind);
    expect(await store.begin(USER, "k")).toEqual({ kind: "in_flight" });
    expect((await store.begin(SYSTEM, "k")).kind).toBe("fresh");
    await store.abandon(first.claim);
    const short = new IdempotencyStore(redis, 4, 50);
    expect((await short.begin(USER, "k")).kind).toBe("fresh");
    await until("the claim is too old", async () => (await store.begin(USER, "k")).kind === "fresh");
    expect(await store.begin(USER, "k")).toEqual({ kind: "in_flight" });
  });

  test("who was too slow frees neither the claim nor the answer of the next", async () => {
    const store = new IdempotencyStore(redis, 1, 60_000);
    const slow = await store.begin(USER, "k");
    if (slow.kind !== "fresh") throw new Error(slow.kind);
    await redis.del(slow.claim.redisKey);
    const next = await store.begin(USER, "k");
    if (next.kind !== "fresh") throw new Error(next.kind);
    await store.abandon(slow.claim);
    expect((await store.begin(USER, "k")).kind).toBe("in_flight");
    const idempotency = { ...next.claim, fingerprint: "f" };
    await new Producer(redis, BOUNDS).offer(offerOf(1, { idempotency }));
    await store.abandon(slow.claim);
    await store.abandon(next.claim);
    expect((await store.begin(USER, "k")).kind).toBe("answered");
  });

  test("who was too slow makes no second job: not while the next is at it, nor when its job is made", async () => {
    const store = new IdempotencyStore(redis, 1, 60_000);
    const producer = new Producer(redis, BOUNDS);
    const claimed = async () => {
      const state = await store.begin(USER, "k");
      if (state.kind !== "fresh") throw new Error(state.kind);
      return { ...state.claim, fingerprint: "f" };
    };
    const slow = await claimed();
    await redis.del(slow.redisKey);
    const next = await claimed();
    const late = () => producer.offer(offerOf(1, { idempotency: slow }));
    const before = await snapshot();
    expect(await late()).toEqual({ kind: "overtaken" });
    expect(await snapshot()).toEqual(before);
    const made = await producer.offer(offerOf(1, { idempotency: next }));
    expect(await late()).toEqual({ kind: "overtaken" });
    expect(await redis.xlen(streamKey(0))).toBe(1);
    expect(await store.begin(USER, "k")).toMatchObject({
      kind: "answered",
      job_id: "job_id" in made && made.job_id,
    });
  });

  test("who was too slow, but has not been overtaken, makes the job", async () => {
    const store = new IdempotencyStore(redis, 1, 60_000);
    const state = await store.begin(USER, "k");
    if (state.kind !== "fresh") throw new Error(state.kind);
    await redis.del(state.claim.redisKey);
    const idempotency = { ...state.claim, fingerprint: "f" };
    expect((await new Producer(redis, BOUNDS).offer(offerOf(1, { idempotency }))).kind).toBe("accepted");
    expect((await store.begin(USER, "k")).kind).toBe("answered");
  });

  test("a hundred requests at once get one claim", async () => {
    const store = new IdempotencyStore(redis, 1, 60_000);
    const states = await Promise.all(Array.from({ length: 100 }, () => store.begin(USER, "k")));
    expect(states.filter(({ kind }) => kind === "fresh")).toHaveLength(1);
  });
});

describe("hold and drop of a lock", () => {
  test("one owner at a time, prolonged by itself, dropped only by itself", async () => {
    expect(await redis.hiHold("lock", "a", 60_000)).toBe(1);
    expect(await redis.hiHold("lock", "b", 60_000)).toBe(0);
    await redis.pexpire("lock", 5_000);
    expect(await redis.hiHold("lock", "a", 60_000)).toBe(1);
    expect(await redis.pttl("lock")).toBeGreaterThan(50_000);
    expect(await redis.hiDrop("lock", "b")).toBe(0);
    expect(await redis.hiDrop("lock", "a")).toBe(1);
    expect(await redis.hiHold("lock", "b", 60_000)).toBe(1);
  });
});
