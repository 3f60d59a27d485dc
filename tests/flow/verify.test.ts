/** verify: a healthy database passes, and each damage is found by the check that is there for it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { BenchmarkTables } from "../../src/store/benchmark-tables.ts";
import { Database } from "../../src/store/pool.ts";
import { workClient } from "../../src/stream/connection.ts";
import { deadKey, streamKey } from "../../src/stream/keys.ts";
import { serverEdition } from "../support/hourly.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { createTestDatabase, createTestRedis, type TestService } from "../support/test-services.ts";
import { until } from "../support/until.ts";
import { fill, type Overrides, SYSTEM_ID, snapshot, verifyDatabase } from "../support/verify.ts";

const HOUR_MS = 3_600_000;
const edition = await serverEdition();
let redisService: TestService;
beforeAll(async () => {
  redisService = await createTestRedis();
});
afterAll(() => redisService.drop());

describe("a filled database", () => {
  let database: TestService;
  let sql: postgres.Sql;

  beforeEach(async () => {
    database = await createTestDatabase();
    sql = postgres(database.url, { max: 1, onnotice: () => undefined });
    await fill(database.url);
  });
  afterEach(async () => {
    await sql.end();
    await database.drop();
  });

  const verdict = async (check: string, overrides: Overrides = {}) =>
    (await verifyDatabase(database.url, overrides)).get(check)!;

  test("passes every check, with the figures of what was looked at, and stays as it is", async () => {
    const before = await snapshot(database.url);
    const redis = workClient(redisService.url);
    try {
      const findings = await verifyDatabase(database.url, { redis });
      for (const { check, verdict } of findings.values())
        expect([check, verdict]).toEqual([check, expect.stringMatching(/^(ok|n\/a)$/)]);
      const agreement = findings.get("hourly agreement")!;
      expect(agreement.verdict).toBe("ok");
      expect(agreement.figures).toMatchObject({ sensor_days: 3, hours: 72, readings: 8_640, mismatches: [] });
      const plan = findings.get("range plan")!;
      expect(plan.verdict).toBe("ok");
      expect(plan.figures.rows).toBe(2_880);
      expect(plan.figures.chunks as number).toBeGreaterThan(plan.figures.chunks_scanned as number);
      expect(plan.figures.chunks_scanned).toBe(plan.figures.chunks_in_range!);
      expect(plan.figures.indexes).not.toHaveLength(0);
    } finally {
      redis.disconnect();
    }
    expect(await snapshot(database.url)).toEqual(before);
  });

  test.each([
    "ALTER TABLE diagnostics_audit DISABLE TRIGGER diagnostics_audit_kept",
    "ALTER TABLE diagnostics_audit ENABLE TRIGGER diagnostics_audit_kept_row",
    "DROP FUNCTION diagnostics_audit_is_kept() CASCADE",
  ])("finds that the record of who did what can be changed: %s", async (statement) => {
    expect((await verdict("record")).verdict).toBe("ok");
    await sql.unsafe(statement);
    const { verdict: found, summary } = await verdict("record");
    expect([found, summary]).toEqual(["fail", expect.stringContaining("diagnostics_audit_kept")]);
  });

  test("finds readings that came past the hourly aggregate", async () => {
    await sql`INSERT INTO diagnostics_sensordata (sensor_id, "timestamp", value, system_id, quality, unit)
      SELECT id, date_trunc('day', now() - interval '8 days') + interval '0.5 ms' + n * interval '1 hour 1 ms', 1, system_id, 100, unit
      FROM diagnostics_sensor, generate_series(-24 * 8, 24 * 8) n
      WHERE now() > date_trunc('day', now() - interval '8 days') + interval '0.5 ms' + n * interval '1 hour 1 ms'`;
    const finding = await verdict("hourly agreement");
    expect(finding.verdict).toBe("fail");
    expect(finding.summary).toContain("readings in the view");
    expect((finding.figures.mismatches as string[]).every((line) => line.endsWith("readings_count"))).toBe(
      true,
    );
  });

  test("finds values of the aggregate that are not those of the readings", async () => {
    // The count stays the same, so only the comparison of values can find it.
    await sql`UPDATE diagnostics_sensordata SET value = value + 1 WHERE "timestamp" < now() - interval '1 day'`;
    const finding = await verdict("hourly agreement");
    expect(finding.verdict).toBe("fail");
    expect((finding.figures.mismatches as string[])[0]).toEndWith("min_value");
  });

  test("finds hours of the aggregate whose readings are gone", async () => {
    // Whole hours of every day: which days are looked at is left to chance.
    await sql`DELETE FROM diagnostics_sensordata
      WHERE "timestamp" < date_trunc('day', now(), 'UTC') AND extract(hour FROM "timestamp" AT TIME ZONE 'UTC') < 12`;
    const finding = await verdict("hourly agreement");
    expect(finding.verdict).toBe("fail");
    expect(finding.summary).toContain("none stored");
  });

  test("misses the view, the log's keeper, and hours that wait for long", async () => {
    await sql`INSERT INTO diagnostics_dirty_hour SELECT ${SYSTEM_ID}, now() FROM generate_series(1, 20001)`;
    expect(await verdict("hourly freshness")).toMatchObject({
      verdict: "warn",
      figures: { log_rows: 20_001 },
    });
    await sql`TRUNCATE diagnostics_dirty_hour`;
    expect(await verdict("hourly freshness")).toMatchObject({ verdict: "ok" });
    await sql`INSERT INTO diagnostics_dirty_hour_taken
      VALUES (${SYSTEM_ID}, date_trunc('hour', now()), now() - interval '2 hours', now())`;
    expect(await verdict("hourly freshness")).toMatchObject({ verdict: "warn" });
    await sql`DROP VIEW diagnostics_sensordata_hourly`;
    expect(await verdict("hourly freshness")).toMatchObject({ verdict: "fail" });
    expect(await verdict("hourly agreement")).toMatchObject({ verdict: "fail" });
  });

  test("finds a missing unique key, and that the plan reads whole chunks without it", async () => {
    await sql`DROP INDEX diagnostics_sensordata_sensor_time`;
    const findings = await verifyDatabase(database.url);
    expect(findings.get("indexes")).toMatchObject({ verdict: "fail" });
    expect(findings.get("indexes")!.summary).toContain("diagnostics_sensordata (sensor_id");
    expect(findings.get("range plan")).toMatchObject({ verdict: "fail" });
    expect(findings.get("range plan")!.figures.whole_scans).toHaveLength(1);
  });

  test("finds one chunk without the unique key", async () => {
    const [index] = await sql<{ name: string }[]>`
      SELECT format('%I.%I', schemaname, indexname) AS name FROM pg_indexes
      WHERE schemaname = '_timescaledb_internal' AND indexname LIKE '%diagnostics_sensordata_sensor_time' LIMIT 1`;
    await sql.unsafe(`DROP INDEX ${index!.name}`);
    const finding = await verdict("indexes");
    expect(finding.verdict).toBe("fail");
    expect(finding.figures.chunks_without_key).toHaveLength(1);
  });

  test("finds an invalid index", async () => {
    await sql`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'diagnostics_dirty_hour_key'::regclass`;
    expect(await verdict("indexes")).toMatchObject({
      verdict: "fail",
      figures: { invalid: ["diagnostics_dirty_hour_key"] },
    });
  });

  test("finds a plan that scans chunks outside of the range", async () => {
    const session = { "timescaledb.enable_optimizations": "off", constraint_exclusion: "off" };
    const finding = await verdict("range plan", { session });
    expect(finding.verdict).toBe("fail");
    expect(finding.summary).toContain("outside the range");
  });

  test("finds migrations that are missing, of a newer program, and such that were changed", async () => {
    await sql`INSERT INTO diagnostics_migration (version, name, checksum, since) VALUES (9000, '9000_more.sql', 'x', 12)`;
    const newer = await verdict("migrations");
    expect(newer).toMatchObject({ verdict: "warn", figures: { newer: ["9000_more.sql"], conflict: null } });
    await sql`DELETE FROM diagnostics_migration WHERE version = 9000`;
    await sql`DELETE FROM diagnostics_migration WHERE version = 3`;
    const missing = await verdict("migrations");
    expect(missing.verdict).toBe("fail");
    expect(missing.figures.missing).toEqual(["0003_hourly.sql"]);
    await sql`UPDATE diagnostics_migration SET checksum = 'other' WHERE version = 1`;
    const changed = await verdict("migrations");
    expect(changed.verdict).toBe("fail");
    expect(changed.summary).toContain("0001_platform.sql was changed");
  });

  test("tells of settings that the database does not have", async () => {
    const findings = await verifyDatabase(database.url, {
      expected: { chunk_interval_days: 1, retention_days: 1 },
    });
    expect(findings.get("chunk interval")).toMatchObject({
      verdict: "warn",
      figures: { interval_days: 7, configured_days: 1 },
    });
    expect(findings.get("retention")).toMatchObject({ verdict: "warn" });
    expect(findings.get("retention")!.figures.overdue_chunks as number).toBeGreaterThan(0);
    expect(findings.get("hypertable")).toMatchObject({ verdict: "ok" });
  });

  test("finds jobs whose quarantine is gone, and such that never end", async () => {
    const job = (status: string, age: string) => sql`
      INSERT INTO diagnostics_ingestion_job (id, status, total_readings, quarantined_readings, created_at, system_id, created_by)
      VALUES (gen_random_uuid(), ${status}, 2, ${status === "completed" ? 2 : 0}, now() - ${age}::interval, ${SYSTEM_ID},
        gen_random_uuid())`;
    await job("processing", "2 hours");
    expect(await verdict("ledger")).toMatchObject({ verdict: "warn", figures: { stuck_jobs: 1 } });
    await job("failed", "1 minute");
    await sql`UPDATE diagnostics_ingestion_job SET lost_at = now() - interval '6 days' WHERE status = 'failed'`;
    const lost = await verdict("ledger");
    expect(lost).toMatchObject({ verdict: "warn", figures: { lost_jobs: 1 } });
    expect(lost.summary).toContain(
      `lost with Redis in 7 days: ${(lost.figures.newest_lost_jobs as string[])[0]}`,
    );
    await job("completed", "1 minute");
    const finding = await verdict("ledger");
    expect(finding.verdict).toBe("fail");
    expect(finding.figures.wrong_jobs).toHaveLength(1);
  });

  test("finds a server whose settings lose commits", async () => {
    const finding = await verdict("settings", { session: { synchronous_commit: "off" } });
    expect(finding).toMatchObject({ verdict: "fail", figures: { synchronous_commit: "off" } });
  });

  test.each([
    [0, "ok"],
    [5_000, "warn"],
    [-5_000, "warn"],
    [60_000, "fail"],
    [-HOUR_MS, "fail"],
  ])("a clock that differs by %d ms: %s", async (offset_ms, expected) => {
    const clock = new ManualClock(0);
    clock.now_ms = () => Date.now() + offset_ms;
    const finding = await verdict("clock", { clock });
    expect(finding.verdict).toBe(expected as "ok");
    const { postgres_offset_ms, uncertainty_ms } = finding.figures as Record<string, number>;
    expect(Math.abs(postgres_offset_ms! + offset_ms)).toBeLessThan(500 + uncertainty_ms!);
  });

  test("looks into Redis without changing it: backlog, dead letters", async () => {
    const redis = workClient(redisService.url);
    try {
      await redis.xadd(streamKey(0), "*", "v", "1");
      const waiting = (await verdict("backlog", { redis })).figures;
      expect(waiting).toMatchObject({ entries: 1, dead_letters: 0 });
      await redis.xadd(deadKey(0), "*", "v", "1");
      const before = (await redis.keys("*")).toSorted();
      const findings = await verifyDatabase(database.url, { redis });
      expect(findings.get("backlog")).toMatchObject({ verdict: "warn", figures: { dead_letters: 1 } });
      expect(findings.get("redis")).toMatchObject({ verdict: "ok", figures: { append_only: true } });
      expect((await redis.keys("*")).toSorted()).toEqual(before);
      const full = { partitions: 1, max_entries: 1, max_bytes: 1e9, idempotency_ttl_s: 60 };
      expect(await verdict("backlog", { redis, expected: { bounds: full } })).toMatchObject({
        verdict: "fail",
      });
    } finally {
      redis.disconnect();
    }
  });
});

describe.skipIf(edition === "apache")(`compression (the server is of the ${edition} edition)`, () => {
  let database: TestService;
  let store: Database;
  beforeEach(async () => {
    database = await createTestDatabase();
    store = new Database({ url: database.url, size: 1, query_deadline_ms: 30_000 });
    await fill(database.url);
  });
  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  test("chunks that are compressed are told with what was saved, and are read by index", async () => {
    await new BenchmarkTables(store).compress(7, true);
    const findings = await verifyDatabase(database.url);
    const { verdict, figures } = findings.get("compression")!;
    expect(verdict).toBe("ok");
    expect(figures.compressed_chunks).toBe(figures.chunks!);
    expect(figures.saved_share as number).toBeGreaterThan(0.8);
    expect(findings.get("range plan")).toMatchObject({ verdict: "ok", figures: { rows: 2_880 } });
    expect(findings.get("indexes")).toMatchObject({ verdict: "ok" });
    expect(findings.get("hourly agreement")).toMatchObject({ verdict: "ok" });
  });

  test("readings that came into compressed chunks and are not compressed yet are told", async () => {
    await new BenchmarkTables(store).compress(7, true);
    const [before] = await store.sql<
      { rows: number }[]
    >`SELECT count(*)::int AS rows FROM diagnostics_sensordata`;
    await store.sql`INSERT INTO diagnostics_sensordata (sensor_id, "timestamp", value, system_id, quality, unit)
      SELECT id, now() - interval '10 days' + n * interval '7 s' + interval '1 us', 1, system_id, 100, unit
      FROM diagnostics_sensor, generate_series(1, ${before!.rows}::int) n
      WHERE now() - interval '10 days' + n * interval '7 s' < now() - interval '1 hour'`;
    const waiting = (await verifyDatabase(database.url)).get("compression")!;
    expect(waiting.verdict).toBe("warn");
    expect(waiting.figures.waiting_bytes as number).toBeGreaterThan(20e6);
    expect(waiting.summary).toContain("came later and wait for the policy");
    await new BenchmarkTables(store).compress(7, true);
    const after = await until("nothing waits", async () => {
      // Recompression deletes the rows, a vacuum gives their space back once nobody reads them any more.
      await new BenchmarkTables(store).vacuum();
      const found = (await verifyDatabase(database.url)).get("compression")!;
      return found.figures.waiting_bytes === 0 && found;
    });
    expect(after.verdict).toBe("ok");
  });

  test("chunks that the policy passed over, and a policy that is off or gone, are told", async () => {
    const clock = new ManualClock(Date.now() + 60 * 24 * HOUR_MS);
    const compression = async () => (await verifyDatabase(database.url, { clock })).get("compression")!;
    const overdue = await compression();
    expect(overdue.verdict).toBe("warn");
    expect(overdue.figures.overdue_chunks).toBe(overdue.figures.chunks!);
    await new BenchmarkTables(store).compress(7, true);
    expect(await compression()).toMatchObject({ verdict: "ok" });
    await store.sql`SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
      WHERE proc_name = 'policy_compression' AND hypertable_name = 'diagnostics_sensordata'`;
    expect((await compression()).summary).toContain("switched off");
    await store.sql`SELECT remove_compression_policy('diagnostics_sensordata')`;
    expect(await compression()).toMatchObject({ verdict: "fail" });
    await store.sql`SELECT remove_retention_policy('diagnostics_sensordata')`;
    await store.sql`SELECT remove_retention_policy('diagnostics_sensordata_hourly_cagg')`;
    await store.sql`SELECT remove_continuous_aggregate_policy('diagnostics_sensordata_hourly_cagg')`;
    // Somebody's own aggregate beside ours has policies, and they are not ours.
    await store.sql`CREATE MATERIALIZED VIEW somebodys WITH (timescaledb.continuous) AS
      SELECT time_bucket('1 day', "timestamp") AS day, count(*) FROM diagnostics_sensordata GROUP BY 1 WITH NO DATA`;
    await store.sql`SELECT add_continuous_aggregate_policy('somebodys', start_offset => interval '30 days',
      end_offset => interval '1 day', schedule_interval => interval '1 day')`;
    await store.sql`SELECT add_retention_policy('somebodys', drop_after => interval '60 days')`;
    const findings = await verifyDatabase(database.url);
    expect(findings.get("retention")).toMatchObject({ verdict: "fail" });
    expect(findings.get("hourly freshness")).toMatchObject({ verdict: "fail" });
  });
});

test("an empty server is told what to do, and nothing breaks", async () => {
  const database = await createTestDatabase(false);
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  try {
    await sql`DROP EXTENSION timescaledb CASCADE`;
    const findings = await verifyDatabase(database.url);
    expect(findings.get("extension")).toMatchObject({ verdict: "fail", remedy: "Run: hydraulic migrate" });
    expect(findings.get("hypertable")).toMatchObject({ verdict: "fail" });
    expect(findings.get("range plan")).toMatchObject({ verdict: "n/a" });
  } finally {
    await sql.end();
    await database.drop();
  }
});
