/** Decisions about incidents and filters: in the background, in portions, once, whoever dies or gets in between. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { encodeIncidentKey } from "../../../src/contract/incident-key.ts";
import type { QuarantineFilter } from "../../../src/contract/review.ts";
import { systemClock } from "../../../src/ops/clock.ts";
import { createLogger } from "../../../src/ops/log.ts";
import type { OpenDesk } from "../../../src/review/open-desk.ts";
import { IncidentKeyError } from "../../../src/review/review-errors.ts";
import { ReviewRunner } from "../../../src/review/runner.ts";
import { TaskMovedError } from "../../../src/store/review/tasks.ts";
import { reading, SYSTEM, sensor } from "../../support/ingest-bench.ts";
import { decision, REVIEWER, ReviewBench } from "../../support/review.ts";
import { until } from "../../support/until.ts";

let bench: ReviewBench;
beforeAll(async () => {
  bench = await ReviewBench.create();
});
afterEach(() => bench.clear());
afterAll(() => bench.close());

/** Refused readings of `sensors` sensors, a second apart. */
const refused = (count: number, sensors = 4) =>
  Array.from({ length: count }, (_, i) => reading(i % sensors, Math.floor(i / sensors), 900));

function runner({ desk, tasks }: OpenDesk): ReviewRunner {
  const settings = { database_url: bench.ingest.databaseUrl, session_name: "test:reviews", interval_ms: 20 };
  const log = createLogger({ level: "error", format: "json" });
  return new ReviewRunner(settings, desk, tasks, systemClock, log);
}

const ended = (open: OpenDesk, id: string) =>
  until("the end of the task", async () => {
    const task = await open.tasks.get(id, null);
    return task?.completed_at ? task : undefined;
  });

test("a filter's readings, in several portions, by a runner; progress and counts add up", async () => {
  await bench.send(refused(5_000));
  const open = bench.desk();
  const task = await open.desk.enqueue(
    decision({ action: "approve", selection: { filter: { system_id: SYSTEM } } }),
  );
  expect(task).toMatchObject({ state: "queued", selected: 5_000, done: 0 });
  const actor = runner(open);
  actor.start();
  const done = await ended(open, task.id);
  await actor.stop(5_000);
  expect(done).toMatchObject({ state: "completed", done: 5_000, stored: 5_000, failing: {} });
  expect(done.jobs).toHaveLength(3);
  expect(await bench.ingest.rows()).toHaveLength(5_000);
  expect(await bench.keptCounts()).toEqual({ pending: 0, approved: 5_000, rejected: 0, fixed: 0 });
  expect(bench.outcomes.filter((outcome) => outcome === "store")).toHaveLength(5_000);
});

test("two that step the same task at once: each portion is applied once", async () => {
  await bench.send(refused(6_000));
  const [one, two] = [bench.desk(), bench.desk()];
  const { id } = await one.desk.enqueue(decision({ action: "approve", selection: { filter: {} } }));
  const work = async ({ desk, tasks }: OpenDesk) => {
    for (let task = await tasks.nextOpen(); task; task = await tasks.nextOpen()) {
      await desk.step(task).catch((error: unknown) => {
        if (!(error instanceof TaskMovedError)) throw error;
      });
    }
  };
  await Promise.all([work(one), work(two)]);
  expect(await one.tasks.get(id, null)).toMatchObject({ state: "completed", done: 6_000, stored: 6_000 });
  expect(await bench.ingest.rows()).toHaveLength(6_000);
});

test("a task goes on where it stood when its worker died", async () => {
  await bench.send(refused(5_000));
  const first = bench.desk();
  const { id } = await first.desk.enqueue(decision({ action: "reject", selection: { filter: {} } }));
  await first.desk.step((await first.tasks.nextOpen())!);
  expect(await first.tasks.get(id, null)).toMatchObject({ state: "running", done: 2_000, changed: 2_000 });
  const second = bench.desk();
  const actor = runner(second);
  actor.start();
  expect(await ended(second, id)).toMatchObject({ state: "completed", done: 5_000, changed: 5_000 });
  await actor.stop(5_000);
  expect(await bench.keptCounts()).toEqual({ pending: 0, approved: 0, rejected: 5_000, fixed: 0 });
});

test("a cancelled task stops, and what it has done stays", async () => {
  await bench.send(refused(3_000));
  const open = bench.desk();
  const { id } = await open.desk.enqueue(decision({ action: "approve", selection: { filter: {} } }));
  const task = (await open.tasks.nextOpen())!;
  await open.desk.step(task);
  const rita = { id: REVIEWER, name: "rita" };
  expect(await open.tasks.end(id, "cancelled", rita)).toBe(true);
  const next = { ...task, position: (await bench.ids())[1_999]! };
  const error = await open.desk.step(next).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(TaskMovedError);
  expect(await open.tasks.end(id, "cancelled", rita)).toBe(false);
  expect(await open.tasks.get(id, null)).toMatchObject({ state: "cancelled", done: 2_000, stored: 2_000 });
  expect(await bench.ingest.rows()).toHaveLength(2_000);
  expect(await bench.record(id, "task")).toMatchObject([
    { action: "approve" },
    {
      action: "task.cancel",
      actor_name: "rita",
      before: { state: "running", selected: 3_000, done: 2_000, stored: 2_000 },
      after: { state: "cancelled" },
    },
  ]);
});

test("a task that another decision overtook says how many readings were not open any more", async () => {
  await bench.send(refused(10));
  const open = bench.desk();
  const { id } = await open.desk.enqueue(decision({ action: "approve", selection: { filter: {} } }));
  await bench
    .desk()
    .desk.decide(decision({ action: "reject", selection: { ids: [1] } }), (await bench.ids()).slice(0, 4));
  for (let task = await open.tasks.nextOpen(); task; task = await open.tasks.nextOpen())
    await open.desk.step(task);
  expect(await open.tasks.get(id, null)).toMatchObject({ selected: 10, done: 6, stored: 6, not_open: 4 });
});

test("of two readings of one key the first is stored, wherever a portion ends; what was stored before gives way", async () => {
  await bench.send([reading(0, 0, 100), reading(0, 1, 100)]);
  await bench.send(refused(2_500, 1));
  await bench.send(Array.from({ length: 10 }, (_, i) => reading(0, i, 950)));
  const open = bench.desk();
  const { id } = await open.desk.enqueue(
    decision({ action: "approve", conflict: "replace", selection: { filter: { reason: ["out_of_range"] } } }),
  );
  for (let task = await open.tasks.nextOpen(); task; task = await open.tasks.nextOpen())
    await open.desk.step(task);
  expect(await open.tasks.get(id, null)).toMatchObject({
    done: 2_510,
    stored: 2_498,
    replaced: 2,
    failing: { duplicate: 10 },
  });
  expect((await bench.ingest.rows()).every(({ value }) => value === 900)).toBe(true);
});

test("an incident has its readings to the microsecond, also when it is only one", async () => {
  const at = reading(0, 0).timestamp.replace(".000Z", ".123456Z");
  await bench.send([{ ...reading(0, 0, 900), timestamp: at }]);
  const key = { system_id: SYSTEM, sensor_id: sensor(0), reason: "out_of_range" as const };
  const incident = encodeIncidentKey({ ...key, first_at: at, last_at: at });
  const { desk } = bench.desk();
  expect(await desk.dryRun(decision({ action: "approve", selection: { incident } }))).toMatchObject({
    selected: 1,
  });
  const filter = { from: at, to: at.replace("456Z", "457Z") };
  await bench.ingest.database
    .sql`UPDATE diagnostics_quarantined_reading SET quarantined_at = ${at}::text::timestamptz`;
  expect(await desk.dryRun(decision({ action: "approve", selection: { filter } }))).toMatchObject({
    selected: 1,
  });
});

test("only readings that were there when it began, and only those that the filter names", async () => {
  await bench.send([reading(0, 0, 900), reading(1, 0, 900), { ...reading(0, 1), unit: "furlong" }]);
  const open = bench.desk();
  const filter = { sensor_id: sensor(0), reason: ["out_of_range" as const], q: "above 700" };
  const { id, selected } = await open.desk.enqueue(decision({ action: "approve", selection: { filter } }));
  expect(selected).toBe(1);
  await bench.send([reading(0, 7, 900)]);
  for (let task = await open.tasks.nextOpen(); task; task = await open.tasks.nextOpen())
    await open.desk.step(task);
  expect(await open.tasks.get(id, null)).toMatchObject({ done: 1, stored: 1 });
  expect((await bench.quarantined()).map(({ review_status }) => review_status)).toEqual([
    "approved",
    "pending",
    "pending",
    "pending",
  ]);
});

test("an incident's readings: those of its sensor and reason between its first and last", async () => {
  await bench.send([reading(0, 0, 900), reading(0, 10, 900), reading(0, 20, 900), reading(1, 10, 900)]);
  const incident = encodeIncidentKey({
    system_id: SYSTEM,
    sensor_id: sensor(0),
    reason: "out_of_range",
    first_at: reading(0, 10).timestamp,
    last_at: reading(0, 20).timestamp,
  });
  const { desk } = bench.desk();
  const tried = await desk.dryRun(decision({ action: "approve", selection: { incident } }));
  expect(tried).toMatchObject({ selected: 2, would: { store: 2 } });
  const narrowed: readonly [QuarantineFilter, number][] = [
    [{ incident }, 2],
    [{ incident, status: ["rejected"] }, 0],
    [{ incident, sensor_id: sensor(1) }, 0],
    [{ incident, q: "above 700" }, 2],
  ];
  for (const [filter, selected] of narrowed)
    expect(await desk.dryRun(decision({ action: "approve", selection: { filter } }))).toMatchObject({
      selected,
    });
  const wrong = desk.dryRun(decision({ action: "approve", selection: { incident: "nonsense" } }));
  expect(await wrong.catch((e: unknown) => e)).toBeInstanceOf(IncidentKeyError);
});

test("ingest in between takes some of the keys: those readings wait, the others are stored, nothing twice", async () => {
  await bench.send(refused(400));
  const open = bench.desk();
  const { id } = await open.desk.enqueue(decision({ action: "approve", selection: { filter: {} } }));
  const running = (async () => {
    for (let task = await open.tasks.nextOpen(); task; task = await open.tasks.nextOpen())
      await open.desk.step(task);
  })();
  await Promise.all([
    running,
    bench.send(Array.from({ length: 100 }, (_, i) => reading(i % 4, Math.floor(i / 4), 50))),
  ]);
  const task = (await open.tasks.get(id, null))!;
  expect(task.done).toBe(400);
  const conflicts = task.failing.duplicate ?? 0;
  expect(task.stored + conflicts).toBe(400);
  const rows = await bench.ingest.rows();
  expect(rows).toHaveLength(400);
  expect(rows.filter(({ value }) => value === 900)).toHaveLength(task.stored);
});

test("a task whose portion is always too slow for the server fails and says so, and those behind it go on", async () => {
  await bench.send(refused(20));
  const open = bench.desk();
  const slow = await open.desk.enqueue(decision({ action: "approve", selection: { filter: {} } }));
  const next = await open.desk.enqueue(decision({ action: "reject", selection: { filter: {} } }));
  const { database } = bench.ingest;
  let attempts = 0;
  const step: OpenDesk["desk"]["step"] = async (task) => {
    if (task.id !== slow.id) return open.desk.step(task);
    attempts += 1;
    return database.run("a slow portion", async (sql) => {
      await sql.begin(async (tx) => {
        await tx`SET LOCAL statement_timeout = 20`;
        await tx`SELECT pg_sleep(30)`;
      });
      return null;
    });
  };
  const settings = { database_url: bench.ingest.databaseUrl, session_name: "test:reviews", interval_ms: 20 };
  const log = createLogger({ level: "silent" as "error", format: "json" });
  const actor = new ReviewRunner(settings, { step }, open.tasks, systemClock, log);
  actor.start();
  expect(await ended(open, slow.id)).toMatchObject({ state: "failed", done: 0 });
  expect(await ended(open, next.id)).toMatchObject({ state: "completed", changed: 20 });
  await actor.stop(5_000);
  expect(attempts).toBe(6);
});
