/** Entries that cannot be processed go to the dead letters with their payload, hold nobody up, and can come back. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { DeadLetterDesk } from "../../../src/api/dead-letter-desk.ts";
import { newJobId } from "../../../src/contract/job-id.ts";
import { SERVICE } from "../../../src/store/audit.ts";
import { DeadLetterRecord } from "../../../src/store/dead-letter-record.ts";
import { DeadLetters } from "../../../src/stream/dead-letters.ts";
import { jobFields } from "../../../src/stream/jobs.ts";
import {
  attemptsKey,
  backlogKey,
  deadKey,
  INGEST_GROUP,
  jobKey,
  streamKey,
} from "../../../src/stream/keys.ts";
import { IngestBench, reading, SYSTEM } from "../../support/ingest-bench.ts";
import { until } from "../../support/until.ts";

let bench: IngestBench;
let letters: DeadLetters;
beforeAll(async () => {
  bench = await IngestBench.create();
  letters = new DeadLetters(bench.redis, 1);
});
afterEach(() => bench.clear());
afterAll(() => bench.close());

const bodyOf = (readings: readonly unknown[]) => Buffer.from(JSON.stringify({ system_id: SYSTEM, readings }));
const good = (n: number) => Array.from({ length: 10 }, (_, i) => reading(n, i));
const meta = (more: object = {}) => JSON.stringify({ ...bench.meta(1), ...more });
const list = () => Array.fromAsync(letters.list());

describe("an entry that cannot be decoded", () => {
  const cases: readonly [string, () => (string | Buffer)[], RegExp][] = [
    [
      "garbage in every field",
      () => [Buffer.from([0xff, 0]), Buffer.from([0xfe]), "m", "?", "b", "?"],
      /fields v, m and b/,
    ],
    ["one strange field", () => ["hello", "world"], /fields v, m and b/],
    ["an unknown version", () => ["v", "one", "m", meta(), "b", "{}"], /version "one" is not known/],
    ["metadata that is not JSON", () => ["v", "1", "m", "{", "b", "{}"], /metadata is not JSON/],
    ["metadata that is null", () => ["v", "1", "m", "null", "b", "{}"], /job_id/],
    ["a job id that is no UUID", () => ["v", "1", "m", meta({ job_id: "x" }), "b", "{}"], /job_id/],
    [
      "a job id in capitals",
      () => ["v", "1", "m", meta({ job_id: newJobId(0).toUpperCase() }), "b", "{}"],
      /job_id/,
    ],
    [
      "a system id that is no UUID",
      () => ["v", "1", "m", meta({ system_id: "'; DROP" }), "b", "{}"],
      /system_id/,
    ],
    [
      "a count that is no count",
      () => ["v", "1", "m", meta({ total_readings: -1 }), "b", "{}"],
      /total_readings/,
    ],
    [
      "a time beyond time",
      () => ["v", "1", "m", meta({ received_at_ms: 1e300 }), "b", "{}"],
      /received_at_ms/,
    ],
    ["a body that is not JSON", () => ["v", "1", "m", meta(), "b", Buffer.from([0xff, 0xfe])], /not JSON/],
    ["a body without readings", () => ["v", "1", "m", meta(), "b", "null"], /has no list of readings/],
    [
      "another number of readings",
      () => ["v", "1", "m", meta(), "b", bodyOf(good(1))],
      /does not hold 1 readings/,
    ],
  ];
  test.each(cases)(
    "%s: becomes a dead letter with its payload; the batches around it finish",
    async (_, fields, reason) => {
      const before = await bench.offer(good(1));
      const sent = fields();
      await bench.addFields(sent);
      const after = await bench.offer(good(2));
      await bench.work("w");
      expect((await bench.counts(before)).inserted).toBe(10);
      expect((await bench.counts(after)).inserted).toBe(10);
      const [letter, ...more] = await list();
      expect(more).toEqual([]);
      expect(letter!.reason).toMatch(reason);
      const [[, kept]] = (await bench.redis.xrangeBuffer(deadKey(0), "-", "+")) as unknown as [
        [Buffer, Buffer[]],
      ];
      expect(kept.slice(6)).toEqual(sent.map((field) => Buffer.from(field)));
      expect(await bench.redis.get(backlogKey(0))).toBe("0");
    },
  );

  test.each([
    ["an unknown version", "2", bodyOf([])],
    ["a wrong count", "1", bodyOf([])],
    ["a broken body", "1", Buffer.from("{")],
  ])("%s: its job fails with the reason, in Redis and Postgres", async (_, version, body) => {
    const about = bench.meta(3);
    await bench.redis.hset(jobKey(about.job_id), ...jobFields(about));
    await bench.addFields(["v", version, "m", JSON.stringify(about), "b", body]);
    await bench.work("w");
    const job = await bench.ended(about.job_id);
    expect(job).toMatchObject({ status: "failed", total_readings: 3, inserted_readings: 0 });
    expect(job.error_message).toMatch(/entry/);
    expect(await bench.jobs.get(about.job_id)).toMatchObject({
      status: "failed",
      error_message: job.error_message,
    });
    expect((await list())[0]).toMatchObject({ reason: job.error_message!, meta: about });
  });
});

describe("replay", () => {
  test("brings a dead letter back: its job is queued again and completes", async () => {
    // What no thread survived three times is good data after all.
    const job_id = await bench.offer(good(1));
    await bench.redis.xgroup("CREATE", streamKey(0), INGEST_GROUP, "0");
    const read = await bench.redis.xreadgroup("GROUP", INGEST_GROUP, "dead", "STREAMS", streamKey(0), ">");
    const id = (read as [string, [string, string[]][]][])[0]![1][0]![0];
    await bench.redis.set(attemptsKey(0, id), 3);
    const told = await bench.work("heir", { predecessor: "dead" });
    expect(told.filter(({ kind }) => kind === "dead_letter")).toHaveLength(1);
    expect(await bench.board.get(job_id)).toMatchObject({
      status: "failed",
      error_message: "it ended its thread 3 times",
    });
    expect((await bench.counts(job_id)).status).toBe("failed");
    expect(await bench.rows()).toEqual([]);
    expect(await bench.redis.keys("attempts:*")).toEqual([]);

    const [letter] = await list();
    expect(letter!.meta!.job_id).toBe(job_id);
    const desk = new DeadLetterDesk(letters, new DeadLetterRecord(bench.database));
    await desk.replay(letter!, { actor: SERVICE, reach: null, note: null });
    expect(await bench.board.get(job_id)).toMatchObject({ status: "queued", error_message: null });
    await bench.work("again");
    expect(await bench.board.get(job_id)).toMatchObject({ status: "completed", inserted_readings: 10 });
    expect(await bench.counts(job_id)).toMatchObject({ status: "completed", inserted: 10 });
    expect(await list()).toEqual([]);
    expect(await bench.redis.get(backlogKey(0))).toBe("0");
  });

  test("without reopening its job, the payload goes back to the dead letters and is not lost", async () => {
    const about = bench.meta(10);
    const entry = await bench.add(about, bodyOf(good(1)));
    await bench.jobs.fail(about, "a first life", 1, "w", `0/${entry}`);
    await bench.work("w");
    expect((await list()).map(({ reason, meta: m }) => [reason, m?.job_id])).toEqual([
      ["a first life", about.job_id],
    ]);
    expect(await bench.counts(about.job_id)).toMatchObject({ status: "failed", inserted: 0 });
  });

  test("an entry whose job was failed but not buried when its thread died is buried by the next", async () => {
    const about = bench.meta(10);
    const entry = await bench.add(about, bodyOf(good(1)));
    await bench.redis.xgroup("CREATE", streamKey(0), INGEST_GROUP, "0");
    await bench.redis.xreadgroup("GROUP", INGEST_GROUP, "dead", "STREAMS", streamKey(0), ">");
    await bench.jobs.fail(about, "no way", 1, "dead", `0/${entry}`);
    await bench.work("heir", { predecessor: "dead" });
    expect((await list()).map(({ reason }) => reason)).toEqual(["no way"]);
    expect(await bench.rows()).toEqual([]);
  });
});

describe("attempts of a suspect", () => {
  test("waiting for PostgreSQL is not counted: four lives in an outage leave the entry alone", async () => {
    const job_id = await bench.offer(good(1), "550e8400-e29b-41d4-a716-00000000abcd");
    const lock = await bench.database.sql.reserve();
    await bench.redis.xgroup("CREATE", streamKey(0), INGEST_GROUP, "0");
    await bench.redis.xreadgroup("GROUP", INGEST_GROUP, "life-0", "STREAMS", streamKey(0), ">");
    await lock`BEGIN`;
    await lock`LOCK TABLE diagnostics_system IN ACCESS EXCLUSIVE MODE`;
    const sessions = async (what: string) =>
      (
        await bench.database.sql`SELECT ${bench.database.sql.unsafe(what)} FROM pg_stat_activity
          WHERE wait_event_type = 'Lock' AND query LIKE '%diagnostics_system%' AND datname = current_database()`
      ).length;
    for (let life = 1; life <= 5; life += 1) {
      const pipeline = bench.start(`life-${life}`, { predecessor: `life-${life - 1}` });
      await until("it waits for the systems", async () => (await sessions("pid")) > 0);
      await pipeline.kill();
      // The server lets a session wait whose client has gone: the next life's is told from it by its end.
      await until("its session has ended", async () => (await sessions("pg_terminate_backend(pid)")) === 0);
    }
    await lock`COMMIT`;
    lock.release();
    await bench.work("last", { predecessor: "life-5" });
    // The system is unknown, so the job fails by the rules: all readings are accounted for, nothing is buried.
    expect(await bench.counts(job_id)).toMatchObject({ status: "failed", quarantined: 10 });
    expect(await list()).toEqual([]);
  });
});

test("an entry that the database refuses for another reason is found by splitting; the others commit", async () => {
  await bench.database.sql.unsafe(`
    CREATE FUNCTION refuse_job() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.total_readings = 3 THEN RAISE EXCEPTION 'not this one'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER refuse_job BEFORE INSERT ON diagnostics_ingestion_job
      FOR EACH ROW WHEN (NEW.status = 'completed') EXECUTE FUNCTION refuse_job();`);
  try {
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, n) => bench.offer(good(n).slice(0, n === 5 ? 3 : 10))),
    );
    await bench.work("w");
    for (const [n, id] of ids.entries()) {
      expect(await bench.counts(id)).toMatchObject(
        n === 5 ? { status: "failed", inserted: 0 } : { inserted: 10 },
      );
    }
    expect((await list()).map(({ reason, meta: m }) => [reason, m?.job_id])).toEqual([
      ["not this one", ids[5]!],
    ]);
    expect(await bench.rows()).toHaveLength(70);
  } finally {
    await bench.database.sql.unsafe("DROP FUNCTION refuse_job() CASCADE");
  }
});

test("a full Redis becomes empty again: threads work at maxmemory", async () => {
  const ids = await Promise.all([1, 2, 3, 4].map((n) => bench.offer(good(n))));
  await bench.redis.config("SET", "maxmemory", 1);
  try {
    await bench.work("w");
    for (const id of ids) expect((await bench.board.get(id))?.status).toBe("completed");
  } finally {
    await bench.redis.config("SET", "maxmemory", 0);
  }
});
