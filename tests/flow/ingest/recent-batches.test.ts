/** What an API process has accepted lately, and tells PostgreSQL of when Redis loses it before the mirror has. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { RecentBatches } from "../../../src/api/batch/recent-batches.ts";
import { JobStore } from "../../../src/store/jobs.ts";
import { StreamUnavailableError } from "../../../src/stream/connection.ts";
import { JobBoard } from "../../../src/stream/jobs.ts";
import { jobKey } from "../../../src/stream/keys.ts";
import { Whereabouts } from "../../../src/stream/whereabouts.ts";
import { IngestBench, SYSTEM, USER } from "../../support/ingest-bench.ts";
import { Losses, SILENT } from "../../support/losses.ts";

let bench: IngestBench;
let losses: Losses;
beforeAll(async () => {
  bench = await IngestBench.create(2);
});
beforeEach(() => {
  losses = new Losses(bench);
});
afterEach(() => bench.clear());
afterAll(() => bench.close());

describe("batches that PostgreSQL has not heard of", () => {
  const metaOf = (job_id: string, total_readings = 3) => ({
    ...bench.meta(total_readings, job_id),
    system_id: SYSTEM,
    user_id: USER,
  });
  const memory = (max_batches = 100) =>
    new RecentBatches(
      { partitions: 2, max_batches },
      new Whereabouts(bench.redis),
      new JobStore(bench.database),
      SILENT,
    );

  test("are told by the process that accepted them, and found to be lost", async () => {
    const recent = memory();
    await recent.look();
    const ids = await Promise.all([1, 2, 3].map((n) => losses.offer(n)));
    for (const id of ids) recent.note(metaOf(id));
    await recent.look();
    expect(await losses.statusOf(ids)).toEqual([undefined, undefined, undefined]);
    await bench.redis.flushdb();
    const fresh = await losses.offer(4);
    recent.note(metaOf(fresh));
    await recent.look();
    await losses.lookTwice();
    expect(await losses.statusOf(ids)).toEqual(["failed", "failed", "failed"]);
    expect(await bench.jobs.get(ids[0]!)).toMatchObject({
      system_id: SYSTEM,
      created_by: USER,
      total_readings: 3,
    });
    expect(await losses.statusOf([fresh])).toEqual([undefined]);
    expect(losses.lost).toBe(3);
  });

  test("are told when PostgreSQL is back, if it was away, too; and only as many as are remembered", async () => {
    const failing = new JobStore(bench.database);
    let away = true;
    const jobs = {
      mirror: (open: Parameters<JobStore["mirror"]>[0]) => {
        if (away) throw new StreamUnavailableError("away");
        return failing.mirror(open);
      },
    };
    const recent = new RecentBatches(
      { partitions: 2, max_batches: 2 },
      new Whereabouts(bench.redis),
      jobs,
      SILENT,
    );
    await recent.look();
    const ids: string[] = [];
    for (const n of [1, 2, 3]) {
      const id = await losses.offer(n);
      ids.push(id);
      recent.note(metaOf(id));
    }
    await bench.redis.flushdb();
    await expect(recent.look()).rejects.toThrow("away");
    away = false;
    await recent.look();
    expect(await losses.statusOf(ids)).toEqual([undefined, "queued", "queued"]);
  });

  test("are told while no worker runs: when they become many, and when the process stops in order", async () => {
    const recent = memory(6);
    await recent.look();
    const ids: string[] = [];
    for (const n of [1, 2, 3]) ids.push(await losses.offer(n));
    for (const id of ids) recent.note(metaOf(id));
    await recent.look();
    expect(await losses.statusOf(ids)).toEqual([undefined, undefined, undefined]);
    ids.push(await losses.offer(4));
    recent.note(metaOf(ids[3]!));
    await recent.look();
    expect(await losses.statusOf(ids)).toEqual(["queued", "queued", "queued", "queued"]);
    ids.push(await losses.offer(5));
    recent.note(metaOf(ids[4]!));
    await recent.stop(5_000);
    await bench.redis.flushdb();
    await losses.lookTwice();
    expect(await losses.statusOf(ids)).toEqual(Array(5).fill("failed"));
    expect(losses.lost).toBe(5);
  });

  test("of an ordered stop are not told again when they have ended, and a silent PostgreSQL does not hold it up", async () => {
    const told: string[] = [];
    const jobs = {
      mirror: (open: Parameters<JobStore["mirror"]>[0]) => {
        told.push(...open.map(({ meta }) => meta.job_id));
        return new Promise<void>(() => undefined);
      },
    };
    const recent = new RecentBatches({ partitions: 2 }, new Whereabouts(bench.redis), jobs, SILENT);
    await recent.look();
    const ids = [await losses.offer(1), await losses.offer(2)];
    for (const id of ids) recent.note(metaOf(id));
    await bench.redis.hset(jobKey(ids[0]!), "status", "completed");
    // It ends what hangs; Redis must have answered before.
    await recent.stop(3_000);
    expect(told).toEqual([ids[1]!]);
  });

  test("what Redis still has is not told, whatever happened to its server", async () => {
    const back = await (async () => {
      const recent = memory();
      await recent.look();
      const id = await losses.offer(1);
      recent.note(metaOf(id));
      await bench.redis.set("lineage:{0}", "another");
      await recent.look();
      return id;
    })();
    expect(await losses.statusOf([back])).toEqual([undefined]);
    expect((await new JobBoard(bench.redis).get(back))!.status).toBe("queued");
  });
});
