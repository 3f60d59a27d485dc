/** What each decision does to quarantined readings, stored readings, jobs and the record; on real TimescaleDB. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { NewReview } from "../../../src/contract/review.ts";
import { ReviewConflictError, UnknownReadingsError } from "../../../src/review/review-errors.ts";
import { reading, SYSTEM, sensor } from "../../support/ingest-bench.ts";
import { decision, REVIEWER, ReviewBench } from "../../support/review.ts";

let bench: ReviewBench;
beforeAll(async () => {
  bench = await ReviewBench.create();
});
afterEach(() => bench.clear());
afterAll(() => bench.close());

const decide = async (
  action: NewReview["action"],
  ids: readonly number[],
  more: Partial<Parameters<typeof decision>[0]> = {},
) => bench.desk().desk.decide(decision({ action, selection: { ids: [...ids] }, ...more }), ids);

describe("approve", () => {
  test("stores a value out of range, and a low quality, as they are, by a job of the reviewer's", async () => {
    const job_id = await bench.send([reading(0, 0), reading(0, 1, 900), { ...reading(0, 2), quality: 12.5 }]);
    const ids = await bench.ids();
    const task = await decide("approve", ids, { note: "checked with a gauge" });
    expect(task).toMatchObject({ state: "completed", selected: 2, done: 2, stored: 2, failing: {} });
    expect(task.readings!.map(({ outcome }) => outcome)).toEqual(["store", "store"]);
    const rows = await bench.ingest.rows();
    expect(rows.map(({ value, quality }) => [value, quality])).toEqual([
      [100, 95],
      [900, 95],
      [100, 12.5],
    ]);
    expect(task.jobs).toHaveLength(1);
    expect(await bench.ingest.counts(task.jobs[0]!)).toEqual({
      total: 2,
      inserted: 2,
      duplicate: 0,
      quarantined: 0,
      status: "completed",
    });
    expect((await bench.ingest.jobs.get(task.jobs[0]!))!.created_by).toBe(REVIEWER);
    expect(await bench.ingest.counts(job_id)).toMatchObject({ total: 3, inserted: 1, quarantined: 2 });
    for (const row of await bench.quarantined()) {
      expect(row).toMatchObject({
        review_status: "approved",
        reviewed_by: REVIEWER,
        review_notes: "checked with a gauge",
        review_task_id: task.id,
        stored_by_job: task.jobs[0]!,
      });
    }
    expect(await bench.keptCounts()).toEqual({ pending: 0, approved: 2, rejected: 0, fixed: 0 });
  });

  test("waives nothing else: a wrong unit and a broken reading stay pending, the good one is stored", async () => {
    await bench.send([{ ...reading(0, 0), unit: "furlong" }, { nothing: true }, reading(0, 1, 900)]);
    const task = await decide("approve", await bench.ids());
    expect(task).toMatchObject({ stored: 1, failing: { invalid_unit: 1, parse_error: 1 } });
    expect((await bench.quarantined()).map(({ review_status }) => review_status)).toEqual([
      "pending",
      "pending",
      "approved",
    ]);
  });

  test("marks the hour dirty, so that the hourly aggregate sees it", async () => {
    await bench.send([reading(0, 0, 900)]);
    await decide("approve", await bench.ids());
    const [row] = await bench.ingest.database.sql<{ n: number }[]>`
      SELECT readings_count::int AS n FROM diagnostics_sensordata_hourly WHERE sensor_id = ${sensor(0)}`;
    expect(row?.n).toBe(1);
  });

  test("a reading that is stored already is counted, not stored again", async () => {
    await bench.send([reading(0, 0, 900)]);
    const [id] = await bench.ids();
    await decide("approve", [id!]);
    await bench.send([reading(0, 0, 900)]);
    const again = (await bench.ids()).at(-1)!;
    const task = await decide("approve", [again]);
    expect(task).toMatchObject({ stored: 0, identical: 1 });
    expect(await bench.ingest.counts(task.jobs[0]!)).toMatchObject({ total: 1, inserted: 0, duplicate: 1 });
    expect(await bench.ingest.rows()).toHaveLength(1);
  });
});

describe("fix", () => {
  test("psi that was labelled as bar becomes bar", async () => {
    await bench.send([reading(0, 0, 1820), reading(0, 1, 1830)]);
    const task = await decide("fix", await bench.ids(), { change: { set: { unit: "psi" } } });
    expect(task).toMatchObject({ stored: 2 });
    const rows = await bench.ingest.rows();
    expect(rows.map(({ unit }) => unit)).toEqual(["bar", "bar"]);
    expect(rows[0]!.value).toBeCloseTo(125.4846, 4);
    expect((await bench.quarantined()).map(({ review_status }) => review_status)).toEqual(["fixed", "fixed"]);
  });

  test.each([
    ["scale and offset", [reading(0, 0, 12_000)], { scale: 0.01, offset: 5 }, 125, 0],
    ["a value", [{ ...reading(0, 0), value: "NaN" }], { set: { value: 7 } }, 7, 0],
    [
      "a clock that was ahead",
      [{ ...reading(0, 0), timestamp: "2026-01-13T00:00:00Z" }],
      { shift_ms: -86_400_000 },
      100,
      7 * 86_400,
    ],
  ] as const)("%s", async (_name, readings, change, value, second) => {
    await bench.send(readings);
    await decide("fix", await bench.ids(), { change });
    const [row] = await bench.ingest.rows();
    expect(row).toMatchObject({ value, timestamp: new Date(reading(0, second).timestamp) });
  });

  test("what still breaks a rule stays pending, with the rule's words", async () => {
    await bench.send([reading(0, 0, 900)]);
    const ids = await bench.ids();
    const task = await decide("fix", ids, { change: { scale: 2 } });
    expect(task).toMatchObject({ stored: 0, failing: { out_of_range: 1 }, jobs: [] });
    expect(task.readings![0]!.details).toBe("pressure 1800 bar is above 700 bar (ISO 4413)");
    expect((await bench.quarantined())[0]!.review_status).toBe("pending");
    expect(await bench.record(ids[0]!)).toEqual([]);
  });
});

describe("reject and reopen", () => {
  test("nothing is stored, and every step is on record", async () => {
    await bench.send([reading(0, 0, 900)]);
    const ids = await bench.ids();
    await decide("reject", ids, { note: "sensor was unplugged" });
    expect((await bench.quarantined())[0]).toMatchObject({ review_status: "rejected", stored_by_job: null });
    await decide("reopen", ids);
    expect((await bench.quarantined())[0]).toMatchObject({ review_status: "pending" });
    expect(await bench.ingest.rows()).toEqual([]);
    const record = await bench.record(ids[0]!);
    expect(record.map(({ action, note }) => [action, note])).toEqual([
      ["reject", "sensor was unplugged"],
      ["reopen", null],
    ]);
    expect(record[0]!.before).toMatchObject({ review_status: "pending", value: 900, unit: "bar" });
    expect(record[1]!.after).toMatchObject({ review_status: "pending" });
  });

  test("what is stored cannot be rejected or approved again: 409 with what it is", async () => {
    await bench.send([reading(0, 0, 900)]);
    const ids = await bench.ids();
    await decide("approve", ids);
    for (const action of ["reject", "approve"] as const) {
      const error = await decide(action, ids).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ReviewConflictError);
      expect((error as ReviewConflictError).readings[0]).toMatchObject({
        id: ids[0],
        review_status: "approved",
      });
    }
  });
});

describe("a conflict", () => {
  const conflicting = async () => {
    await bench.send([reading(0, 0, 100)]);
    await bench.send([reading(0, 0, 120)]);
    return bench.ids();
  };

  test("waits until somebody says which value stays", async () => {
    const task = await decide("approve", await conflicting());
    expect(task).toMatchObject({ stored: 0, failing: { duplicate: 1 } });
    expect(task.readings![0]!.details).toContain("120 bar differs from 100 bar");
  });

  test("replace: the new value is stored, both are on record", async () => {
    const ids = await conflicting();
    const task = await decide("approve", ids, { conflict: "replace" });
    expect(task).toMatchObject({ replaced: 1, stored: 0 });
    expect((await bench.ingest.rows()).map(({ value }) => value)).toEqual([120]);
    expect(await bench.ingest.counts(task.jobs[0]!)).toMatchObject({ total: 1, inserted: 1 });
    const [line] = await bench.record(ids[0]!);
    expect(line!.before).toMatchObject({ value: 120, stored: { value: 100, unit: "bar" } });
    expect(line!.after).toMatchObject({ value: 120, outcome: "replace" });
  });

  test("keep: the stored value stays, the other is rejected, both are on record", async () => {
    const ids = await conflicting();
    const task = await decide("approve", ids, { conflict: "keep" });
    expect(task).toMatchObject({ changed: 1, stored: 0, replaced: 0 });
    expect((await bench.ingest.rows()).map(({ value }) => value)).toEqual([100]);
    expect((await bench.quarantined())[0]!.review_status).toBe("rejected");
    expect((await bench.record(ids[0]!))[0]!.before).toMatchObject({ value: 120, stored: { value: 100 } });
  });

  test("two quarantined readings of one key: the first is stored, the second waits", async () => {
    await bench.send([reading(0, 0, 900)]);
    await bench.send([reading(0, 0, 950)]);
    const task = await decide("approve", await bench.ids(), { conflict: "replace" });
    expect(task).toMatchObject({ stored: 1, failing: { duplicate: 1 } });
    expect((await bench.ingest.rows()).map(({ value }) => value)).toEqual([900]);
  });
});

test("a repeat of the stored value beside one that conflicts with it: each gets its own verdict", async () => {
  await bench.send([reading(0, 0, 900)]);
  await decide("approve", await bench.ids());
  await bench.send([reading(0, 0, 950)]);
  await bench.send([reading(0, 0, 900), reading(0, 0, 900)]);
  const rest = (await bench.ids()).slice(1);
  const task = await decide("approve", rest);
  expect(task).toMatchObject({ stored: 0, identical: 2, failing: { duplicate: 1 } });
  expect(await bench.ingest.counts(task.jobs[0]!)).toMatchObject({ total: 2, inserted: 0, duplicate: 2 });
  expect(await decide("approve", rest.slice(0, 1), { conflict: "replace" })).toMatchObject({ replaced: 1 });
  expect((await bench.ingest.rows()).map(({ value }) => value)).toEqual([950]);
});

describe("revalidate", () => {
  test("stores what passes the ranges of today", async () => {
    await bench.send([reading(0, 5), reading(0, 0, 900), reading(0, 1, 5_000)]);
    const { sql } = bench.ingest.database;
    await sql`INSERT INTO diagnostics_sensor_range (sensor_id, version, min_value, max_value, valid_from, author)
      VALUES (${sensor(0)}, 1, 0, 1000, now(), ${REVIEWER})`;
    const task = await decide("revalidate", await bench.ids());
    await sql`DELETE FROM diagnostics_sensor_range`;
    expect(task).toMatchObject({ stored: 1, failing: { out_of_range: 1 } });
    expect((await bench.quarantined()).map(({ review_status }) => review_status)).toEqual([
      "approved",
      "pending",
    ]);
  });

  test("readings of a system that was not registered are stored once it is", async () => {
    const other = "550e8400-e29b-41d4-a716-446655440077";
    await bench.send([{ ...reading(70, 0), sensor_id: sensor(70) }], other);
    expect(await decide("revalidate", await bench.ids())).toMatchObject({ failing: { system_not_found: 1 } });
    await bench.ingest.database.sql`INSERT INTO diagnostics_system (id, name) VALUES (${other}, 'late')`;
    expect(await decide("revalidate", await bench.ids())).toMatchObject({ stored: 1 });
    expect((await bench.ingest.rows()).map(({ system_id }) => system_id)).toEqual([other]);
  });
});

test("a dry run says what the decision then does, and changes nothing", async () => {
  await bench.send([reading(0, 0, 900), { ...reading(0, 1), unit: "furlong" }, reading(0, 2, 950)]);
  const ids = await bench.ids();
  const before = await bench.quarantined();
  const tried = await bench.desk().desk.dryRun(decision({ action: "approve", selection: { ids } }));
  expect(tried).toMatchObject({
    selected: 3,
    examined: 3,
    would: { store: 2 },
    still_failing: { invalid_unit: 1 },
  });
  expect(tried.samples[0]).toMatchObject({ outcome: "fails", reason: "invalid_unit" });
  expect(await bench.quarantined()).toEqual(before);
  expect(await bench.ingest.rows()).toEqual([]);
  expect(await decide("approve", ids)).toMatchObject({ stored: 2, failing: { invalid_unit: 1 } });
});

test("an id that was never quarantined is named, and nothing is done", async () => {
  await bench.send([reading(0, 0, 900)]);
  const ids = [...(await bench.ids()), 999_999_999];
  const error = await decide("approve", ids).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UnknownReadingsError);
  expect((error as UnknownReadingsError).ids).toEqual([999_999_999]);
  expect(await bench.ingest.rows()).toEqual([]);
});

test("reviewers at once: one decision holds, the others learn of it, every reading is stored once", async () => {
  await bench.send(Array.from({ length: 40 }, (_, i) => reading(i % 4, i, 900 + i)));
  const ids = await bench.ids();
  const desks = [bench.desk(), bench.desk(), bench.desk()];
  const outcomes = await Promise.allSettled(
    desks.map(({ desk }) => desk.decide(decision({ action: "approve", selection: { ids } }), ids)),
  );
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(ReviewConflictError);
  }
  expect(await bench.ingest.rows()).toHaveLength(40);
  for (const id of ids) expect(await bench.record(id)).toHaveLength(1);
});

test("the record cannot be changed: not by UPDATE, DELETE or TRUNCATE", async () => {
  await bench.send([reading(0, 0, 900)]);
  await decide("reject", await bench.ids());
  for (const statement of [
    "UPDATE diagnostics_audit SET actor_name = 'nobody'",
    "DELETE FROM diagnostics_audit",
    "TRUNCATE diagnostics_audit",
  ]) {
    const error = await bench.ingest.database.sql.unsafe(statement).catch((e: unknown) => e);
    expect((error as Error).message).toContain("append-only");
  }
});

test("readings of several systems are stored by a job for each", async () => {
  const other = "550e8400-e29b-41d4-a716-446655440078";
  await bench.ingest.database.sql`INSERT INTO diagnostics_system (id, name) VALUES (${other}, 'second')`;
  await bench.send([reading(0, 0, 900), { ...reading(0, 9), unit: "furlong" }]);
  await bench.send([{ ...reading(80, 0, 900), sensor_id: sensor(80) }], other);
  const task = await decide("approve", await bench.ids());
  expect(task).toMatchObject({ stored: 2, failing: { invalid_unit: 1 } });
  expect(task.jobs).toHaveLength(2);
  const jobs = await Promise.all(task.jobs.map((id) => bench.ingest.jobs.get(id)));
  expect(jobs.map((job) => [job!.system_id, job!.total_readings, job!.inserted_readings]).sort()).toEqual([
    [SYSTEM, 1, 1],
    [other, 1, 1],
  ]);
});
