/** Pipelines while Redis or PostgreSQL is away: nothing lost, nothing doubled, and a drain that ends all the same. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { IngestBench, reading } from "../../support/ingest-bench.ts";
import { createProxy, type TcpProxy } from "../../support/proxy.ts";
import { until } from "../../support/until.ts";

let bench: IngestBench;
let redisProxy: TcpProxy;
let postgresProxy: TcpProxy;
beforeAll(async () => {
  bench = await IngestBench.create();
  [redisProxy, postgresProxy] = await Promise.all([
    createProxy(bench.redisUrl),
    createProxy(bench.databaseUrl),
  ]);
});
afterEach(async () => {
  redisProxy.resume();
  postgresProxy.resume();
  await bench.clear();
});
afterAll(async () => {
  await bench.close();
  await Promise.all([redisProxy.close(), postgresProxy.close()]);
});

const through = () => ({
  redis_url: redisProxy.through(bench.redisUrl),
  database_url: postgresProxy.through(bench.databaseUrl),
  log: { level: "error", format: "json" } as const,
});
const batch = (n: number) => Array.from({ length: 200 }, (_, i) => reading(n, i));

test("connections cut again and again: every batch is committed once and acknowledged", async () => {
  const pipelines = ["a", "b"].map((name) => bench.start(name, { ...through(), claim_idle_ms: 1_000 }));
  const ids: string[] = [];
  for (let n = 0; n < 30; n += 1) {
    ids.push(await bench.offer([...batch(n), null]));
    if (n % 3 === 0) redisProxy.cut();
    if (n % 3 === 1) postgresProxy.cut();
    await until(
      "some progress",
      async () => (await bench.board.get(ids[Math.max(0, n - 4)]!))?.status === "completed",
      60_000,
    );
  }
  await bench.empty(60_000);
  for (const pipeline of pipelines) await pipeline.drain();
  for (const id of ids) {
    expect(await bench.counts(id)).toEqual({
      total: 201,
      inserted: 200,
      duplicate: 0,
      quarantined: 1,
      status: "completed",
    });
  }
  expect(await bench.rows()).toHaveLength(6_000);
  expect(await bench.quarantine()).toHaveLength(30);
  expect(pipelines.flatMap(({ told }) => told.filter(({ kind }) => kind === "dead_letter"))).toEqual([]);
});

test("PostgreSQL refuses connections: batches wait, no job fails, and all finish when it is back", async () => {
  const pipeline = bench.start("w", through());
  await bench.ended(await bench.offer(batch(0)));
  postgresProxy.refuse();
  const ids = await Promise.all([1, 2, 3].map((n) => bench.offer(batch(n))));
  await until("it has tried", () => pipeline.told.filter(({ kind }) => kind === "retrying").length > 3);
  for (const id of ids) expect((await bench.board.get(id))!.status).toMatch(/queued|processing/);
  postgresProxy.resume();
  for (const id of ids)
    expect(await bench.ended(id, 60_000)).toMatchObject({ status: "completed", inserted_readings: 200 });
  await pipeline.drain();
});

test.each(["redis", "postgres"] as const)(
  "a drain while %s is silent ends at its deadline, and the next worker finishes",
  async (which) => {
    const pipeline = bench.start(`silent-${which}`, through());
    await bench.ended(await bench.offer(batch(0)));
    (which === "redis" ? redisProxy : postgresProxy).pause();
    const id = await bench.offer(batch(1));
    if (which === "postgres") await until("in hand", () => pipeline.inHand() === 1);
    const begin = performance.now();
    await pipeline.drain(500);
    expect(performance.now() - begin).toBeLessThan(60_000);
    (which === "redis" ? redisProxy : postgresProxy).resume();
    await bench.work("next", { predecessor: `silent-${which}` });
    expect(await bench.counts(id)).toMatchObject({ status: "completed", inserted: 200 });
    expect(await bench.rows()).toHaveLength(400);
  },
);

test("the session of a worker that is frozen in its transaction does not hold up who takes over", async () => {
  const frozen = bench.start("frozen", through());
  const lock = await bench.database.sql.reserve();
  await lock`BEGIN`;
  await lock`LOCK TABLE diagnostics_ingestion_job IN EXCLUSIVE MODE`;
  const id = await bench.offer(batch(1));
  await until("its rows are written, its job row waits", async () => {
    const [row] = await bench.database.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM pg_stat_activity
      WHERE application_name = 'frozen' AND wait_event_type = 'Lock'`;
    return row!.n === 1;
  });
  // Neither its socket nor its Redis connection says anything from now on.
  postgresProxy.pause();
  redisProxy.pause();
  await lock`COMMIT`;
  lock.release();
  const heir = bench.start("heir", { predecessor: "frozen" });
  expect(await bench.ended(id, 60_000)).toMatchObject({ status: "completed" });
  await heir.drain();
  redisProxy.resume();
  postgresProxy.resume();
  await frozen.drain();
  const { inserted, duplicate, total } = await bench.counts(id);
  expect({ inserted: inserted + duplicate, total }).toEqual({ inserted: 200, total: 200 });
  expect(await bench.rows()).toHaveLength(200);
});
