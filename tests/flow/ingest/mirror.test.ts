/** The job mirror: Postgres hears of queued jobs, in bulk, once, and never against what a worker wrote. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { partitionOf } from "../../../src/contract/job-id.ts";
import { JobMirror } from "../../../src/ingest/mirror.ts";
import { createLogger } from "../../../src/ops/log.ts";
import { jobKey, mirrorKey, mirrorLockKey } from "../../../src/stream/keys.ts";
import { MirrorFeed } from "../../../src/stream/mirror-feed.ts";
import { IngestBench, reading } from "../../support/ingest-bench.ts";
import { until } from "../../support/until.ts";

let bench: IngestBench;
const mirrors: JobMirror[] = [];
beforeAll(async () => {
  bench = await IngestBench.create(2);
});
afterEach(async () => {
  for (const mirror of mirrors.splice(0)) await mirror.stop(5_000);
  await bench.clear();
});
afterAll(() => bench.close());

const log = createLogger({ level: "error", format: "json" });
const feedOf = (owner: string) => new MirrorFeed(bench.redis, owner);
function start(owner: string): JobMirror {
  const mirror = new JobMirror(feedOf(owner), bench.jobs, 2, log);
  mirror.start();
  mirrors.push(mirror);
  return mirror;
}
const notes = async () => (await bench.redis.xlen(mirrorKey(0))) + (await bench.redis.xlen(mirrorKey(1)));
const mirrored = () => until("no note is left", async () => (await notes()) === 0);

test("queued jobs stand in Postgres while no worker runs", async () => {
  const ids = await Promise.all([1, 2, 3].map((n) => bench.offer([reading(n, 0)])));
  expect(await bench.jobs.many(ids)).toEqual([]);
  start("m");
  await mirrored();
  for (const id of ids) expect(await bench.jobs.get(id)).toEqual((await bench.board.get(id))!);
});

test("a job that has ended meanwhile stays as its worker wrote it, whatever the mirror believes", async () => {
  const job_id = await bench.offer([reading(1, 0)]);
  const feed = feedOf("m");
  const partition = partitionOf(job_id);
  const page = await feed.page(partition, 100);
  expect(page!.open.map(({ meta, status }) => [meta.job_id, status])).toEqual([[job_id, "queued"]]);
  await bench.work("w");
  const before = await bench.jobs.get(job_id);
  expect(before).toMatchObject({ status: "completed" });
  // The page was read before the end, and is written after it.
  await bench.jobs.mirror(page!.open);
  expect(await bench.jobs.get(job_id)).toEqual(before);
  await feed.forget(page!);
  expect(await notes()).toBe(0);
});

test("ended jobs are not mirrored at all, a lost hash counts as queued", async () => {
  const [ended, lost] = [await bench.offer([reading(1, 0)]), await bench.offer([reading(2, 0)])];
  await bench.redis.hset(jobKey(ended), "status", "failed");
  await bench.redis.del(jobKey(lost));
  start("m");
  await mirrored();
  expect(await bench.jobs.get(ended)).toBeNull();
  expect(await bench.jobs.get(lost)).toMatchObject({ status: "queued" });
});

test("two mirrors at once are harmless, and one partition has one mirror at a time", async () => {
  expect(await feedOf("a").page(0, 1)).not.toBeNull();
  expect(await feedOf("b").page(0, 1)).toBeNull();
  await feedOf("b").release(0);
  expect(await feedOf("b").page(0, 1)).toBeNull();
  await feedOf("a").release(0);
  expect(await feedOf("b").page(0, 1)).not.toBeNull();
  await feedOf("b").release(0);
  const ids = await Promise.all(Array.from({ length: 200 }, (_, n) => bench.offer([reading(n, 0)])));
  start("a");
  start("b");
  await mirrored();
  expect((await bench.jobs.many(ids)).length).toBe(200);
});

test("a mirror that stops lets the next go on at once", async () => {
  const first = start("first");
  await until(
    "it holds both",
    async () => (await bench.redis.exists(mirrorLockKey(0), mirrorLockKey(1))) === 2,
  );
  await first.stop(5_000);
  expect(await bench.redis.exists(mirrorLockKey(0), mirrorLockKey(1))).toBe(0);
});

test("a note that cannot be read does not hold up the others", async () => {
  await bench.redis.xadd(mirrorKey(0), "*", "m", "{broken");
  await bench.redis.xadd(mirrorKey(0), "*", "m", JSON.stringify({ ...bench.meta(1), job_id: "x" }));
  const job_id = await bench.offer([reading(1, 0)]);
  start("m");
  await mirrored();
  expect(await bench.jobs.get(job_id)).toMatchObject({ status: "queued" });
});
