/** Where in a range of a system books and table differ: what can be said of sensors, decisions and jobs. */
import { isTooSlow } from "../errors.ts";
import type { Snapshot } from "./snapshot.ts";

/** [from, to) of a system, RFC 3339. */
export interface SystemRange {
  readonly system_id: string;
  readonly from: string;
  readonly to: string;
}

/** Hours of a sensor of which the aggregate says something else than the table. */
export interface SensorDifference {
  readonly sensor_id: string;
  readonly from: string;
  readonly to: string;
  readonly stored: number;
  readonly aggregated: number;
}

/** A reading that a decision stored and that is not there, or that was taken back and still is. */
export interface DecidedDifference {
  readonly reading_id: string;
  readonly sensor_id: string;
  readonly at: string;
  readonly what: "not there" | "still there";
}

export interface Detail {
  readonly sensors: readonly SensorDifference[];
  readonly decided: readonly DecidedDifference[];
  /** The jobs, when there are only a few. */
  readonly jobs: readonly { readonly id: string; readonly inserted: number }[];
}

const NAMED = 3;
/** Without a fraction of zeros. */
const ISO = (column: string) =>
  `replace(to_char((${column}) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z')`;

const SENSORS = `WITH raw AS (
    SELECT sensor_id, time_bucket('1 hour', "timestamp") AS bucket, count(*) AS n FROM diagnostics_sensordata
    WHERE system_id = $1 AND "timestamp" >= $2::timestamptz AND "timestamp" < $3::timestamptz GROUP BY 1, 2),
  kept AS (SELECT sensor_id, bucket, readings_count AS n FROM diagnostics_sensordata_hourly
    WHERE system_id = $1 AND bucket >= $2::timestamptz AND bucket < $3::timestamptz)
  SELECT sensor_id, ${ISO("min(bucket)")} AS "from", ${ISO("max(bucket) + interval '1 hour'")} AS "to",
    coalesce(sum(raw.n), 0)::float8 AS stored, coalesce(sum(kept.n), 0)::float8 AS aggregated
  FROM raw FULL JOIN kept USING (sensor_id, bucket) WHERE raw.n IS DISTINCT FROM kept.n
  GROUP BY sensor_id ORDER BY sensor_id LIMIT ${NAMED}`;

const NOT_THERE = `SELECT h.reading_id::text, h.sensor_id::text, ${ISO('h."timestamp"')} AS at, 'not there' AS what
  FROM diagnostics_review_holding h JOIN diagnostics_quarantined_reading q ON q.id = h.reading_id
  WHERE q.system_id = $1 AND h."timestamp" >= $2::timestamptz AND h."timestamp" < $3::timestamptz
    AND NOT EXISTS (SELECT FROM diagnostics_sensordata d WHERE d.sensor_id = h.sensor_id AND d."timestamp" = h."timestamp"
      AND d."timestamp" >= $2::timestamptz AND d."timestamp" < $3::timestamptz)
  ORDER BY h.reading_id LIMIT ${NAMED}`;

/** Taken back, nobody has decided for the key since, and the value is there: sent again, or never taken out. */
const STILL_THERE = `SELECT a.subject_id AS reading_id, d.sensor_id::text, ${ISO('d."timestamp"')} AS at, 'still there' AS what
  FROM (SELECT id, subject_id FROM diagnostics_audit
    WHERE subject_type = 'reading' AND action = 'reopen' AND after ->> 'outcome' = 'withdraw') a
  JOIN diagnostics_quarantined_reading q ON q.id = a.subject_id::bigint AND q.system_id = $1
  CROSS JOIN LATERAL (SELECT (p.after ->> 'sensor_id')::uuid AS sensor_id, (p.after ->> 'timestamp')::timestamptz AS at,
      (p.after ->> 'value')::float8 AS value, p.after ->> 'unit' AS unit
    FROM diagnostics_audit p WHERE p.subject_type = 'reading' AND p.subject_id = a.subject_id AND p.id < a.id
      AND p.after ->> 'timestamp' IS NOT NULL ORDER BY p.id DESC LIMIT 1) stored
  JOIN diagnostics_sensordata d ON d.sensor_id = stored.sensor_id AND d."timestamp" = stored.at
    AND d.value = stored.value AND d.unit = stored.unit
    AND d."timestamp" >= $2::timestamptz AND d."timestamp" < $3::timestamptz
  WHERE NOT EXISTS (SELECT FROM diagnostics_review_holding h
    WHERE h.sensor_id = d.sensor_id AND h."timestamp" = d."timestamp")
  LIMIT ${NAMED}`;

const JOBS = `SELECT id, inserted_readings::float8 AS inserted FROM diagnostics_ingestion_job
  WHERE system_id = $1 AND inserted_readings > 0
    AND (newest_reading_at IS NULL OR newest_reading_at >= $2::timestamptz)
    AND (oldest_reading_at IS NULL OR oldest_reading_at < $3::timestamptz)
  ORDER BY created_at DESC LIMIT ${NAMED + 1}`;

/** What is too slow to ask is left out. @throws pg.DatabaseError @throws {ConnectionLostError} */
export async function detailOf(moment: Snapshot, { system_id, from, to }: SystemRange): Promise<Detail> {
  const ask = async <R extends Record<string, unknown>>(text: string): Promise<R[]> => {
    try {
      return await moment.read<R>(text, [system_id, from, to]);
    } catch (error) {
      if (isTooSlow(error)) return [];
      throw error;
    }
  };
  const jobs = await ask<Detail["jobs"][number] & Record<string, unknown>>(JOBS);
  return {
    sensors: await ask<SensorDifference & Record<string, unknown>>(SENSORS),
    decided: [
      ...(await ask<DecidedDifference & Record<string, unknown>>(NOT_THERE)),
      ...(await ask<DecidedDifference & Record<string, unknown>>(STILL_THERE)),
    ],
    jobs: jobs.length > NAMED ? [] : jobs,
  };
}
