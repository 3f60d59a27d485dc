/**
 * Retention: readings whose chunk is older than the limit are dropped, and with them, in the same transaction, their
 * hours of the aggregate. On Community policies do the first part too (daily, also when no worker runs); the second
 * part then follows within a round. For the maintenance leader only.
 */

import { HOURLY_CAGG, type MaterializedTable } from "./hourly-view.ts";
import type { MaintenanceSession } from "./maintenance-session.ts";

export interface Dropped {
  readonly chunks: number;
  /** Rows of the aggregate, whole chunks of it not counted. */
  readonly hours: number;
}

/** Ingest must not wait behind a drop that waits for a long query; the next round tries again. */
const LOCK_TIMEOUT = "2s";

/** Chunks that end before the limit, and hours of the aggregate from before the oldest reading's chunk. */
const OVERDUE = `SELECT
    (SELECT count(*)::int FROM timescaledb_information.chunks
      WHERE hypertable_schema = current_schema() AND hypertable_name = 'diagnostics_sensordata'
        AND range_end <= to_timestamp($1)) AS chunks`;
const FLOOR = `(SELECT coalesce(min(range_start), 'infinity') FROM timescaledb_information.chunks
  WHERE hypertable_schema = current_schema() AND hypertable_name = 'diagnostics_sensordata')`;
/** Through the systems: the index begins with them. */
const hoursBelowFloor = (table: string) => `${table} h USING diagnostics_system s
  WHERE h.system_id = s.id AND h.bucket < (SELECT floor FROM bounds)`;
const someBelowFloor = (table: string) => `EXISTS (SELECT FROM diagnostics_system s CROSS JOIN LATERAL
    (SELECT FROM ${table} h WHERE h.system_id = s.id AND h.bucket < (SELECT floor FROM bounds) LIMIT 1) h)`;

/**
 * Drop what is older than the limit.
 * @param limit_ms ms since the epoch; a chunk goes when all of it is older
 * @param materialized the continuous aggregate's rows, null on Apache
 * @throws pg.DatabaseError 55P03 when a lock is not free; nothing was dropped then
 */
export async function dropOlderThan(
  session: MaintenanceSession,
  limit_ms: number,
  materialized: MaterializedTable | null,
): Promise<Dropped> {
  const aggregates = ["diagnostics_rollup_hour", ...(materialized === null ? [] : [materialized])];
  const some = aggregates.map(someBelowFloor).join(" OR ");
  const [overdue] = await session.query<{ chunks: number; hours: boolean }>(
    `WITH bounds AS MATERIALIZED (SELECT ${FLOOR} AS floor), old AS (${OVERDUE})
     SELECT old.chunks, ${some} AS hours FROM old`,
    [limit_ms / 1000],
  );
  if (!overdue || (overdue.chunks === 0 && !overdue.hours)) return { chunks: 0, hours: 0 };
  return session.transaction(async () => {
    await session.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    const dropped = await session.query(
      "SELECT drop_chunks('diagnostics_sensordata', older_than => to_timestamp($1))",
      [limit_ms / 1000],
    );
    if (materialized !== null)
      await session.query(`SELECT drop_chunks('${HOURLY_CAGG}', older_than => ${FLOOR})`);
    let hours = 0;
    for (const table of aggregates) hours += await deleteBelowFloor(session, table);
    return { chunks: dropped.length, hours };
  });
}

async function deleteBelowFloor(session: MaintenanceSession, table: string): Promise<number> {
  const [row] = await session.query<{ hours: number }>(
    `WITH bounds AS MATERIALIZED (SELECT ${FLOOR} AS floor),
       gone AS (DELETE FROM ${hoursBelowFloor(table)} RETURNING 1)
     SELECT count(*)::int AS hours FROM gone`,
  );
  return row?.hours ?? 0;
}
