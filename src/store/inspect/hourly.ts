/** The hourly aggregate: how much waits to be aggregated, and whether what readers see equals the readings. */
import type { Database, Sql } from "../pool.ts";

export interface HourlyFacts {
  /** Null when there is no view. */
  readonly view: "present" | null;
  /** Rows of the log that nobody has taken yet, counted up to LOG_ROWS_COUNTED. */
  readonly log_rows: number;
  /** Hours of systems that are read from the readings themselves until they are aggregated. */
  readonly dirty_hours: number;
  /** Age of the oldest of them, s; null without any. */
  readonly oldest_dirty_s: number | null;
}

/** Enough to know that nobody takes them. */
export const LOG_ROWS_COUNTED = 1_000_000;

/** @throws {StoreUnavailableError} */
export function inspectHourly(database: Database): Promise<HourlyFacts> {
  return database.run("inspect hourly", async (sql) => {
    const [row] = await sql<HourlyFacts[]>`
      SELECT CASE WHEN to_regclass('diagnostics_sensordata_hourly') IS NOT NULL THEN 'present' END AS view,
        (SELECT count(*)::float8 FROM (SELECT FROM diagnostics_dirty_hour LIMIT ${LOG_ROWS_COUNTED}) l) AS log_rows,
        (SELECT count(*)::float8 FROM diagnostics_dirty_hour_taken) AS dirty_hours,
        (SELECT extract(epoch FROM now() - min(first_taken_at))::float8 FROM diagnostics_dirty_hour_taken)
          AS oldest_dirty_s`;
    return row!;
  });
}

/** Hours of one sensor, [from, to), to be compared. */
export interface HourlySample {
  readonly sensor_id: string;
  readonly system_id: string;
  readonly from_ms: number;
  readonly to_ms: number;
}

const DAY_MS = 86_400_000;

/**
 * Days with readings, one of each of `count` sensors, all chosen by `draw`.
 * @param draw evenly distributed from 0 to below 1
 * @throws {StoreUnavailableError}
 */
export function drawSamples(database: Database, count: number, draw: () => number): Promise<HourlySample[]> {
  return database.run("draw samples", async (sql) => {
    const salt = String(draw());
    const sensors = await sql<{ sensor_id: string; system_id: string; first_ms: number; last_ms: number }[]>`
      SELECT s.id AS sensor_id, s.system_id, (extract(epoch FROM first.at) * 1000)::float8 AS first_ms,
        (extract(epoch FROM last.at) * 1000)::float8 AS last_ms
      FROM (SELECT id, system_id FROM diagnostics_sensor ORDER BY md5(id::text || ${salt}) LIMIT ${count}) s
      CROSS JOIN LATERAL (SELECT "timestamp" AS at FROM diagnostics_sensordata WHERE sensor_id = s.id
        ORDER BY "timestamp" LIMIT 1) first
      CROSS JOIN LATERAL (SELECT "timestamp" AS at FROM diagnostics_sensordata WHERE sensor_id = s.id
        ORDER BY "timestamp" DESC LIMIT 1) last`;
    const samples: HourlySample[] = [];
    for (const { sensor_id, system_id, first_ms, last_ms } of sensors) {
      const drawn_ms = first_ms + draw() * (last_ms - first_ms);
      // Sensors rest; the next reading says which day is worth comparing. One exists, because drawn_ms <= last_ms.
      const [next] = await sql<{ day_ms: number }[]>`
        SELECT (extract(epoch FROM date_trunc('day', "timestamp", 'UTC')) * 1000)::float8 AS day_ms
        FROM diagnostics_sensordata WHERE sensor_id = ${sensor_id}
          AND "timestamp" >= to_timestamp(${Math.floor(drawn_ms) / 1000}::float8)
        ORDER BY "timestamp" LIMIT 1`;
      if (next) samples.push({ sensor_id, system_id, from_ms: next.day_ms, to_ms: next.day_ms + DAY_MS });
    }
    return samples;
  });
}

/** An hour for which view and readings differ. */
export interface HourlyMismatch {
  readonly sensor_id: string;
  readonly bucket: Date;
  /** Readings by the view and by the readings; null: no row. */
  readonly view_count: number | null;
  readonly raw_count: number | null;
  readonly column: string;
}

export interface HourlyComparison {
  readonly hours: number;
  readonly readings: number;
  readonly mismatches: readonly HourlyMismatch[];
}

/**
 * Sums of doubles depend on the order of the rows in the last digits; a share of the largest value. The rest
 * (count, min, max, last) is compared exactly.
 */
const TOLERANCE = { avg: 1e-9, stddev: 1e-6 } as const;

/**
 * The view against a plain GROUP BY, each sample in one statement and so in one snapshot: writers do not disturb it.
 * @throws {StoreUnavailableError}
 */
export async function compareHourly(
  database: Database,
  samples: readonly HourlySample[],
): Promise<HourlyComparison> {
  const total = { hours: 0, readings: 0, mismatches: [] as HourlyMismatch[] };
  for (const sample of samples) {
    const rows = await database.run("compare hourly", (sql) => comparison(sql, sample));
    for (const { column, ...row } of rows) {
      total.hours += 1;
      total.readings += row.raw_count ?? 0;
      if (column !== null) total.mismatches.push({ sensor_id: sample.sensor_id, column, ...row });
    }
  }
  return total;
}

interface ComparedHour {
  readonly bucket: Date;
  readonly view_count: number | null;
  readonly raw_count: number | null;
  /** First column that differs. */
  readonly column: string | null;
}

function comparison(sql: Sql, { sensor_id, system_id, from_ms, to_ms }: HourlySample) {
  const from = sql`to_timestamp(${from_ms / 1000}::float8)`;
  const to = sql`to_timestamp(${to_ms / 1000}::float8)`;
  return sql<ComparedHour[]>`
    WITH raw AS (
      SELECT time_bucket('1 hour', "timestamp") AS bucket, count(*) AS n, avg(value) AS avg, min(value) AS min,
        max(value) AS max, stddev_samp(value) AS stddev, last(value, "timestamp") AS last,
        max(abs(value)) AS scale
      FROM diagnostics_sensordata
      WHERE sensor_id = ${sensor_id} AND "timestamp" >= ${from} AND "timestamp" < ${to} GROUP BY 1),
    kept AS (
      SELECT bucket, readings_count AS n, avg_value AS avg, min_value AS min, max_value AS max,
        stddev_value AS stddev, last_value AS last
      FROM diagnostics_sensordata_hourly
      WHERE system_id = ${system_id} AND sensor_id = ${sensor_id} AND bucket >= ${from} AND bucket < ${to})
    SELECT bucket, kept.n::float8 AS view_count, raw.n::float8 AS raw_count, CASE
        WHEN kept.n IS DISTINCT FROM raw.n THEN 'readings_count'
        WHEN kept.min <> raw.min THEN 'min_value'
        WHEN kept.max <> raw.max THEN 'max_value'
        WHEN kept.last <> raw.last THEN 'last_value'
        WHEN abs(kept.avg - raw.avg) > ${TOLERANCE.avg}::float8 * scale THEN 'avg_value'
        WHEN (kept.stddev IS NULL) <> (raw.stddev IS NULL)
          OR abs(kept.stddev - raw.stddev) > ${TOLERANCE.stddev}::float8 * scale THEN 'stddev_value'
      END AS column
    FROM raw FULL JOIN kept USING (bucket) ORDER BY bucket`;
}
