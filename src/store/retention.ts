/**
 * Retention: readings whose chunk is older than the limit are dropped, and with them, in the same transaction, their
 * hours of the aggregate. On Community policies do the first part too (daily, also when no worker runs); the second
 * part then follows within a round. For the maintenance leader only.
 */

import type { HourRange } from "./cagg-refresh.ts";
import type { DedicatedSession } from "./dedicated-session.ts";
import { HOURLY_CAGG, type MaterializedTable } from "./hourly-view.ts";

export interface Dropped {
  readonly chunks: number;
  /** Rows of the aggregate, whole chunks of it not counted. */
  readonly hours: number;
}

/** Ingest must not wait behind a drop that waits for a long query; the next round tries again. */
const LOCK_TIMEOUT = "2s";

const CHUNKS = `FROM timescaledb_information.chunks
  WHERE hypertable_schema = current_schema() AND hypertable_name = 'diagnostics_sensordata'`;
const OVERDUE = `SELECT format('%I.%I', chunk_schema, chunk_name) AS chunk,
    extract(epoch FROM range_start)::float8 AS from_s, extract(epoch FROM range_end)::float8 AS to_s
  ${CHUNKS} AND range_end <= to_timestamp($1) ORDER BY range_start`;
/** Nothing is stored before it: hours of the aggregate below it are left over from a drop that was not ours. */
const FLOOR = `SELECT coalesce(extract(epoch FROM min(range_start)), 'infinity')::float8 AS floor_s ${CHUNKS}`;
/** Through the systems, because the aggregates' indexes begin with them. */
const someBelow = (table: string) => `SELECT EXISTS (SELECT FROM diagnostics_system s CROSS JOIN LATERAL
  (SELECT FROM ${table} WHERE system_id = s.id AND bucket < to_timestamp($1) LIMIT 1) h) AS some`;
const deleteRange = (table: string) => `WITH gone AS (DELETE FROM ${table} h USING diagnostics_system s
    WHERE h.system_id = s.id AND h.bucket >= to_timestamp($1) AND h.bucket < to_timestamp($2) RETURNING 1)
  SELECT count(*)::int AS hours FROM gone`;

type OverdueChunk = HourRange & { readonly chunk: string };

/** A chunk was made while others were being dropped, and dropped with them: everything is rolled back. */
class NewChunkError extends Error {
  override readonly name = "NewChunkError";
}

/**
 * Drop what is older than the limit.
 * @param limit_ms ms since the epoch; a chunk goes when all of it is older
 * @param materialized the continuous aggregate's rows, null on Apache
 * @returns null when a late reading came between; nothing was dropped then, try again
 * @throws pg.DatabaseError 55P03 when a lock is not free; nothing was dropped then
 */
export async function dropOlderThan(
  session: DedicatedSession,
  limit_ms: number,
  materialized: MaterializedTable | null,
): Promise<Dropped | null> {
  const tables = ["diagnostics_rollup_hour", ...(materialized === null ? [] : [materialized])];
  try {
    const dropped = await dropOverdue(session, limit_ms / 1000, tables);
    const hours = await deleteLeftOver(session, tables, materialized !== null);
    return { chunks: dropped.chunks, hours: dropped.hours + hours };
  } catch (error) {
    if (error instanceof NewChunkError) return null;
    throw error;
  }
}

/**
 * Only hours in the ranges of the dropped chunks are deleted: a late reading may at this moment begin a chunk that is
 * older than they are, and its hours belong to the aggregate.
 */
async function dropOverdue(
  session: DedicatedSession,
  limit_s: number,
  tables: readonly string[],
): Promise<Dropped> {
  const some = await session.query<OverdueChunk>(OVERDUE, [limit_s]);
  if (some.length === 0) return { chunks: 0, hours: 0 };
  return session.transaction(async () => {
    await session.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    const overdue = await session.query<OverdueChunk>(OVERDUE, [limit_s]);
    const dropped = await session.query<{ chunk: string }>(
      "SELECT drop_chunks('diagnostics_sensordata', older_than => to_timestamp($1)) AS chunk",
      [limit_s],
    );
    if (dropped.length > overdue.length)
      throw new NewChunkError("a chunk was made while others were dropped");
    let hours = 0;
    for (const range of joinRanges(overdue))
      for (const table of tables) hours += await deleteHours(session, table, range);
    return { chunks: dropped.length, hours };
  });
}

/** Hours whose readings a policy or a person has dropped. Chunks of the continuous aggregate go as a whole first. */
async function deleteLeftOver(
  session: DedicatedSession,
  tables: readonly string[],
  hasCagg: boolean,
): Promise<number> {
  const [{ floor_s } = { floor_s: Number.NEGATIVE_INFINITY }] = await session.query<{ floor_s: number }>(
    FLOOR,
  );
  let hours = 0;
  for (const table of tables) {
    const [left] = await session.query<{ some: boolean }>(someBelow(table), [floor_s]);
    if (!left?.some) continue;
    if (hasCagg)
      await session.query(`SELECT drop_chunks('${HOURLY_CAGG}', older_than => to_timestamp($1))`, [floor_s]);
    hours += await deleteHours(session, table, { from_s: Number.NEGATIVE_INFINITY, to_s: floor_s });
  }
  return hours;
}

async function deleteHours(session: DedicatedSession, table: string, range: HourRange): Promise<number> {
  const [row] = await session.query<{ hours: number }>(deleteRange(table), [range.from_s, range.to_s]);
  return row?.hours ?? 0;
}

/** Neighbouring chunks as one range. */
function joinRanges(chunks: readonly HourRange[]): HourRange[] {
  const ranges: { from_s: number; to_s: number }[] = [];
  for (const { from_s, to_s } of chunks) {
    const last = ranges.at(-1);
    if (last && last.to_s === from_s) last.to_s = to_s;
    else ranges.push({ from_s, to_s });
  }
  return ranges;
}
