/** Redis loses data: what was accepted and not stored is told, job by job; nothing else is; and nothing is stored twice. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { LOST_MESSAGE } from "../../../src/store/lost-jobs.ts";
import { ready, StreamUnavailableError, workClient } from "../../../src/stream/connection.ts";
import { DeadLetters } from "../../../src/stream/dead-letters.ts";
import { deadKey, INGEST_GROUP, jobKey, streamKey } from "../../../src/stream/keys.ts";
import { IngestBench } from "../../support/ingest-bench.ts";
import { Losses, TTL_S } from "../../support/losses.ts";
import { createProxy, type TcpProxy } from "../../support/proxy.ts";
import { reopenJob } from "../../support/replay.ts";
import { until } from "../../support/until.ts";
import { makeUser, makeWebhook } from "../../support/webhooks.ts";

let bench: IngestBench;
let proxy: TcpProxy;
let losses: Losses;
beforeAll(async () => {
  bench = await IngestBench.create(2);
  proxy = await createProxy(bench.redisUrl);
});
beforeEach(() => {
  losses = new Losses(bench);
});
afterEach(async () => {
  proxy.resume();
  await bench.clear();
  await bench.database.sql`TRUNCATE diagnostics_webhook, diagnostics_webhook_delivery`;
});
afterAll(async () => {
  await bench.close();
  await proxy.close();
});

/** What Redis holds, to be brought back as it was. */
async function snapshot(): Promise<() => Promise<void>> {
  const keys = await bench.redis.keys("*");
  const values = await Promise.all(keys.map((key) => bench.redis.dumpBuffer(key)));
  return async () => {
    await bench.redis.flushdb();
    for (const [i, key] of keys.entries()) await bench.redis.restore(key, 0, values[i]!);
  };
}

describe("Redis is emptied", () => {
  test("every job that waited fails at the second look and says what to do; what was sent again is stored once", async () => {
    const ids = await losses.accepted(4);
    await bench.redis.flushdb();
    const one = losses.finder();
    await one.look();
    expect(await losses.statusOf(ids)).toEqual(Array(4).fill("queued"));
    await one.look();
    for (const id of ids) {
      const job = (await bench.jobs.get(id))!;
      expect(job).toMatchObject({ status: "failed", error_message: LOST_MESSAGE, inserted_readings: 0 });
      expect(job.completed_at_ms).toBeGreaterThan(0);
    }
    expect(losses.lost).toBe(4);
    await one.look();
    expect(losses.lost).toBe(4);

    const again = await Promise.all(ids.map((_, n) => losses.offer(n)));
    await bench.work("w");
    for (const id of again)
      expect(await bench.counts(id)).toMatchObject({ status: "completed", inserted: 3 });
    expect(await bench.rows()).toHaveLength(12);
    expect(await losses.statusOf(ids)).toEqual(Array(4).fill("failed"));
  });

  test("webhooks are told as of any other end of a job", async () => {
    const owner = await makeUser(bench.database, "admin");
    const { id: webhook } = await makeWebhook(bench.database, "https://hook.example/", {
      owner,
      scope: "all",
    });
    const [id] = await losses.accepted(1);
    await bench.redis.flushdb();
    await losses.lookTwice();
    const rows = await bench.database.sql`
      SELECT webhook_id, event, subject_id, snapshot->>'error_message' AS why FROM diagnostics_webhook_delivery`;
    expect([...rows]).toEqual([
      { webhook_id: webhook, event: "job.failed", subject_id: id, why: LOST_MESSAGE },
    ] as never);
  });

  test("what was stored before, and what came after, is left alone", async () => {
    const [stored] = await losses.accepted(1);
    await bench.work("w");
    const [gone] = await losses.accepted(1);
    await bench.redis.flushdb();
    const fresh = await Promise.all(Array.from({ length: 30 }, (_, n) => losses.offer(10 + n)));
    await losses.mirrored();
    await losses.lookTwice();
    expect(await losses.statusOf([stored!, gone!])).toEqual(["completed", "failed"]);
    expect(new Set(await losses.statusOf(fresh))).toEqual(new Set(["queued"]));
    expect(losses.lost).toBe(1);
  });

  test("a stream that was deleted by hand, its hashes left, is noticed, too, and the hashes say so", async () => {
    const ids = await losses.accepted(2);
    await bench.redis.del(streamKey(0));
    await losses.lookTwice();
    expect((await losses.statusOf(ids)).sort()).toEqual(["failed", "queued"]);
    const [failed] = ids.filter((id) => id.endsWith("00"));
    expect(await bench.board.get(failed!)).toMatchObject({ status: "failed", error_message: LOST_MESSAGE });
    expect(await bench.redis.ttl(jobKey(failed!))).toBeWithin(1, TTL_S + 1);
  });

  test("entries cut off the old end of the stream are noticed while others wait", async () => {
    const ids = await losses.accepted(8);
    const inFirst = ids.filter((id) => id.endsWith("00"));
    await bench.redis.xtrim(streamKey(0), "MAXLEN", "=", 1);
    await losses.lookTwice();
    expect(await losses.statusOf(inFirst)).toEqual(["failed", "failed", "failed", "queued"]);
  });

  test("PostgreSQL restored from an older dump: what only Redis knows to be stored is told to be missing", async () => {
    const [id] = await losses.accepted(1);
    await bench.work("w");
    await bench.database.sql`TRUNCATE diagnostics_sensordata`;
    await bench.database.sql`UPDATE diagnostics_ingestion_job SET status = 'queued', completed_at = NULL`;
    expect((await bench.board.get(id!))!.status).toBe("completed");
    await losses.lookTwice();
    expect(await losses.statusOf([id!])).toEqual(["failed"]);
    expect(await bench.board.get(id!)).toMatchObject({ status: "failed", error_message: LOST_MESSAGE });
  });
});

describe("nothing is told to be lost that is", () => {
  const nothingIsLost = async (ids: readonly string[]) => {
    await losses.lookTwice();
    await losses.lookTwice();
    expect(losses.lost).toBe(0);
    expect(await losses.statusOf(ids)).not.toContain("failed");
  };

  test("waiting, whatever its clock says and whichever program wrote it, its hash deleted or not", async () => {
    const ids = await losses.accepted(4);
    await bench.redis.hdel(jobKey(ids[0]!), "entry");
    await bench.redis.del(jobKey(ids[1]!));
    await bench.database
      .sql`UPDATE diagnostics_ingestion_job SET created_at = now() + interval '9 hours' WHERE id = ${ids[2]!}`;
    await bench.database
      .sql`UPDATE diagnostics_ingestion_job SET created_at = now() - interval '9 hours' WHERE id = ${ids[3]!}`;
    await nothingIsLost(ids);
  });

  test("in work, or left behind by a dead consumer", async () => {
    const ids = await losses.accepted(4);
    await bench.redis.xgroup("CREATE", streamKey(0), INGEST_GROUP, "0");
    await bench.redis.xreadgroup("GROUP", INGEST_GROUP, "dead", "STREAMS", streamKey(0), ">");
    const lock = await bench.database.sql.reserve();
    await lock`BEGIN`;
    await lock`LOCK TABLE diagnostics_sensordata IN EXCLUSIVE MODE`;
    const pipeline = bench.start("w", { claim_idle_ms: 60_000 });
    await until("in hand", () => pipeline.inHand() === 2);
    await nothingIsLost(ids);
    await lock`COMMIT`;
    lock.release();
  });

  test("a dead letter, also while its replay has begun and not ended", async () => {
    const [id] = await losses.accepted(1);
    await bench.redis.xadd(streamKey(0), "*", ...["v", "1", "m", JSON.stringify(bench.meta(1)), "b", "x"]);
    await bench.work("w");
    const [letter] = await Array.fromAsync(new DeadLetters(bench.redis, 2).list());
    await reopenJob(bench.database, letter!.meta!.job_id);
    await nothingIsLost([id!, letter!.meta!.job_id]);
    expect(await bench.redis.xlen(deadKey(0))).toBe(1);
    await new DeadLetters(bench.redis, 2).revive(letter!);
    await nothingIsLost([letter!.meta!.job_id]);
  });

  test("not known yet to PostgreSQL, or of a partition that there is no more", async () => {
    const ids = await Promise.all([1, 2].map((n) => losses.offer(n)));
    await nothingIsLost([]);
    await losses.mirrored();
    // Who looks does not even know how many partitions there are.
    await nothingIsLost(ids);
  });

  test("behind a Redis that is away or silent: the look fails, and what was suspect before is not believed", async () => {
    const [id] = await losses.accepted(1);
    const back = await snapshot();
    const redis = workClient(proxy.through(bench.redisUrl));
    await ready(redis, 30_000);
    const one = losses.finder("finder", redis);
    await bench.redis.flushdb();
    await one.look();
    redis.disconnect();
    await expect(one.look()).rejects.toBeInstanceOf(StreamUnavailableError);
    await back();
    await until("its connection has ended", () => redis.status === "end");
    await redis.connect();
    await one.look();
    await one.look();
    await one.stop();
    redis.disconnect();
    expect(await losses.statusOf([id!])).toEqual(["queued"]);
    expect(losses.lost).toBe(0);
  });

  test("looked for by one process at a time", async () => {
    const ids = await losses.accepted(1);
    await bench.redis.flushdb();
    const [one, two] = [losses.finder("one"), losses.finder("two")];
    for (const each of [one, two, two, two]) await each.look();
    expect(await losses.statusOf(ids)).toEqual(["queued"]);
    await one.stop();
    await two.look();
    await two.look();
    expect(await losses.statusOf(ids)).toEqual(["failed"]);
    await two.stop();
  });
});

describe("the data comes back after the report", () => {
  test("an older snapshot: lost jobs are stored and end once more, what was stored stays as it is, each reading once", async () => {
    const ids = await losses.accepted(6);
    const back = await snapshot();
    const half = ids.filter((id) => id.endsWith("00"));
    await bench.work("w1");
    await bench.redis.flushdb();
    const late = await losses.offer(6);
    await losses.mirrored();
    const after = await snapshot();
    await bench.redis.flushdb();
    await losses.lookTwice();
    expect(await losses.statusOf([late])).toEqual(["failed"]);
    // Two of the snapshot's were never stored either.
    await bench.database.sql`TRUNCATE diagnostics_sensordata`;
    await bench.database.sql`UPDATE diagnostics_ingestion_job SET status = 'queued', completed_at = NULL
      WHERE id = ANY(${bench.database.sql.array(half, 2951)}::uuid[])`;
    await losses.lookTwice();
    expect(losses.lost).toBe(1 + half.length);
    // The producer has sent one of them again.
    await losses.offer(ids.indexOf(half[0]!));
    await bench.work("w2");

    await back();
    await bench.work("w3");
    expect(await losses.statusOf(ids)).toEqual(Array(6).fill("completed"));
    await after();
    await bench.work("w4");
    expect(await bench.counts(late)).toMatchObject({ status: "completed", inserted: 3 });
    const counts = await Promise.all(half.map((id) => bench.counts(id)));
    for (const { inserted, duplicate, total } of counts) expect(inserted + duplicate).toBe(total);
    expect(await bench.rows()).toHaveLength(3 * half.length + 3);
    const [marked] = await bench.database.sql`
      SELECT count(*)::int AS n FROM diagnostics_ingestion_job WHERE lost_at IS NOT NULL`;
    expect(marked!.n).toBe(0);
    expect(await bench.redis.xlen(deadKey(0))).toBe(0);
  });

  test("a batch that a worker had in its hands all the time is stored, although its job was given up", async () => {
    const lock = await bench.database.sql.reserve();
    await lock`BEGIN`;
    await lock`LOCK TABLE diagnostics_sensordata IN EXCLUSIVE MODE`;
    const [id] = await losses.accepted(1);
    const pipeline = bench.start("w");
    await until("in hand", () => pipeline.inHand() === 1);
    await bench.redis.flushdb();
    await losses.lookTwice();
    expect(await losses.statusOf([id!])).toEqual(["failed"]);
    await lock`COMMIT`;
    lock.release();
    await until("stored", async () => (await losses.statusOf([id!]))[0] === "completed");
    expect(await bench.counts(id!)).toMatchObject({ inserted: 3, total: 3 });
    await pipeline.drain();
  });
});
