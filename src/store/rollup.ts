/**
 * Upkeep of the hourly aggregate, statement by statement; for the maintenance leader only, who is alone.
 *
 *   log ──take──> set of dirty hours ──recompute (Apache)──> diagnostics_rollup_hour
 *                                    └─refresh (Community)─> continuous aggregate
 *
 * Why nothing is lost or counted twice: a writer's log row commits together with its readings. `take` moves only log
 * rows that it sees, so their readings are committed; the statement that aggregates begins later and sees them. A
 * reading that commits meanwhile brings a log row of its own, which stays, and its hour stays dirty. A crash between
 * two steps leaves hours dirty, and dirty hours are read from the readings themselves.
 */
import type { DedicatedSession } from "./dedicated-session.ts";
import type { DirtyHour } from "./writer/group.ts";

/** When a dirty hour is worth aggregating again. */
export interface Patience {
  /** No hour became dirty for this long, ms: idle time is the best time. */
  readonly quiet_ms: number;
  /**
   * This hour is over and dirty for this long although readings keep coming, ms. One that is not over would be dirty
   * again at once, and aggregating all of it for the few new readings would cost more and more.
   */
  readonly longest_ms: number;
  /** Leave hours that are not over to the live part of the view. */
  readonly ended_only: boolean;
}

export interface Backlog {
  /** Distinct dirty hours of systems. */
  readonly dirty_hours: number;
  /** Since the oldest of them was taken from the log, s; 0 without any. */
  readonly oldest_s: number;
}

/** Rows of the log that one statement takes; a log of any size is taken in bounded steps. */
const TAKE_ROWS = 50_000;

const TAKE = `WITH gone AS (
    DELETE FROM diagnostics_dirty_hour
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM diagnostics_dirty_hour LIMIT ${TAKE_ROWS}))
    RETURNING system_id, hour),
  taken AS (
    INSERT INTO diagnostics_dirty_hour_taken AS t (system_id, hour, first_taken_at, last_taken_at)
    SELECT DISTINCT system_id, hour, now(), now() FROM gone
    ON CONFLICT (system_id, hour) DO UPDATE SET last_taken_at = EXCLUDED.last_taken_at)
  SELECT count(*)::int AS rows FROM gone`;

const DUE = `SELECT system_id, extract(epoch FROM hour)::float8 AS hour_s FROM diagnostics_dirty_hour_taken
  WHERE ((SELECT max(last_taken_at) FROM diagnostics_dirty_hour_taken) <= now() - $1 * interval '1 ms'
      OR (first_taken_at <= now() - $2 * interval '1 ms' AND hour <= now() - interval '1 hour'))
    AND ($3 IS FALSE OR hour <= now() - interval '1 hour')
  ORDER BY hour, system_id LIMIT $4`;

const KEYS = "unnest($1::uuid[], $2::float8[]) AS key (system_id, hour_s)";
const FORGET_TAKEN = `DELETE FROM diagnostics_dirty_hour_taken t USING ${KEYS}
  WHERE t.system_id = key.system_id AND t.hour = to_timestamp(key.hour_s)`;
const FORGET_ROLLUP = `DELETE FROM diagnostics_rollup_hour r USING ${KEYS}
  WHERE r.system_id = key.system_id AND r.bucket = to_timestamp(key.hour_s)`;
/**
 * One hour of one system. Its bounds are parameters of the statement, so that the plan opens one chunk; the view's
 * function would make a plan for each sensor (8 hours of 100 sensors, few readings: 55 ms against 4).
 */
const ROLL_UP = `INSERT INTO diagnostics_rollup_hour
    (sensor_id, bucket, system_id, readings_count, avg_value, min_value, max_value, stddev_value, last_value)
  SELECT s.id, to_timestamp($2::float8), s.system_id, a.*
  FROM diagnostics_sensor s CROSS JOIN LATERAL (
    SELECT count(*), avg(d.value), min(d.value), max(d.value), stddev_samp(d.value), last(d.value, d."timestamp")
    FROM diagnostics_sensordata d
    WHERE d.sensor_id = s.id AND d.system_id = s.system_id
      AND d."timestamp" >= to_timestamp($2::float8) AND d."timestamp" < to_timestamp($2::float8 + 3600)
    HAVING count(*) > 0) a
  WHERE s.system_id = $1::uuid`;

/** Take one step of the log into the set. @returns log rows taken; as many as asked for means that there are more */
export async function takeDirtyHours(session: DedicatedSession): Promise<{ rows: number; more: boolean }> {
  const rows = (await session.query<{ rows: number }>(TAKE))[0]?.rows ?? 0;
  return { rows, more: rows === TAKE_ROWS };
}

/** Dirty hours that are due, oldest hour first. */
export async function dueHours(
  session: DedicatedSession,
  patience: Patience,
  limit: number,
): Promise<DirtyHour[]> {
  const { quiet_ms, longest_ms, ended_only } = patience;
  return session.query<{ system_id: string; hour_s: number }>(DUE, [quiet_ms, longest_ms, ended_only, limit]);
}

/** Apache: aggregate the hours again, sensor by sensor over the unique index, in one transaction. */
export async function recomputeHours(session: DedicatedSession, hours: readonly DirtyHour[]): Promise<void> {
  const keys = toKeys(hours);
  await session.transaction(async () => {
    await session.query(FORGET_TAKEN, keys);
    await session.query(FORGET_ROLLUP, keys);
    for (const { system_id, hour_s } of hours) await session.query(ROLL_UP, [system_id, hour_s]);
  });
}

/** Community: the hours are in the continuous aggregate now; they are clean, and no copy of Apache's rollup is left. */
export async function settleHours(session: DedicatedSession, hours: readonly DirtyHour[]): Promise<void> {
  const keys = toKeys(hours);
  await session.transaction(async () => {
    await session.query(FORGET_ROLLUP, keys);
    await session.query(FORGET_TAKEN, keys);
  });
}

/** How many hours wait to be aggregated again, and for how long the oldest. */
export async function readBacklog(session: DedicatedSession): Promise<Backlog> {
  const [row] = await session.query<Backlog & Record<string, unknown>>(
    `SELECT count(*)::int AS dirty_hours,
       coalesce(extract(epoch FROM now() - min(first_taken_at)), 0)::float8 AS oldest_s
     FROM diagnostics_dirty_hour_taken`,
  );
  return { dirty_hours: row?.dirty_hours ?? 0, oldest_s: Math.max(0, row?.oldest_s ?? 0) };
}

function toKeys(hours: readonly DirtyHour[]): [string[], number[]] {
  return [hours.map((h) => h.system_id), hours.map((h) => h.hour_s)];
}
