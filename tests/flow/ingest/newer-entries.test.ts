/**
 * A rolling upgrade in the wrong order: an API of a newer program writes entries that the workers of this one cannot
 * read. They wait for newer workers; nothing fails, nothing is lost, and nobody behind them waits.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { NEWEST_VERSION } from "../../../src/contract/entry-body.ts";
import { StreamConsumer } from "../../../src/stream/consumer.ts";
import { openReader } from "../../../src/stream/dedicated.ts";
import { jobFields } from "../../../src/stream/jobs.ts";
import { deadKey, jobKey, streamKey } from "../../../src/stream/keys.ts";
import { IngestBench, reading } from "../../support/ingest-bench.ts";
import { until } from "../../support/until.ts";

let bench: IngestBench;
beforeAll(async () => {
  bench = await IngestBench.create();
});
afterEach(() => bench.clear());
afterAll(() => bench.close());

const newer = NEWEST_VERSION + 1;

test("entries of a newer version stay for newer workers, their jobs queued; what is around them is stored", async () => {
  const about = bench.meta(1);
  await bench.redis.hset(jobKey(about.job_id), ...jobFields(about));
  const before = await bench.offer([reading(1, 1)]);
  const id = await bench.addFields(["v", String(newer), "m", JSON.stringify(about), "b", "of tomorrow"]);
  const after = await bench.offer([reading(1, 2)]);
  const workers = [bench.start("one"), bench.start("two")];
  for (const job of [before, after]) expect(await bench.ended(job)).toMatchObject({ status: "completed" });
  await until("it waits", async () => (await bench.health.look()).too_new === 1);
  const late = await bench.offer([reading(1, 3)]);
  expect(await bench.ended(late)).toMatchObject({ status: "completed" });

  expect(await bench.board.get(about.job_id)).toMatchObject({ status: "queued", error_message: null });
  expect(await bench.redis.xlen(deadKey(0))).toBe(0);
  expect(await bench.redis.xrange(streamKey(0), "-", "+")).toEqual([
    [id, ["v", String(newer), "m", JSON.stringify(about), "b", "of tomorrow"]],
  ]);
  expect(workers.flatMap(({ told }) => told.filter(({ kind }) => kind === "dead_letter"))).toEqual([]);

  for (const worker of workers) await worker.drain();
  const upgraded = new StreamConsumer(
    openReader(bench.redisUrl, bench.redis),
    bench.redis,
    "upgraded",
    1,
    60,
    newer,
  );
  const [taken, ...more] = await upgraded.claimIdle(60_000, 10);
  expect(more).toEqual([]);
  expect(taken).toMatchObject({ id, redelivered: true });
  expect(taken!.fields[5]!.toString()).toBe("of tomorrow");
});
