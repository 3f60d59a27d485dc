/** What a run moved and left behind, in bytes: for the model of docs/scaling.md. */
import type { Redis } from "ioredis";
import type postgres from "postgres";

export interface Volume {
  /** Requests with their heads, as sent. */
  readonly http: number;
  /** What Redis was told, and what it told: INFO's total_net_input_bytes and total_net_output_bytes. */
  readonly redis_in: number;
  readonly redis_out: number;
  /** Write-ahead log of the whole server. */
  readonly wal: number;
  /** Readings with their indexes. */
  readonly stored: number;
}

type Counters = Pick<Volume, "redis_in" | "redis_out" | "wal">;

/** Counters that only grow; take the difference of two. */
export async function readCounters(sql: postgres.Sql, redis: Redis): Promise<Counters> {
  const [info, rows] = await Promise.all([
    redis.info("stats"),
    sql<{ wal: number }[]>`SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS wal`,
  ]);
  const counter = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  return {
    redis_in: counter("total_net_input_bytes"),
    redis_out: counter("total_net_output_bytes"),
    wal: rows[0]!.wal,
  };
}

export async function volumeSince(
  before: Counters,
  sql: postgres.Sql,
  redis: Redis,
  requests: readonly Buffer[],
): Promise<Volume> {
  const after = await readCounters(sql, redis);
  const [row] = await sql<{ stored: number }[]>`
    SELECT hypertable_size('public.diagnostics_sensordata')::float8 AS stored`;
  return {
    http: requests.reduce((sum, { length }) => sum + length, 0),
    redis_in: after.redis_in - before.redis_in,
    redis_out: after.redis_out - before.redis_out,
    wal: after.wal - before.wal,
    stored: row!.stored,
  };
}
