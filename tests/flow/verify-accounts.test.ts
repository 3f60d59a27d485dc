/** verify, accounts: what is stored is what jobs and decisions add up to, and whatever is amiss is found and placed. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import postgres from "postgres";
import type { NewReview } from "../../src/contract/review.ts";
import { serverEdition } from "../support/hourly.ts";
import { reading, START_MS, SYSTEM, sensor } from "../support/ingest-bench.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { decision, ReviewBench } from "../support/review.ts";
import { createTestDatabase, type TestService } from "../support/test-services.ts";
import { until } from "../support/until.ts";
import { fill, type Overrides, SYSTEM_ID, verifyDatabase } from "../support/verify.ts";

const DAY_MS = 86_400_000;
const STEP_S = 300;
/** Readings of `fill`: three sensors, 16 days and their last moment. */
const STORED = 3 * ((16 * 86_400) / STEP_S + 1);
const edition = await serverEdition();

const accountsOf = async (url: string, overrides: Overrides = {}) =>
  (await verifyDatabase(url, overrides)).get("accounts")!;

describe("a filled database", () => {
  let database: TestService;
  let sql: postgres.Sql;
  const accounts = (overrides: Overrides = {}) => accountsOf(database.url, overrides);

  beforeEach(async () => {
    database = await createTestDatabase();
    sql = postgres(database.url, { max: 1, onnotice: () => undefined });
    await fill(database.url, STEP_S);
  });
  afterEach(async () => {
    await sql.end();
    await database.drop();
  });

  /** A reading from the middle of the chunk before the newest one. */
  async function victim(): Promise<{
    sensor_id: string;
    at: string;
    hour: string;
    from: string;
    to: string;
  }> {
    const [row] = await sql<{ sensor_id: string; at: string; hour: string; from: string; to: string }[]>`
      SELECT sensor_id, "timestamp"::text AS at,
        to_char(date_trunc('hour', "timestamp") AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS hour,
        to_char(c.range_start AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS from,
        to_char(c.range_end AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS to
      FROM (SELECT * FROM timescaledb_information.chunks WHERE hypertable_name = 'diagnostics_sensordata'
        ORDER BY range_start DESC OFFSET 1 LIMIT 1) c
      JOIN diagnostics_sensordata ON "timestamp" >= c.range_start + interval '3 days 6 hours'
        AND "timestamp" < c.range_end ORDER BY "timestamp", sensor_id LIMIT 1`;
    return row!;
  }

  test("everything adds up", async () => {
    expect(await accounts()).toMatchObject({
      verdict: "ok",
      figures: { stored: STORED, by_the_books: STORED, uncertain: 0, differences: [], wrong_counters: [] },
    });
    expect(await accounts({ accounts: null })).toMatchObject({ verdict: "n/a" });
  });

  test("a deleted reading is found: its system, sensor, hour, and how to go on", async () => {
    const { sensor_id, at, hour, from, to } = await victim();
    await sql`DELETE FROM diagnostics_sensordata WHERE sensor_id = ${sensor_id} AND "timestamp" = ${at}`;
    const finding = await accounts();
    expect(finding.verdict).toBe("fail");
    const [difference, ...others] = finding.figures.differences as string[];
    expect(others).toEqual([]);
    expect(difference).toStartWith(`system ${SYSTEM_ID}, ${from}T00:00:00Z to ${to}T00:00:00Z: `);
    expect(difference).toContain(`sensor ${sensor_id}, ${hour}:00:00Z to `);
    expect(difference).toContain("11 stored, 12 in the hourly aggregate");
    expect(finding.remedy).toContain(`WHERE system_id = '${SYSTEM_ID}'`);
    const query = finding.remedy!.match(/-c "(.*)"$/)![1]!;
    expect((await sql.unsafe(query)).length).toBeGreaterThan(3);
  });

  test("a deleted reading is found in a time that jobs reach into from one that was dropped", async () => {
    // One job over everything: how much of it went with the oldest chunk is not known, what single days stored is.
    await sql`UPDATE diagnostics_ingestion_job SET oldest_reading_at = now() - interval '20 days'
      WHERE newest_reading_at = (SELECT max("timestamp") FROM diagnostics_sensordata)`;
    await sql`SELECT drop_chunks('diagnostics_sensordata', older_than => now() - interval '10 days')`;
    const clear = await accounts({ expected: { retention_days: 10 } });
    expect(clear).toMatchObject({ verdict: "ok", figures: { differences: [] } });
    expect(clear.figures.uncertain as number).toBeGreaterThan(0);
    await sql`DELETE FROM diagnostics_sensordata WHERE sensor_id = (SELECT min(id::text)::uuid FROM diagnostics_sensor)`;
    const missing = await accounts({ expected: { retention_days: 10 } });
    expect(missing.verdict).toBe("fail");
    expect(missing.summary).toContain(`system ${SYSTEM_ID}, `);
  });

  test("a doubled counter is found, and the job named", async () => {
    const alone = "550e8400-e29b-41d4-a716-446655440777";
    await sql`INSERT INTO diagnostics_system (id, name) VALUES (${alone}, 'alone')`;
    await sql`INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit) VALUES (${alone}, ${alone}, 'p', 'pressure', 'bar')`;
    await sql`INSERT INTO diagnostics_sensordata (sensor_id, "timestamp", value, system_id, quality, unit)
      SELECT ${alone}, date_trunc('hour', now()) - n * interval '1 s', 1, ${alone}, 100, 'bar' FROM generate_series(1, 50) n`;
    const [job] = await sql<{ id: string }[]>`
      INSERT INTO diagnostics_ingestion_job (id, status, total_readings, inserted_readings, created_at, system_id, created_by,
        oldest_reading_at, newest_reading_at)
      SELECT gen_random_uuid(), 'completed', 50, 50, now(), ${alone}, gen_random_uuid(), min("timestamp"), max("timestamp")
      FROM diagnostics_sensordata WHERE system_id = ${alone} RETURNING id`;
    await sql`INSERT INTO diagnostics_dirty_hour
      SELECT DISTINCT system_id, date_trunc('hour', "timestamp") FROM diagnostics_sensordata WHERE system_id = ${alone}`;
    expect(await accounts()).toMatchObject({ verdict: "ok" });
    await sql`UPDATE diagnostics_ingestion_job SET inserted_readings = 100, total_readings = 100 WHERE id = ${job!.id}`;
    const finding = await accounts();
    expect(finding.verdict).toBe("fail");
    expect(finding.figures.differences).toEqual([
      expect.stringMatching(
        new RegExp(`^system ${alone}, .*: 50 stored, 100 by its 1 job \\[jobs ${job!.id} \\(100\\)\\]$`),
      ),
    ]);
  });

  test("readings that nobody brought are found, of systems that no job knows, too", async () => {
    const other = "550e8400-e29b-41d4-a716-446655440778";
    await sql`INSERT INTO diagnostics_sensordata (sensor_id, "timestamp", value, system_id, quality, unit)
      VALUES (${other}, now(), 1, ${other}, 100, 'bar')`;
    const finding = await accounts();
    expect(finding).toMatchObject({ verdict: "fail" });
    expect(finding.summary).toContain(`system ${other}`);
    expect(finding.summary).toContain("1 stored, 0 by its 0 jobs");
  });

  test("what retention drops is not missed, chunks that were dropped by hand are told", async () => {
    const [oldest] = await sql<
      { end_ms: number }[]
    >`SELECT (extract(epoch FROM min(range_end)) * 1000)::float8 AS end_ms
      FROM timescaledb_information.chunks WHERE hypertable_name = 'diagnostics_sensordata'`;
    const { end_ms } = oldest!;
    await sql`SELECT drop_chunks('diagnostics_sensordata', older_than => to_timestamp(${end_ms / 1000}::float8))`;
    const byHand = await accounts();
    expect(byHand).toMatchObject({ verdict: "warn", figures: { differences: [], dropped_between: 0 } });
    expect(byHand.figures.dropped_before as number).toBeGreaterThan(0);
    expect(byHand.remedy).toContain("--since TIME");
    const clock = new ManualClock(0);
    const later = { clock, expected: { retention_days: 30 } };
    clock.now_ms = () => end_ms + 30 * DAY_MS;
    expect(await accounts(later)).toMatchObject({ verdict: "ok", figures: { dropped_before: 0 } });
    expect(await accounts({ accounts: { since_ms: end_ms } })).toMatchObject({ verdict: "ok" });
    // A chunk from the middle is no retention.
    await sql`SELECT drop_chunks('diagnostics_sensordata', newer_than => to_timestamp(${(end_ms + 7 * DAY_MS) / 1000}::float8),
      older_than => to_timestamp(${(end_ms + 14 * DAY_MS) / 1000}::float8))`;
    const middle = await accounts({ accounts: { since_ms: end_ms } });
    expect(middle).toMatchObject({ verdict: "fail" });
    expect(middle.figures.dropped_between as number).toBeGreaterThan(0);
    await sql`TRUNCATE diagnostics_sensordata`;
    expect(await accounts()).toMatchObject({ verdict: "fail", figures: { stored: 0 } });
  });

  test("a chunk that is dropped meanwhile fails no check", async () => {
    const watching = postgres(database.url, { max: 1, onnotice: () => undefined });
    let findings: ReturnType<typeof verifyDatabase> | undefined;
    await sql.begin(async (dropping) => {
      await dropping`SELECT drop_chunks('diagnostics_sensordata', older_than => now() - interval '10 days')`;
      findings = verifyDatabase(database.url, { accounts: null });
      await until("a check waits for the chunk", async () => {
        const [row] = await watching<{ n: number }[]>`SELECT count(*)::int AS n FROM pg_locks l
          JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database()`;
        return row!.n > 0;
      });
    });
    await watching.end();
    expect((await findings!).get("indexes")).toMatchObject({ verdict: "ok" });
  });

  test.skipIf(edition === "apache")(
    `compressed chunks are counted as others are (${edition} edition)`,
    async () => {
      await sql`SELECT compress_chunk(c) FROM show_chunks('diagnostics_sensordata') c`;
      expect(await accounts()).toMatchObject({ verdict: "ok", figures: { stored: STORED } });
      const { sensor_id, at } = await victim();
      await sql`DELETE FROM diagnostics_sensordata WHERE sensor_id = ${sensor_id} AND "timestamp" = ${at}`;
      const finding = await accounts();
      expect(finding.verdict).toBe("fail");
      expect(finding.figures.differences).toHaveLength(1);
    },
  );

  test("a run that is interrupted ends with the reason", async () => {
    const over = new AbortController();
    const progress: string[] = [];
    const clock = new ManualClock(0);
    clock.now_ms = Date.now;
    // Each look is a minute later, so that all of it is told.
    let at_ms = 0;
    clock.monotonic_ms = () => {
      at_ms += 60_000;
      return at_ms;
    };
    await accounts({ clock, progress: (text) => progress.push(text) });
    expect(progress[0]).toBe("accounts: adding up jobs");
    expect(progress.at(-1)).toMatch(/^accounts: counting readings, chunk (\d) of \1 \(\d{4}-\d\d-\d\d\)$/);
    const reason = new Error("interrupted");
    const told = { clock, progress: () => over.abort(reason), stop: over.signal };
    expect(await accounts(told).catch((error: unknown) => error)).toBe(reason);
  });
});

describe("decisions", () => {
  let bench: ReviewBench;
  beforeAll(async () => {
    bench = await ReviewBench.create();
  });
  afterAll(() => bench.close());
  const accounts = () => accountsOf(bench.ingest.database.url);
  const decide = (action: NewReview["action"], ids: readonly number[], conflict: "replace" | null = null) =>
    bench.desk().desk.decide(decision({ action, selection: { ids: [...ids] }, conflict }), ids);

  test("what was stored, replaced, put back and taken out adds up; a reading that came back, one that is gone, and a counter are found", async () => {
    const { sql } = bench.ingest.database;
    await bench.send([reading(0, 0), reading(0, 1, 900), reading(1, 2, 910), reading(0, 0, 120)]);
    const [first, second, conflict] = await bench.ids();
    await decide("approve", [first!, second!]);
    await decide("approve", [conflict!], "replace");
    expect(await accounts()).toMatchObject({ verdict: "ok", figures: { stored: 3, by_the_books: 3 } });
    await decide("reopen", [first!, conflict!]);
    expect(await accounts()).toMatchObject({ verdict: "ok", figures: { stored: 2, by_the_books: 2 } });

    const at = new Date(START_MS + 1_000);
    await sql`INSERT INTO diagnostics_sensordata (sensor_id, "timestamp", value, system_id, quality, unit)
      VALUES (${sensor(0)}, ${at}, 900, ${SYSTEM}, 95, 'bar')`;
    const present = await accounts();
    expect(present.verdict).toBe("fail");
    expect(present.summary).toContain(
      `sensor ${sensor(0)} at 2026-01-05T00:00:01Z: quarantined reading ${first} was taken back and is there`,
    );
    await sql`DELETE FROM diagnostics_sensordata WHERE sensor_id = ${sensor(0)} AND "timestamp" = ${at}`;
    expect(await accounts()).toMatchObject({ verdict: "ok" });

    await sql`UPDATE diagnostics_review_task SET withdrawn = withdrawn + 1, changed = changed * 2 WHERE action = 'reopen'`;
    const counter = await accounts();
    expect(counter.verdict).toBe("fail");
    expect(counter.figures.wrong_counters).toEqual([
      expect.stringMatching(
        /^review task \S+: changed 4, and the record has 2; withdrawn 3, and the record has 2$/,
      ),
    ]);
    await sql`UPDATE diagnostics_review_task SET withdrawn = withdrawn - 1, changed = changed / 2 WHERE action = 'reopen'`;

    await sql`DELETE FROM diagnostics_sensordata WHERE sensor_id = ${sensor(1)}`;
    const gone = await accounts();
    expect(gone.verdict).toBe("fail");
    expect(gone.summary).toContain(`quarantined reading ${second} was decided to be stored and is not there`);
  });
});
