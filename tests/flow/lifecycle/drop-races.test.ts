/** Work that meets the drop of a chunk: it began with the chunk, and goes on without it. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { Reader } from "../../../src/store/queries/reader.ts";
import { reading, START_MS, sensor } from "../../support/ingest-bench.ts";
import { decision, ReviewBench } from "../../support/review.ts";
import { until } from "../../support/until.ts";

const WEEK_S = 7 * 86_400;
let bench: ReviewBench;
beforeAll(async () => {
  bench = await ReviewBench.create();
});
beforeEach(() => bench.clear());
afterAll(() => bench.close());

/** Begin `work` while the oldest chunk is being dropped, and commit that as soon as the work waits for it. */
async function besideDrop<T>(work: () => Promise<T>): Promise<T> {
  let done: Promise<T> | undefined;
  await bench.ingest.database.sql.begin(async (sql) => {
    await sql`SELECT drop_chunks('diagnostics_sensordata', older_than => ${new Date(START_MS - 1)})`;
    done = work();
    await until("it waits for the chunk", async () => {
      const [row] = await bench.ingest.database.sql<{ n: number }[]>`
        SELECT count(*)::int AS n FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE NOT granted AND a.datname = current_database()`;
      return row!.n > 0;
    });
  });
  return done!;
}

const decide = async (action: "approve" | "reopen", id: number) => {
  const task = await bench.desk().desk.decide(decision({ action, selection: { ids: [id] } }), [id]);
  return task.readings!.map(({ outcome }) => outcome);
};

test("a question is answered with what is left", async () => {
  await bench.send([reading(0, 0), reading(0, -2 * WEEK_S)]);
  const reader = new Reader({ url: bench.ingest.databaseUrl, size: 1, deadline_ms: 20_000 });
  try {
    const text = `SELECT value FROM diagnostics_sensordata WHERE sensor_id = $1 ORDER BY "timestamp"`;
    const rows = () => reader.rows({ label: "test", text, values: [sensor(0)] });
    expect(await rows()).toHaveLength(2);
    expect(await besideDrop(rows)).toEqual([{ value: 100 }]);
  } finally {
    await reader.close();
  }
});

test("a decision is taken, and what it stores begins a chunk of its own", async () => {
  await bench.send([reading(0, 0), reading(0, -2 * WEEK_S), reading(1, -2 * WEEK_S, 900)]);
  const [id] = await bench.ids();
  expect(await besideDrop(() => decide("approve", id!))).toEqual(["store"]);
  expect((await bench.ingest.rows()).map(({ value }) => value).toSorted()).toEqual([100, 900]);
});

test("a decision whose reading goes with the chunk is taken back, and nothing else", async () => {
  await bench.send([reading(0, 0), reading(0, -2 * WEEK_S), reading(1, -2 * WEEK_S, 900)]);
  const [id] = await bench.ids();
  expect(await decide("approve", id!)).toEqual(["store"]);
  expect(await besideDrop(() => decide("reopen", id!))).toEqual(["reopen"]);
  expect((await bench.ingest.rows()).map(({ value }) => value)).toEqual([100]);
  expect((await bench.quarantined()).map(({ review_status }) => review_status)).toEqual(["pending"]);
});

test("a batch is stored", async () => {
  await bench.send([reading(0, 0), reading(0, -2 * WEEK_S)]);
  const job_id = await besideDrop(() => bench.send([reading(1, -2 * WEEK_S)]));
  expect(await bench.ingest.counts(job_id)).toMatchObject({ status: "completed", inserted: 1 });
  expect(await bench.ingest.rows()).toHaveLength(2);
});
