/** The same batch changes the database once, however often and by whomever it is delivered. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { backlogKey, INGEST_GROUP, streamKey } from "../../../src/stream/keys.ts";
import { IngestBench, reading, SYSTEM } from "../../support/ingest-bench.ts";
import { until } from "../../support/until.ts";

let bench: IngestBench;
beforeAll(async () => {
  bench = await IngestBench.create();
});
afterEach(() => bench.clear());
afterAll(() => bench.close());

const batch = (sensors: number, seconds: number) =>
  Array.from({ length: sensors * seconds }, (_, i) => reading(i % sensors, Math.floor(i / sensors)));
const bodyOf = (readings: readonly unknown[]) => Buffer.from(JSON.stringify({ system_id: SYSTEM, readings }));

async function dirtyHours(): Promise<number> {
  const [row] = await bench.database.sql<
    { n: number }[]
  >`SELECT count(*)::int AS n FROM diagnostics_dirty_hour`;
  return row!.n;
}

describe("a batch delivered any number of times changes the database once", () => {
  test("five entries with one job id, read together", async () => {
    const readings = [...batch(3, 20), { broken: true }, reading(0, 0), reading(0, 0, 7)];
    const meta = bench.meta(readings.length);
    for (let i = 0; i < 5; i += 1) await bench.add(meta, bodyOf(readings));
    const told = await bench.work("w");
    expect(await bench.counts(meta.job_id)).toEqual({
      total: 63,
      inserted: 60,
      duplicate: 1,
      quarantined: 2,
      status: "completed",
    });
    expect(await bench.rows()).toHaveLength(60);
    expect(await bench.quarantine()).toHaveLength(2);
    expect(await dirtyHours()).toBe(1);
    expect(told.filter(({ kind }) => kind === "committed")).toHaveLength(1);
    expect(told.filter(({ kind }) => kind === "dead_letter")).toHaveLength(0);
  });

  test("five entries with one job id, read by three pipelines at once", async () => {
    const readings = [...batch(5, 200), { broken: true }];
    const meta = bench.meta(readings.length);
    const pipelines = ["a", "b", "c"].map((name) => bench.start(name));
    await Promise.all(Array.from({ length: 5 }, () => bench.add(meta, bodyOf(readings))));
    await bench.empty();
    for (const pipeline of pipelines) await pipeline.drain();
    expect(await bench.counts(meta.job_id)).toMatchObject({ inserted: 1000, duplicate: 0, quarantined: 1 });
    expect(await bench.rows()).toHaveLength(1000);
    expect(await bench.quarantine()).toHaveLength(1);
    const commits = pipelines.flatMap(({ told }) => told.filter(({ kind }) => kind === "committed"));
    expect(commits).toHaveLength(1);
  });

  test("committed, and the acknowledgement lost: the next consumer only acknowledges", async () => {
    const job_id = await bench.offer([...batch(2, 10), "broken"]);
    const [[, [[, fields]]]] = (await bench.redis
      .xrangeBuffer(streamKey(0), "-", "+")
      .then((rows) => [[null, rows]])) as unknown as [[null, [[Buffer, Buffer[]]]]];
    await bench.work("first");
    const before = await bench.quarantine();
    // The entry comes back as if XACK and XDEL had never been sent, in the hands of a consumer that is dead.
    await bench.redis.xadd(streamKey(0), "*", ...fields);
    await bench.redis.xreadgroup("GROUP", INGEST_GROUP, "dead", "STREAMS", streamKey(0), ">");
    const told = await bench.work("second", { predecessor: "dead" });
    expect(told.filter(({ kind }) => kind === "committed")).toHaveLength(0);
    expect(await bench.rows()).toHaveLength(20);
    expect(await bench.quarantine()).toEqual(before);
    expect(await bench.board.get(job_id)).toMatchObject({ status: "completed", inserted_readings: 20 });
  });

  test("entries of a consumer that died silently are claimed after their idle time and finish once", async () => {
    const ids = await Promise.all([1, 2, 3].map((n) => bench.offer(batch(n, 10))));
    await bench.redis.xgroup("CREATE", streamKey(0), INGEST_GROUP, "0");
    await bench.redis.xreadgroup("GROUP", INGEST_GROUP, "dead", "STREAMS", streamKey(0), ">");
    await bench.work("heir");
    const counts = await Promise.all(ids.map((id) => bench.counts(id)));
    const sum = (pick: (c: (typeof counts)[number]) => number) => counts.reduce((n, c) => n + pick(c), 0);
    expect({ inserted: sum((c) => c.inserted), duplicate: sum((c) => c.duplicate) }).toEqual({
      inserted: 30,
      duplicate: 30,
    });
    expect(await bench.redis.get(backlogKey(0))).toBe("0");
    expect(await bench.redis.keys("attempts:*")).toEqual([]);
  });
});

test("entries in hand are not claimed by others while their pipeline waits", async () => {
  // A lock on the job table holds the first pipeline in its transaction for longer than the claim time.
  const job_id = await bench.offer(batch(1, 10));
  const lock = await bench.database.sql.reserve();
  await lock`BEGIN`;
  await lock`LOCK TABLE diagnostics_ingestion_job IN EXCLUSIVE MODE`;
  // Three times as long as the pause between two signs of life: a slow machine may be late with one.
  const claim_idle_ms = 9_000;
  const first = bench.start("first", { claim_idle_ms });
  await until(
    "the first pipeline holds it",
    async () => (await bench.pendingOf("first").catch(() => [])).length === 1,
  );
  const second = bench.start("second", { claim_idle_ms });
  // Four signs of life are more than a claim time: the owner never changes.
  let signs = 0;
  let last_ms = 0;
  await until(
    "four signs of life",
    async () => {
      const pending = await bench.redis.xpending(streamKey(0), INGEST_GROUP, "-", "+", 10);
      const [[, owner, idle_ms] = []] = pending as [string, string, number][];
      expect(owner).toBe("first");
      if (idle_ms! < last_ms) signs += 1;
      last_ms = idle_ms!;
      return signs === 4;
    },
    90_000,
  );
  await lock`COMMIT`;
  lock.release();
  expect(await bench.ended(job_id)).toMatchObject({ status: "completed", inserted_readings: 10 });
  await first.drain();
  await second.drain();
  expect(second.told.filter(({ kind }) => kind === "committed")).toHaveLength(0);
});

test("two pipelines with overlapping batches in opposite order: no deadlock, every reading accounted for", async () => {
  const sensors = 20;
  const seconds = 50;
  const all = batch(sensors, seconds);
  const ids: string[] = [];
  const pipelines = ["a", "b"].map((name) => bench.start(name));
  for (let i = 0; i < 12; i += 1) {
    const readings = (i % 2 === 0 ? all : all.toReversed()).map((r, n) =>
      i > 6 && n % 10 === 0 ? { ...r, value: 200 + i } : r,
    );
    ids.push(await bench.offer(readings));
  }
  await bench.empty(60_000);
  for (const pipeline of pipelines) await pipeline.drain();
  const counts = await Promise.all(ids.map((id) => bench.counts(id)));
  for (const c of counts) expect(c.inserted + c.duplicate + c.quarantined).toBe(c.total);
  expect(counts.reduce((n, c) => n + c.inserted, 0)).toBe(1000);
  expect(await bench.rows()).toHaveLength(1000);
  expect(await bench.quarantine()).toHaveLength(counts.reduce((n, c) => n + c.quarantined, 0));
  const [stats] = await bench.database.sql<{ deadlocks: string }[]>`
    SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`;
  expect(Number(stats!.deadlocks)).toBe(0);
});

test("when the stream's groups are lost with Redis' data, they are made again and new batches finish", async () => {
  const pipeline = bench.start("w");
  await bench.ended(await bench.offer(batch(1, 5)));
  await bench.redis.flushdb();
  const job_id = await bench.offer(batch(2, 5));
  expect(await bench.ended(job_id)).toMatchObject({ status: "completed", inserted_readings: 5 });
  await pipeline.drain();
});

test("drain finishes what is in hand, reads nothing new, and gives up at its deadline", async () => {
  const lock = await bench.database.sql.reserve();
  await lock`BEGIN`;
  await lock`LOCK TABLE diagnostics_ingestion_job IN EXCLUSIVE MODE`;
  const job_id = await bench.offer(batch(1, 10));
  const patient = bench.start("patient");
  await until("in hand", () => patient.inHand() === 1);
  const drained = patient.drain(60_000);
  const late = await bench.offer(batch(2, 10));
  await lock`COMMIT`;
  await drained;
  expect(await bench.ended(job_id)).toMatchObject({ status: "completed" });

  await lock`BEGIN`;
  await lock`LOCK TABLE diagnostics_ingestion_job IN EXCLUSIVE MODE`;
  const hasty = bench.start("hasty");
  await until("in hand", () => hasty.inHand() === 1);
  const begin = performance.now();
  await hasty.drain(200);
  expect(performance.now() - begin).toBeLessThan(15_000);
  await lock`COMMIT`;
  lock.release();
  await bench.work("next", { predecessor: "hasty" });
  expect((await bench.counts(late)).status).toBe("completed");
});
