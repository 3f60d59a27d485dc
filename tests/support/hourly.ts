/** Readings straight into the tables as the writer leaves them, and the comparison of the hourly view with a plain GROUP BY. */
import { pino } from "pino";
import postgres from "postgres";
import type { MaintenanceReport } from "../../src/ingest/maintenance.ts";
import { detectEdition, type Edition } from "../../src/store/edition.ts";
import type { Sql } from "../../src/store/pool.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const QUIET_LOG = pino({ level: "silent" });

export interface StoredReading {
  readonly system: number;
  readonly sensor: number;
  readonly time_ms: number;
  readonly value: number;
}

/** Ids that can be told apart when a comparison fails. */
export const systemId = (system: number) => `00000000-0000-4000-8000-${String(system).padStart(12, "0")}`;
export const sensorId = (system: number, sensor: number) =>
  `00000000-0000-4000-9000-${String(system * 1000 + sensor).padStart(12, "0")}`;

/** Connections of the test itself. */
export function connect(url: string, size: number): Sql {
  return postgres(url, {
    max: size,
    onnotice: () => undefined,
    connection: { application_name: "test", TimeZone: "UTC" },
  }) as unknown as Sql;
}

/** The edition of the server that the tests run on. */
export async function serverEdition(): Promise<Edition> {
  const url = process.env.DATABASE_URL;
  if (!url) throw new Error("DATABASE_URL is not set: run `npm test`, or start services and set it");
  const sql = connect(url, 1);
  try {
    await sql`CREATE EXTENSION IF NOT EXISTS timescaledb`;
    return await detectEdition(sql);
  } finally {
    await sql.end();
  }
}

export async function registerSensors(sql: Sql, systems: number, sensors: number): Promise<void> {
  for (let system = 1; system <= systems; system += 1) {
    await sql`INSERT INTO diagnostics_system (id, name) VALUES (${systemId(system)}, ${`system ${system}`})`;
    for (let sensor = 1; sensor <= sensors; sensor += 1) {
      await sql`INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit)
        VALUES (${sensorId(system, sensor)}, ${systemId(system)}, ${`sensor ${sensor}`}, 'pressure', 'bar')`;
    }
  }
}

/** One transaction of the writer: readings whose key is free, and a log row for each system and hour that changed. */
export async function storeReadings(sql: Sql, rows: readonly StoredReading[]): Promise<void> {
  await sql`
    WITH given AS (
      SELECT * FROM unnest(${sql.array(rows.map((r) => new Date(r.time_ms).toISOString()))}::timestamptz[],
        ${sql.array(rows.map((r) => r.value))}::float8[],
        ${sql.array(rows.map((r) => sensorId(r.system, r.sensor)))}::uuid[],
        ${sql.array(rows.map((r) => systemId(r.system)))}::uuid[]) AS g (t, value, sensor_id, system_id)),
    stored AS (
      INSERT INTO diagnostics_sensordata ("timestamp", value, sensor_id, system_id, quality, unit)
      SELECT t, value, sensor_id, system_id, 100, 'bar' FROM given ORDER BY sensor_id, t
      ON CONFLICT DO NOTHING RETURNING system_id, "timestamp")
    INSERT INTO diagnostics_dirty_hour (system_id, hour)
    SELECT DISTINCT system_id, date_trunc('hour', "timestamp") FROM stored`;
}

/**
 * Rows in which the view and a plain GROUP BY over the readings differ, both read in one snapshot. Counts, minima,
 * maxima, last values and the set of rows must be equal; averages and deviations may differ in the last digits,
 * because floating-point sums depend on the order of the rows.
 */
export async function differences(sql: Sql): Promise<readonly unknown[]> {
  return sql.begin("isolation level repeatable read read only", async (tx) => {
    // Before the snapshot: a chunk that is dropped between snapshot and plan is missing only from the GROUP BY.
    await tx`LOCK TABLE diagnostics_sensordata IN ACCESS SHARE MODE`;
    return tx`
      WITH plain AS (
        SELECT time_bucket('1 hour', "timestamp") AS bucket, system_id, sensor_id, count(*) AS n, avg(value) AS a,
          min(value) AS lo, max(value) AS hi, stddev_samp(value) AS sd, last(value, "timestamp") AS la
        FROM diagnostics_sensordata GROUP BY 1, 2, 3),
      shown AS (
        SELECT *, count(*) OVER (PARTITION BY bucket, system_id, sensor_id) AS times
        FROM diagnostics_sensordata_hourly)
      SELECT p.*, v.*, p.bucket AS plain_bucket, v.bucket AS view_bucket
      FROM plain p FULL JOIN shown v ON v.bucket = p.bucket AND v.system_id = p.system_id AND v.sensor_id = p.sensor_id
      WHERE p.bucket IS NULL OR v.bucket IS NULL OR v.times <> 1 OR v.readings_count <> p.n
        OR v.min_value <> p.lo OR v.max_value <> p.hi OR v.last_value <> p.la
        OR abs(v.avg_value - p.a) > 1e-9 * greatest(1, abs(p.a))
        OR (v.stddev_value IS NULL) <> (p.sd IS NULL)
        OR abs(v.stddev_value - p.sd) > 1e-6 * greatest(1, p.sd)
      ORDER BY 1 LIMIT 5`;
  });
}

/** Hours that readers get from the readings themselves, in the log and in the set. */
export async function dirtyHours(sql: Sql): Promise<number> {
  const [row] = await sql<{ n: number }[]>`SELECT (SELECT count(*) FROM diagnostics_dirty_hour)::int
    + (SELECT count(*) FROM diagnostics_dirty_hour_taken)::int AS n`;
  return row!.n;
}

/** Counts what a maintenance actor reports. */
export class CountingReport implements MaintenanceReport {
  leading = false;
  terms = 0;
  taken = 0;
  aggregated = 0;
  chunks = 0;
  failures = 0;
  readonly alerts: { open: number; raised: number; resolved: number }[] = [];
  lag_s = 0;
  onLeading(leading: boolean): void {
    if (leading && !this.leading) this.terms += 1;
    this.leading = leading;
  }
  onTaken(rows: number): void {
    this.taken += rows;
  }
  onAggregated(hours: number): void {
    this.aggregated += hours;
  }
  onDropped({ chunks }: { chunks: number }): void {
    this.chunks += chunks;
  }
  onBacklog({ oldest_s }: { oldest_s: number }): void {
    this.lag_s = oldest_s;
  }
  onAlerts(alerts: { open: number; raised: number; resolved: number }): void {
    this.alerts.push(alerts);
  }
  onFailed(): void {
    this.failures += 1;
  }
}
