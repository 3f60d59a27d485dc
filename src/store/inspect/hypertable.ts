/** The hypertable: its chunks, their compression, the jobs that look after it. */
import type { Edition } from "../edition.ts";
import { HOURLY_CAGG } from "../hourly-view.ts";
import type { Database } from "../pool.ts";

export interface ChunkFacts {
  /** Schema and name. */
  readonly name: string;
  readonly from_ms: number;
  /** First moment after the chunk. */
  readonly to_ms: number;
  /** When it was made, which for imported readings is long after its end. */
  readonly created_ms: number;
  readonly compressed: boolean;
}

export interface HypertableFacts {
  /** Column of the first dimension. */
  readonly time_column: string;
  readonly chunk_interval_ms: number;
  /** Oldest first. */
  readonly chunks: readonly ChunkFacts[];
}

/** Null when diagnostics_sensordata does not exist or is no hypertable. @throws {StoreUnavailableError} */
export function inspectHypertable(database: Database): Promise<HypertableFacts | null> {
  return database.run("inspect hypertable", async (sql) => {
    const [dimension] = await sql<{ schema: string; time_column: string; interval_ms: number }[]>`
      SELECT hypertable_schema AS schema, column_name AS time_column,
        (extract(epoch FROM time_interval) * 1000)::float8 AS interval_ms
      FROM timescaledb_information.dimensions
      WHERE to_regclass(format('%I.%I', hypertable_schema, hypertable_name)) = to_regclass('diagnostics_sensordata')
        AND dimension_number = 1`;
    if (!dimension) return null;
    const chunks = await sql<ChunkFacts[]>`
      SELECT format('%I.%I', chunk_schema, chunk_name) AS name, is_compressed AS compressed,
        (extract(epoch FROM range_start) * 1000)::float8 AS from_ms,
        (extract(epoch FROM range_end) * 1000)::float8 AS to_ms,
        (extract(epoch FROM chunk_creation_time) * 1000)::float8 AS created_ms
      FROM timescaledb_information.chunks
      WHERE hypertable_schema = ${dimension.schema} AND hypertable_name = 'diagnostics_sensordata' ORDER BY range_start`;
    return {
      time_column: dimension.time_column,
      chunk_interval_ms: dimension.interval_ms,
      chunks: [...chunks],
    };
  });
}

/** Chunks without a valid unique index on (sensor_id, timestamp): duplicates could get in. */
export function chunksWithoutKey(database: Database): Promise<string[]> {
  return database.run("inspect chunk indexes", async (sql) => {
    const rows = await sql<{ name: string }[]>`
      SELECT format('%I.%I', chunk_schema, chunk_name) AS name FROM timescaledb_information.chunks c
      WHERE to_regclass(format('%I.%I', hypertable_schema, hypertable_name)) = to_regclass('diagnostics_sensordata')
        AND NOT EXISTS (
          SELECT FROM pg_index WHERE indrelid = to_regclass(format('%I.%I', chunk_schema, chunk_name))
            AND indisunique AND indisvalid AND indnkeyatts = 2
            AND pg_get_indexdef(indexrelid, 1, true) = 'sensor_id'
            AND pg_get_indexdef(indexrelid, 2, true) = '"timestamp"')
      ORDER BY 1`;
    return rows.map(({ name }) => name);
  });
}

/** A background job of TimescaleDB on one of the service's tables or aggregates. */
export interface JobFacts {
  /** Name of the policy's procedure, as policy_compression. */
  readonly procedure: string;
  readonly hypertable: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly scheduled: boolean;
  /** Success, Failed, or null before the first run. */
  readonly last_status: string | null;
  readonly last_success_ms: number | null;
  readonly failures: number;
}

/**
 * Those of the readings and of their continuous aggregate: a database may hold aggregates of others. Empty on the Apache
 * edition, which has none. @throws {StoreUnavailableError}
 */
export function inspectJobs(database: Database): Promise<JobFacts[]> {
  return database.run("inspect jobs", async (sql) => [
    ...(await sql<JobFacts[]>`
      SELECT proc_name AS procedure, j.hypertable_name AS hypertable, config, scheduled,
        last_run_status AS last_status, coalesce(total_failures, 0)::float8 AS failures,
        (extract(epoch FROM CASE WHEN isfinite(last_successful_finish) THEN last_successful_finish END) * 1000)::float8
          AS last_success_ms
      FROM timescaledb_information.jobs j LEFT JOIN timescaledb_information.job_stats s USING (job_id)
      WHERE proc_name IN ('policy_compression', 'policy_retention', 'policy_refresh_continuous_aggregate')
        AND (to_regclass(format('%I.%I', j.hypertable_schema, j.hypertable_name))
            IN (to_regclass('diagnostics_sensordata'), to_regclass(${HOURLY_CAGG}))
          OR EXISTS (SELECT FROM timescaledb_information.continuous_aggregates c
            WHERE to_regclass(format('%I.%I', c.view_schema, c.view_name)) = to_regclass(${HOURLY_CAGG})
              AND c.materialization_hypertable_schema = j.hypertable_schema
              AND c.materialization_hypertable_name = j.hypertable_name))
      ORDER BY 1, 2`),
  ]);
}

export interface CompressionFacts {
  readonly compressed_chunks: number;
  readonly before_bytes: number;
  readonly after_bytes: number;
  /** Space of rows that came into compressed chunks afterwards, until the policy and a vacuum have run. */
  readonly waiting_bytes: number;
}

/** Null on the Apache edition and while nothing is set up. @throws {StoreUnavailableError} */
export function inspectCompression(database: Database, edition: Edition): Promise<CompressionFacts | null> {
  if (edition === "apache") return Promise.resolve(null);
  return database.run("inspect compression", async (sql) => {
    const [row] = await sql<CompressionFacts[]>`
      SELECT coalesce(number_compressed_chunks, 0)::float8 AS compressed_chunks,
        coalesce(before_compression_total_bytes, 0)::float8 AS before_bytes,
        coalesce(after_compression_total_bytes, 0)::float8 AS after_bytes,
        (SELECT coalesce(sum(pg_relation_size(to_regclass(format('%I.%I', chunk_schema, chunk_name)))), 0)::float8
          FROM timescaledb_information.chunks c WHERE is_compressed
            AND to_regclass(format('%I.%I', c.hypertable_schema, c.hypertable_name))
              = to_regclass('diagnostics_sensordata')) AS waiting_bytes
      FROM hypertable_compression_stats('diagnostics_sensordata')`;
    return row ?? null;
  });
}
