/**
 * Community: bringing the continuous aggregate up to date where the refresh policy does not look, and filling it with
 * the history that the Apache edition left in diagnostics_rollup_hour. Every step is bounded, and what is done can be
 * read from the tables: a step that was cut off is simply done again.
 */
import type { DedicatedSession } from "./dedicated-session.ts";
import { HOURLY_CAGG } from "./hourly-view.ts";
import type { DirtyHour } from "./writer/group.ts";

/** [from, to) in seconds since the epoch, multiples of 3600. */
export interface HourRange {
  readonly from_s: number;
  readonly to_s: number;
}

const HOUR_S = 3600;
/** One refresh reads at most this much: about one chunk, a few seconds at 100 sensors and 1 Hz. */
const LONGEST_RANGE_S = 7 * 24 * HOUR_S;

/** Neighbouring hours as ranges, none longer than a week. Hours must be sorted by time; several systems may share one. */
export function mergeHours(hours: readonly DirtyHour[]): HourRange[] {
  const ranges: { from_s: number; to_s: number }[] = [];
  for (const { hour_s } of hours) {
    const last = ranges.at(-1);
    const isNext = last && hour_s <= last.to_s && hour_s + HOUR_S - last.from_s <= LONGEST_RANGE_S;
    if (isNext) last.to_s = Math.max(last.to_s, hour_s + HOUR_S);
    else ranges.push({ from_s: hour_s, to_s: hour_s + HOUR_S });
  }
  return ranges;
}

/**
 * Aggregate what changed in a range. Not in a transaction: the procedure commits by itself.
 * @throws pg.DatabaseError 55P03 while another refresh of the same range runs; try again later
 */
export async function refreshRange(session: DedicatedSession, range: HourRange): Promise<void> {
  const at = (s: number) => `'${new Date(s * 1000).toISOString()}'::timestamptz`;
  await session.query(
    `CALL refresh_continuous_aggregate('${HOURLY_CAGG}', ${at(range.from_s)}, ${at(range.to_s)})`,
  );
}

/** Through the systems, because the table has no index that begins with the time. */
const OLDEST_LEFT = `SELECT extract(epoch FROM min(r.bucket))::float8 AS from_s,
    extract(epoch FROM date_trunc('hour', now()))::float8 AS now_s
  FROM diagnostics_system s CROSS JOIN LATERAL
    (SELECT bucket FROM diagnostics_rollup_hour WHERE system_id = s.id ORDER BY bucket LIMIT 1) r`;
const LEFT_IN_RANGE = `FROM diagnostics_rollup_hour r USING diagnostics_system s
  WHERE r.system_id = s.id AND r.bucket >= to_timestamp($1) AND r.bucket < to_timestamp($2)`;

/**
 * Move the next step of what Apache left: refresh its range, then delete its rows; from then on the view takes them
 * from the continuous aggregate. The hour that is not over becomes dirty instead.
 * @returns the range, or null when nothing is left
 */
export async function moveNextRange(session: DedicatedSession): Promise<HourRange | null> {
  const [row] = await session.query<{ from_s: number | null; now_s: number }>(OLDEST_LEFT);
  if (!row || row.from_s === null) return null;
  const { from_s, now_s } = row;
  if (from_s >= now_s) return markLeft(session, from_s);
  const range = { from_s, to_s: Math.min(now_s, from_s + LONGEST_RANGE_S) };
  await refreshRange(session, range);
  await session.query(`DELETE ${LEFT_IN_RANGE}`, [range.from_s, range.to_s]);
  return range;
}

async function markLeft(session: DedicatedSession, from_s: number): Promise<HourRange> {
  await session.query(
    `WITH gone AS (DELETE FROM diagnostics_rollup_hour WHERE bucket >= to_timestamp($1) RETURNING system_id, bucket)
     INSERT INTO diagnostics_dirty_hour_taken (system_id, hour, first_taken_at, last_taken_at)
     SELECT DISTINCT system_id, bucket, now(), now() FROM gone ON CONFLICT (system_id, hour) DO NOTHING`,
    [from_s],
  );
  return { from_s, to_s: from_s };
}
