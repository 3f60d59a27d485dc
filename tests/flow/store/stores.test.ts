/** Jobs, users, systems and quarantine pages in Postgres. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { newJobId } from "../../../src/contract/job-id.ts";
import { QuarantineStore } from "../../../src/store/quarantine.ts";
import { WriterSessions } from "../../../src/store/sessions.ts";
import { type NewUser, UserExistsError, UserStore } from "../../../src/store/users.ts";
import { IngestBench, RECEIVED_MS, reading, SYSTEM, USER } from "../../support/ingest-bench.ts";
import { reopenJob } from "../../support/replay.ts";

let bench: IngestBench;
beforeAll(async () => {
  bench = await IngestBench.create();
});
afterEach(() => bench.clear());
afterAll(() => bench.close());

describe("jobs", () => {
  test("a mirrored job comes back as it was accepted, to the millisecond", async () => {
    const metas = [0, 1, 123, 999].map((ms) => ({ ...bench.meta(7), received_at_ms: RECEIVED_MS + ms }));
    await bench.jobs.mirror(metas.map((meta) => ({ meta, status: "queued" as const })));
    for (const meta of metas) {
      expect(await bench.jobs.get(meta.job_id)).toEqual({
        job_id: meta.job_id,
        system_id: SYSTEM,
        created_by: USER,
        status: "queued",
        total_readings: 7,
        inserted_readings: 0,
        duplicate_readings: 0,
        quarantined_readings: 0,
        created_at_ms: meta.received_at_ms,
        started_at_ms: null,
        completed_at_ms: null,
        error_message: null,
      });
    }
    expect(await bench.jobs.get(newJobId(0))).toBeNull();
    expect(await bench.jobs.many([])).toEqual([]);
    await bench.jobs.mirror([]);
  });

  test("fail ends an open job and a job that Postgres never heard of; one that has ended stays as it is", async () => {
    const [open, unheard, ended] = [bench.meta(3), bench.meta(3), bench.meta(3)];
    await bench.jobs.mirror([{ meta: open, status: "processing" }]);
    for (const meta of [open, unheard]) {
      const job = await bench.jobs.fail(meta, "why \u00b5", RECEIVED_MS + 10, "w", "0/1-1");
      expect(job).toMatchObject({
        status: "failed",
        error_message: "why µ",
        completed_at_ms: RECEIVED_MS + 10,
      });
      expect(await bench.jobs.get(meta.job_id)).toEqual(job);
    }
    await bench.jobs.fail(ended, "first", RECEIVED_MS, "w", "0/1-1");
    expect(await bench.jobs.fail(ended, "second", RECEIVED_MS + 5, "w", "0/1-1")).toMatchObject({
      error_message: "first",
      completed_at_ms: RECEIVED_MS,
    });
  });

  test("a replay opens a failed job only", async () => {
    const failed = bench.meta(3);
    await bench.jobs.fail(failed, "why", RECEIVED_MS, "w", "0/1-1");
    await reopenJob(bench.database, failed.job_id);
    expect(await bench.jobs.get(failed.job_id)).toMatchObject({
      status: "queued",
      error_message: null,
      completed_at_ms: null,
    });
    const done = await bench.offer([reading(1, 0)]);
    await bench.work("w");
    await reopenJob(bench.database, done);
    expect((await bench.counts(done)).status).toBe("completed");
  });

  test("mirrors and writers that meet on the same jobs in any order do not deadlock", async () => {
    const metas = Array.from({ length: 300 }, () => bench.meta(1));
    const mirrors = [metas, metas.toReversed(), metas.toSorted(() => 1)].map((list) =>
      bench.jobs.mirror(list.map((meta) => ({ meta, status: "queued" as const }))),
    );
    await Promise.all(mirrors);
    const [row] = await bench.database.sql<
      { n: number }[]
    >`SELECT count(*)::int AS n FROM diagnostics_ingestion_job`;
    expect(row!.n).toBe(300);
  });
});

describe("users", () => {
  const user = (username: string, more: Partial<NewUser> = {}): NewUser => ({
    username,
    password_hash: "$argon2id$x",
    role: "producer",
    requests_per_minute: null,
    readings_per_minute: null,
    ...more,
  });

  test("come back as they were created, with limits beyond 32 bits", async () => {
    const users = new UserStore(bench.database);
    const name = `u-${crypto.randomUUID()}`;
    const id = await users.create(
      user(name, { role: "admin", requests_per_minute: 7, readings_per_minute: 9e12 }),
    );
    expect(await users.findByName(name)).toEqual({
      ...user(name, { role: "admin", requests_per_minute: 7, readings_per_minute: 9e12 }),
      id,
      active: true,
      systems: null,
      token_version: 0,
    });
    expect(await users.findByName(`${name} `)).toBeNull();
    expect(await users.findByName("'; DROP TABLE diagnostics_user; --")).toBeNull();
  });

  test("a name is taken once; missing names are told and created, the others stay", async () => {
    const users = new UserStore(bench.database);
    const [a, b] = [`a-${crypto.randomUUID()}`, `b-${crypto.randomUUID()}`];
    await users.create(user(a));
    await expect(users.create(user(a))).rejects.toBeInstanceOf(UserExistsError);
    expect(await users.missing([a, b])).toEqual(new Set([b]));
    await users.createMissing([user(a, { role: "admin" }), user(b)]);
    expect((await users.findByName(a))?.role).toBe("producer");
    expect(await users.missing([a, b])).toEqual(new Set());
  });
});

test("quarantine of a job comes in pages, in order, with counts", async () => {
  const job_id = await bench.offer([1, 2, 3, 4, 5].map((n) => ({ n })));
  await bench.work("w");
  const store = new QuarantineStore(bench.database);
  const first = await store.ofJob(job_id, -1, 2);
  expect(first.items.map(({ ordinal }) => ordinal)).toEqual([0, 1]);
  expect(first.counts).toEqual({ parse_error: 5 });
  const second = await store.ofJob(job_id, first.next!, 2);
  const third = await store.ofJob(job_id, second.next!, 2);
  expect(third.items.map(({ ordinal, raw }) => [ordinal, raw])).toEqual([[4, { n: 5 }]]);
  expect(third.next).toBeNull();
});

test("only the sessions of the named workers are ended", async () => {
  const pipelines = ["silent:0.1", "alive:0.1"].map((name) => bench.start(name));
  await bench.ended(await bench.offer([reading(1, 0)]));
  await bench.ended(await bench.offer([reading(1, 1)]));
  const names = async () =>
    (
      await bench.database.sql<
        { name: string }[]
      >`SELECT DISTINCT application_name AS name FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE '%:0.1'`
    ).map(({ name }) => name);
  const [before] = await names();
  const sessions = new WriterSessions(bench.database);
  expect(await sessions.end([])).toBe(0);
  expect(await sessions.end(["nobody"])).toBe(0);
  expect(await sessions.end([before!])).toBe(1);
  // Who lost its session opens another and goes on.
  const job_id = await bench.offer([reading(1, 2)]);
  expect((await bench.ended(job_id)).status).toBe("completed");
  for (const pipeline of pipelines) await pipeline.drain();
});
