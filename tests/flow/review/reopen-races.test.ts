/** A reading is taken out while another decision finds it stored: each of the two orders is right, nothing between. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { ReviewAction } from "../../../src/contract/review.ts";
import { reading } from "../../support/ingest-bench.ts";
import { decision, ReviewBench } from "../../support/review.ts";
import { wrongReviews } from "../../support/review-oracle.ts";
import { until } from "../../support/until.ts";

let bench: ReviewBench;
beforeAll(async () => {
  bench = await ReviewBench.create();
});
afterEach(async () => {
  const wrong = await wrongReviews(bench.ingest.database.sql);
  await bench.clear();
  expect(wrong).toEqual([]);
});
afterAll(() => bench.close());

const decide = (action: ReviewAction, id: number, conflict: "replace" | null = null) =>
  bench.desk().desk.decide(decision({ action, selection: { ids: [id] }, conflict }), [id]);
const outcomeOf = async (task: ReturnType<typeof decide>) =>
  (await task).readings!.map(({ outcome }) => outcome);
const values = async () => (await bench.ingest.rows()).map(({ value }) => value);

/** Transactions that wait for a lock, of the kind that pg_locks has a name for. */
const waiting = (kind: "advisory" | "transactionid", count = 1) =>
  until(`${count} wait for a lock`, async () => {
    const [row] = await bench.ingest.database.sql<{ n: number }[]>`
      SELECT count(*)::int AS n FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE NOT granted AND locktype = ${kind} AND a.datname = current_database()`;
    return row!.n >= count;
  });

/**
 * `one` stands still in the middle of its transaction, its reading's row being held; `other` begins; then both go on.
 * @returns outcomes of both
 */
async function overlapped(
  held: number,
  one: () => ReturnType<typeof decide>,
  other: () => ReturnType<typeof decide>,
): Promise<string[][]> {
  const tasks: Promise<string[]>[] = [];
  await bench.ingest.database.sql.begin(async (sql) => {
    await sql`SELECT FROM diagnostics_quarantined_reading WHERE id = ${held} FOR UPDATE`;
    tasks.push(outcomeOf(one()));
    await waiting("transactionid");
    tasks.push(outcomeOf(other()));
    await waiting("advisory");
  });
  return Promise.all(tasks);
}

/** The same reading, refused twice; the first is approved. */
async function twice(): Promise<[number, number]> {
  await bench.send([reading(0, 0, 900)]);
  await bench.send([reading(0, 0, 900)]);
  const [first, second] = await bench.ids();
  await decide("approve", first!);
  return [first!, second!];
}

test("an approval that found it stored commits first: it stays", async () => {
  const [first, second] = await twice();
  const outcomes = await overlapped(
    second,
    () => decide("approve", second),
    () => decide("reopen", first),
  );
  expect(outcomes).toEqual([["identical"], ["reopen"]]);
  expect(await values()).toEqual([900]);
});

test("it is taken out first: the approval stores it anew", async () => {
  const [first, second] = await twice();
  const outcomes = await overlapped(
    first,
    () => decide("reopen", first),
    () => decide("approve", second),
  );
  expect(outcomes).toEqual([["withdraw"], ["store"]]);
  expect(await values()).toEqual([900]);
});

test("another value takes its place first: it is not taken out any more", async () => {
  const [first] = await twice();
  await bench.send([reading(0, 0, 950)]);
  const third = (await bench.ids()).at(-1)!;
  const outcomes = await overlapped(
    third,
    () => decide("approve", third, "replace"),
    () => decide("reopen", first),
  );
  expect(outcomes).toEqual([["replace"], ["fails"]]);
  expect(await values()).toEqual([950]);
});
