/**
 * The view diagnostics_sensordata_hourly. On both editions it is right for every reading that is committed, at every
 * moment, because each system and hour comes from exactly one place, and all places are read in one snapshot:
 *
 *   1. in the log or in the set of dirty hours: straight from the readings;
 *   2. else in diagnostics_rollup_hour: from there (all of it on Apache; on Community what the Apache edition left
 *      behind and the maintenance has not moved yet);
 *   3. else, on Community: the materialized rows of the continuous aggregate.
 *
 * The continuous aggregate itself is not selected from: its real-time part scans all readings since its watermark by
 * time, which no index serves, and rows that come late below the watermark are missing from it until a refresh.
 */
import { createHash } from "node:crypto";

export const HOURLY_VIEW = "diagnostics_sensordata_hourly";
export const HOURLY_CAGG = "diagnostics_sensordata_hourly_cagg";

const COLUMNS =
  "bucket, system_id, sensor_id, readings_count, avg_value, min_value, max_value, stddev_value, last_value";

const isClean = (alias: string) => `
  NOT EXISTS (SELECT FROM diagnostics_dirty_hour log WHERE log.system_id = ${alias}.system_id AND log.hour = ${alias}.bucket)
  AND NOT EXISTS (SELECT FROM diagnostics_dirty_hour_taken taken
    WHERE taken.system_id = ${alias}.system_id AND taken.hour = ${alias}.bucket)`;

const ROLLED_UP = `SELECT ${COLUMNS} FROM diagnostics_rollup_hour kept WHERE ${isClean("kept")}`;

const LIVE = `SELECT dirty.hour, dirty.system_id, sensor.id, live.readings_count, live.avg_value, live.min_value,
    live.max_value, live.stddev_value, live.last_value
  FROM (SELECT system_id, hour FROM diagnostics_dirty_hour
    UNION SELECT system_id, hour FROM diagnostics_dirty_hour_taken) dirty
  JOIN diagnostics_sensor sensor ON sensor.system_id = dirty.system_id
  CROSS JOIN LATERAL diagnostics_aggregate_hour(dirty.system_id, sensor.id, dirty.hour) live`;

/** Quoted schema and table of the continuous aggregate's materialized rows. */
export type MaterializedTable = string;

/**
 * The view's definition.
 * @param materialized null on Apache
 */
export function hourlyViewSql(materialized: MaterializedTable | null): string {
  const parts = [ROLLED_UP];
  if (materialized !== null) {
    parts.push(`SELECT ${COLUMNS} FROM ${materialized} kept WHERE ${isClean("kept")}
      AND NOT EXISTS (SELECT FROM diagnostics_rollup_hour moving
        WHERE moving.sensor_id = kept.sensor_id AND moving.bucket = kept.bucket)`);
  }
  return `CREATE OR REPLACE VIEW ${HOURLY_VIEW} AS\n${[...parts, LIVE].join("\nUNION ALL\n")}`;
}

/** The continuous aggregate, without data: the maintenance fills it in bounded steps. */
export const CREATE_CAGG_SQL = `CREATE MATERIALIZED VIEW ${HOURLY_CAGG}
  WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
  SELECT time_bucket('1 hour', "timestamp") AS bucket, system_id, sensor_id, count(*) AS readings_count,
    avg(value) AS avg_value, min(value) AS min_value, max(value) AS max_value, stddev_samp(value) AS stddev_value,
    last(value, "timestamp") AS last_value
  FROM diagnostics_sensordata GROUP BY 1, 2, 3
  WITH NO DATA`;

/** The edition and the definition that a view was made from: its comment, compared at every start. */
export function viewMark(edition: string, definition: string): string {
  return `${edition} ${createHash("sha256").update(definition).digest("hex").slice(0, 16)}`;
}
