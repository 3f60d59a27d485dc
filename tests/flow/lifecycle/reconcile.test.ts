/** What depends on the edition is there after a start, whatever was there before, and a second start changes nothing. */
import { afterEach, describe, expect, test } from "bun:test";
import { detectEdition, EditionError, updateExtension } from "../../../src/store/edition.ts";
import { Database, type Sql, StoreUnavailableError } from "../../../src/store/pool.ts";
import { reconcile } from "../../../src/store/reconcile.ts";
import {
  connect,
  DAY_MS,
  differences,
  dirtyHours,
  registerSensors,
  serverEdition,
  storeReadings,
} from "../../support/hourly.ts";
import { createTestDatabase } from "../../support/test-services.ts";
import { until } from "../../support/until.ts";

const SETTINGS = { compress_after_days: 7, retention_days: 1_825 };
const COLUMNS = [
  "bucket timestamp with time zone",
  "system_id uuid",
  "sensor_id uuid",
  "readings_count bigint",
  "avg_value double precision",
  "min_value double precision",
  "max_value double precision",
  "stddev_value double precision",
  "last_value double precision",
];

const edition = await serverEdition();
const isCommunity = edition === "community";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A migrated database that was never reconciled, with four hours of readings that no log speaks of. */
async function bareDatabase(): Promise<{ database: Database; sql: Sql }> {
  const service = await createTestDatabase(false);
  closing.push(() => service.drop());
  const database = new Database({ url: service.url, size: 3, query_deadline_ms: 10_000 });
  const sql = connect(service.url, 3);
  closing.push(
    () => database.close(),
    () => sql.end(),
  );
  await registerSensors(sql, 1, 2);
  // From midnight on, because chunks begin at midnight: these are in one.
  const begin_ms = Math.floor(Date.now() / DAY_MS - 3) * DAY_MS;
  await storeReadings(
    sql,
    Array.from({ length: 24 }, (_, i) => ({
      system: 1,
      sensor: 1 + (i % 2),
      time_ms: begin_ms + i * 10 * 60_000,
      value: i,
    })),
  );
  await sql`DELETE FROM diagnostics_dirty_hour`;
  return { database, sql };
}

/** Jobs with their ids, so that one that was made anew shows. */
const jobs = (sql: Sql) =>
  sql`SELECT job_id, proc_name, config FROM timescaledb_information.jobs WHERE job_id >= 1000 ORDER BY job_id`;

describe(`reconcile on the ${edition} edition`, () => {
  test("the edition is told by what the server can do", async () => {
    const { sql } = await bareDatabase();
    expect(await detectEdition(sql)).toBe(edition);
    await sql`DROP EXTENSION timescaledb CASCADE`;
    await expect(detectEdition(sql)).rejects.toThrow(EditionError);
  });

  test("an extension whose library the server has stays; one without a way to the server's version is refused", async () => {
    const { database, sql } = await bareDatabase();
    expect(await updateExtension(database.url)).toBeNull();
    // As a database looks to a server that is older than the one that made it.
    await sql`UPDATE pg_extension SET extversion = '99.0.0' WHERE extname = 'timescaledb'`;
    await expect(updateExtension(database.url)).rejects.toThrow(EditionError);
    await expect(updateExtension("postgres://nobody@127.0.0.1:9/none")).rejects.toThrow(
      StoreUnavailableError,
    );
  });

  test("the view has the agreed columns and is right from its first moment", async () => {
    const { database, sql } = await bareDatabase();
    const { changes } = await reconcile(database, SETTINGS);
    expect(changes.length).toBeGreaterThan(0);
    const columns = await sql<{ text: string }[]>`
      SELECT attname || ' ' || format_type(atttypid, atttypmod) AS text FROM pg_attribute
      WHERE attrelid = 'diagnostics_sensordata_hourly'::regclass ORDER BY attnum`;
    expect(columns.map(({ text }) => text)).toEqual(COLUMNS);
    expect(await dirtyHours(sql)).toBe(4);
    expect(await differences(sql)).toEqual([]);
  });

  test("a second start changes nothing", async () => {
    const { database, sql } = await bareDatabase();
    await reconcile(database, SETTINGS);
    const before = await jobs(sql);
    expect(await reconcile(database, SETTINGS)).toEqual({ edition, changes: [] });
    expect([...(await jobs(sql))]).toEqual([...before]);
  });

  test("two starts at once: one does the work, both find it done", async () => {
    const { database, sql } = await bareDatabase();
    const results = await Promise.all([reconcile(database, SETTINGS), reconcile(database, SETTINGS)]);
    expect(results.map(({ changes }) => changes.length > 0).sort()).toEqual([false, true]);
    expect(await differences(sql)).toEqual([]);
  });

  test("a start that is cut off is finished by the next", async () => {
    const { database, sql } = await bareDatabase();
    await reconcile(database, SETTINGS);
    await sql`COMMENT ON VIEW diagnostics_sensordata_hourly IS 'apache of an older program'`;
    const reader = await sql.reserve();
    await reader`BEGIN`;
    await reader`SELECT count(*) FROM diagnostics_sensordata_hourly`;
    const first = reconcile(database, SETTINGS);
    const outcome = first.then(
      () => "done",
      (error: unknown) => error,
    );
    await until("the reconcile waits for the reader and is killed", async () => {
      const rows = await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'hydraulic-ingest' AND wait_event_type = 'Lock'`;
      return rows.length > 0;
    });
    expect(await outcome).toBeInstanceOf(StoreUnavailableError);
    await reader`ROLLBACK`;
    reader.release();
    const { changes } = await reconcile(database, SETTINGS);
    expect(changes).toEqual([`view diagnostics_sensordata_hourly made for the ${edition} edition`]);
    expect(await differences(sql)).toEqual([]);
  });

  test("a view that somebody dropped comes back with every hour", async () => {
    const { database, sql } = await bareDatabase();
    await reconcile(database, SETTINGS);
    await sql`DELETE FROM diagnostics_dirty_hour_taken`;
    await sql`DROP VIEW diagnostics_sensordata_hourly`;
    await reconcile(database, SETTINGS);
    expect(await differences(sql)).toEqual([]);
  });

  test("the statements that the platform's people use work unchanged", async () => {
    const { database, sql } = await bareDatabase();
    await reconcile(database, SETTINGS);
    const hypertables =
      await sql`SELECT * FROM timescaledb_information.hypertables WHERE hypertable_name = 'diagnostics_sensordata'`;
    expect(hypertables).toHaveLength(1);
    expect(hypertables[0]).toMatchObject({ num_chunks: "1", compression_enabled: isCommunity });
    const queries = [
      "SELECT id, status, total_readings, inserted_readings, quarantined_readings FROM diagnostics_ingestion_job ORDER BY created_at DESC LIMIT 10",
      "SELECT reason, COUNT(*) FROM diagnostics_quarantined_reading GROUP BY reason",
    ];
    for (const query of queries) expect([...(await sql.unsafe(query))]).toEqual([]);
  });
});

const NEEDS_COMMUNITY = isCommunity
  ? "on the Community edition"
  : "skipped: the server is the Apache edition, these need TimescaleDB Community";

describe.skipIf(!isCommunity)(`policies (${NEEDS_COMMUNITY})`, () => {
  test("compression, retention and a real-time aggregate whose refresh starts within retention", async () => {
    const { database, sql } = await bareDatabase();
    await reconcile(database, SETTINGS);
    const [settings] =
      await sql`SELECT segmentby, orderby FROM timescaledb_information.hypertable_compression_settings
      WHERE hypertable = 'diagnostics_sensordata'::regclass`;
    expect(settings).toEqual({ segmentby: "sensor_id", orderby: '"timestamp" DESC' });
    const caggs = await sql`SELECT materialized_only FROM timescaledb_information.continuous_aggregates`;
    expect([...caggs]).toEqual([{ materialized_only: false }]);
    const names = (await jobs(sql)).map(({ proc_name }) => proc_name).sort();
    expect(names).toEqual([
      "policy_compression",
      "policy_refresh_continuous_aggregate",
      "policy_retention",
      "policy_retention",
    ]);
  });

  test("changed settings replace the policies, and only those that differ", async () => {
    const { database, sql } = await bareDatabase();
    await reconcile(database, SETTINGS);
    const before = await jobs(sql);
    const { changes } = await reconcile(database, { compress_after_days: 7, retention_days: 20 });
    expect(changes).toHaveLength(3);
    const after = await jobs(sql);
    const text = (rows: typeof after, name: string, key: string) =>
      rows.filter((r) => r.proc_name === name).map((r) => r.config[key]);
    expect(text(after, "policy_retention", "drop_after")).toEqual(["20 days", "20 days"]);
    expect(text(after, "policy_refresh_continuous_aggregate", "start_offset")).toEqual(["240:00:00"]);
    const id = (rows: typeof after) => rows.find((r) => r.proc_name === "policy_compression")?.job_id;
    expect(id(after)).toBe(id(before));
  });

  test("a database that Community keeps is refused on Apache, with the way out", async () => {
    const { database } = await bareDatabase();
    await reconcile(database, SETTINGS);
    const refused = reconcile(database, SETTINGS, "apache");
    await expect(refused).rejects.toThrow(EditionError);
    await expect(refused).rejects.toThrow("docs/operate-editions.md");
  });
});
