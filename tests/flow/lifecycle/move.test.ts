/**
 * A database that the Apache edition kept is opened by a Community server: all data stays, the view is right at every
 * moment of the move, and in the end the readings are compressed and the continuous aggregate holds every hour.
 * Apache is played by the same server (`as_edition`): what its reconcile and its maintenance leave behind is the same.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Maintenance } from "../../../src/ingest/maintenance.ts";
import { systemClock } from "../../../src/ops/clock.ts";
import { Database, type Sql } from "../../../src/store/pool.ts";
import { reconcile } from "../../../src/store/reconcile.ts";
import {
  CountingReport,
  connect,
  DAY_MS,
  differences,
  dirtyHours,
  HOUR_MS,
  QUIET_LOG,
  registerSensors,
  serverEdition,
  storeReadings,
} from "../../support/hourly.ts";
import { createTestDatabase, type TestService } from "../../support/test-services.ts";
import { until } from "../../support/until.ts";

const SETTINGS = { compress_after_days: 7, retention_days: 1_825 };
const DAYS = 100;
/** Ends what hangs: a hundred days are hundreds of transactions, and the machine may be busy. */
const LONG_MS = 240_000;
const isCommunity = (await serverEdition()) === "community";
const TITLE = isCommunity
  ? "moving from Apache to Community"
  : "moving from Apache to Community (skipped: the server is the Apache edition, this needs TimescaleDB Community)";

let service: TestService;
let database: Database;
let sql: Sql;
beforeAll(async () => {
  if (!isCommunity) return;
  service = await createTestDatabase(false);
  database = new Database({ url: service.url, size: 2, query_deadline_ms: 10_000 });
  sql = connect(service.url, 4);
  await registerSensors(sql, 2, 3);
});
afterAll(async () => {
  await database?.close();
  await sql?.end();
  await service?.drop();
});

function hire(interval_ms = 20): { actor: Maintenance; report: CountingReport } {
  const report = new CountingReport();
  const at_once = { quiet_ms: 0, longest_ms: 0, ended_only: true };
  const actor = new Maintenance(
    {
      database_url: service.url,
      session_name: "upkeep",
      interval_ms,
      retention_days: SETTINGS.retention_days,
      alerts: null,
      patience: { apache: { ...at_once, ended_only: false }, community: at_once },
    },
    systemClock,
    QUIET_LOG,
    report,
  );
  actor.start();
  return { actor, report };
}

/** A reading every half hour of each sensor, up to the running hour. */
async function storeHistory(): Promise<void> {
  const begin_ms = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - DAYS * DAY_MS;
  for (let day = 0; day <= DAYS; day += 10) {
    const rows = Array.from({ length: 48 * 10 * 6 }, (_, i) => ({
      system: 1 + (i % 2),
      sensor: 1 + ((i >> 1) % 3),
      time_ms: begin_ms + day * DAY_MS + Math.floor(i / 6) * (HOUR_MS / 2),
      value: (i * 7919) % 1009,
    }));
    await storeReadings(
      sql,
      rows.filter(({ time_ms }) => time_ms < Date.now()),
    );
  }
}

const fingerprint = async () =>
  (
    await sql`SELECT count(*)::int AS readings, md5(string_agg(d::text, ',' ORDER BY sensor_id, "timestamp")) AS md5
      FROM diagnostics_sensordata d`
  )[0];
const rollupRows = async () =>
  (await sql<{ n: number }[]>`SELECT count(*)::int AS n FROM diagnostics_rollup_hour`)[0]!.n;

/** Leaders are killed one after another until the whole rollup has moved: each does a step or a few before. */
async function moveUnderFire(): Promise<number> {
  let kills = 0;
  for (let left = await rollupRows(); left > 0; left = await rollupRows()) {
    const before = left;
    const { actor } = hire();
    await until("a step is done", async () => (await rollupRows()) < before, LONG_MS);
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'upkeep'`;
    kills += 1;
    await actor.stop(0);
    expect(await differences(sql)).toEqual([]);
  }
  return kills;
}

/** Chunks that the policy should have compressed, and those that it has. */
async function oldChunks(): Promise<{ old: number; compressed: number }> {
  const [row] = await sql<{ old: number; compressed: number }[]>`
    SELECT count(*)::int AS old, count(*) FILTER (WHERE is_compressed)::int AS compressed
    FROM timescaledb_information.chunks
    WHERE hypertable_name = 'diagnostics_sensordata' AND range_end < now() - interval '7 days'`;
  return row!;
}

describe.skipIf(!isCommunity)(TITLE, () => {
  test(
    "keeps all data, is right all the time, resumes when killed, and ends compressed",
    async () => {
      await reconcile(database, SETTINGS, "apache");
      await storeHistory();
      const apache = hire();
      await until("the rollup is complete", async () => (await dirtyHours(sql)) === 0, LONG_MS);
      await apache.actor.stop(5_000);
      const hours = await rollupRows();
      expect(hours).toBeGreaterThan(DAYS * 24 * 6 - 1);
      const before = await fingerprint();

      const { changes } = await reconcile(database, SETTINGS);
      expect(changes).toContain("view diagnostics_sensordata_hourly made for the community edition");
      expect(await differences(sql)).toEqual([]);
      // Two more readings, one of them late, before anything has moved.
      const late = [50 * DAY_MS, 2 * DAY_MS].map((ms) => Math.floor(Date.now() - ms));
      await storeReadings(
        sql,
        late.map((time_ms) => ({ system: 1, sensor: 1, time_ms, value: 1 })),
      );
      // Fifteen weeks; a busy machine lets a leader do a few before it is killed.
      expect(await moveUnderFire()).toBeGreaterThan(2);
      expect(await differences(sql)).toEqual([]);

      const last = hire();
      const isOver = async () =>
        (await sql`SELECT FROM diagnostics_dirty_hour_taken WHERE hour <= now() - interval '1 hour'`)
          .length === 0;
      await until("what was dirty is clean", isOver, LONG_MS);
      await last.actor.stop(5_000);
      await until(
        "the policy has compressed what is old",
        async () => {
          const { old, compressed } = await oldChunks();
          return old > 10 && old === compressed;
        },
        LONG_MS,
      );
      expect(await differences(sql)).toEqual([]);
      await sql`DELETE FROM diagnostics_sensordata
      WHERE "timestamp" = ANY(${sql.array(late.map((ms) => new Date(ms).toISOString()))}::timestamptz[])`;
      expect(await fingerprint()).toEqual(before!);
      expect(await reconcile(database, SETTINGS)).toEqual({ edition: "community", changes: [] });
    },
    4 * LONG_MS,
  );
});
