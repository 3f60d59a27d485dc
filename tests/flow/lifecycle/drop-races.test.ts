/** Work that meets the drop of a chunk in the middle of it: it began with the chunk, and goes on without it. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { ADVISORY_LOCKS } from "../../../src/store/advisory-locks.ts";
import type { Sql } from "../../../src/store/pool.ts";
import { reading, START_MS } from "../../support/ingest-bench.ts";
import { decision, ReviewBench } from "../../support/review.ts";
import { until } from "../../support/until.ts";

const WEEK_S = 7 * 86_400;
let bench: ReviewBench;
beforeAll(async () => {
  bench = await ReviewBench.create();
});
beforeEach(() => bench.clear());
afterAll(() => bench.close());

const waiting = (kind: "advisory" | "other") =>
  until(`it waits for a lock: ${kind}`, async () => {
    const [row] = await bench.ingest.database.sql<{ n: number }[]>`
      SELECT count(*)::int AS n FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE NOT granted AND (locktype = 'advisory') = ${kind === "advisory"} AND a.datname = current_database()`;
    return row!.n > 0;
  });

const dropOldest = (sql: Sql) =>
  sql`SELECT drop_chunks('diagnostics_sensordata', older_than => ${new Date(START_MS - 1)})`;

/** `work` has looked at what is stored and is about to write; the chunk is dropped meanwhile, which commits as it waits. */
async function betweenLookAndWrite<T>(work: () => Promise<T>): Promise<T> {
  const { sql } = bench.ingest.database;
  let done: Promise<T> | undefined;
  await sql.begin(async (dropping) => {
    await sql.begin(async (holding) => {
      await holding`SELECT pg_advisory_xact_lock(${ADVISORY_LOCKS.review_holdings}::bigint)`;
      done = work();
      await waiting("advisory");
      await dropOldest(dropping as unknown as Sql);
    });
    await waiting("other");
  });
  return done!;
}

const decide = async (action: "approve" | "reopen", id: number) => {
  const task = await bench.desk().desk.decide(decision({ action, selection: { ids: [id] } }), [id]);
  return task.readings!.map(({ outcome }) => outcome);
};
const values = async () => (await bench.ingest.rows()).map(({ value }) => value).toSorted((a, b) => a - b);

test("a decision is taken, and what it stores begins a chunk of its own", async () => {
  await bench.send([reading(0, 0), reading(0, -2 * WEEK_S), reading(1, -2 * WEEK_S, 900)]);
  const [id] = await bench.ids();
  expect(await betweenLookAndWrite(() => decide("approve", id!))).toEqual(["store"]);
  expect(await values()).toEqual([100, 900]);
});

test("a decision whose reading goes with the chunk is taken back, and takes out nothing else", async () => {
  await bench.send([reading(0, 0), reading(0, -2 * WEEK_S), reading(1, -2 * WEEK_S, 900)]);
  const [id] = await bench.ids();
  expect(await decide("approve", id!)).toEqual(["store"]);
  expect(await betweenLookAndWrite(() => decide("reopen", id!))).toEqual(["reopen"]);
  expect(await values()).toEqual([100]);
  expect((await bench.quarantined()).map(({ review_status }) => review_status)).toEqual(["pending"]);
});

test("a batch is stored", async () => {
  await bench.send([reading(0, 0), reading(0, -2 * WEEK_S)]);
  let sent: Promise<string> | undefined;
  await bench.ingest.database.sql.begin(async (sql) => {
    await dropOldest(sql as unknown as Sql);
    sent = bench.send([reading(1, -2 * WEEK_S)]);
    await waiting("other");
  });
  expect(await bench.ingest.counts(await sent!)).toMatchObject({ status: "completed", inserted: 1 });
  expect(await values()).toEqual([100, 100]);
});
