/** The tables: their indexes, their sizes, and where the server keeps them. */
import type { Database } from "../pool.ts";

export interface IndexFacts {
  readonly table: string;
  readonly name: string;
  /** As CREATE INDEX would make it. */
  readonly definition: string;
  readonly unique: boolean;
  /** False after a CREATE INDEX CONCURRENTLY that failed: it is kept up to date but never used. */
  readonly valid: boolean;
}

/** Indexes of the service's own tables (not of chunks), by table and name. @throws {StoreUnavailableError} */
export function inspectIndexes(database: Database): Promise<IndexFacts[]> {
  return database.run("inspect indexes", async (sql) => [
    ...(await sql<IndexFacts[]>`
      SELECT owner.relname AS table, entry.relname AS name, pg_get_indexdef(entry.oid) AS definition,
        indisunique AS unique, indisvalid AND indisready AS valid
      FROM pg_index JOIN pg_class owner ON owner.oid = indrelid JOIN pg_class entry ON entry.oid = indexrelid
      WHERE owner.relname LIKE 'diagnostics\\_%' AND pg_table_is_visible(owner.oid) ORDER BY 1, 2`),
  ]);
}

export interface TableSize {
  readonly table: string;
  /** With indexes, TOAST and, for the hypertable, its chunks. */
  readonly bytes: number;
  /** Of the planner; null before the first ANALYZE. */
  readonly estimated_rows: number | null;
}

export interface StorageFacts {
  readonly database_bytes: number;
  /** Largest first. */
  readonly tables: readonly TableSize[];
  /** Null when the role may not see it (needs pg_read_all_settings). */
  readonly data_directory: string | null;
  /** The server listens on this machine's loopback as seen from our connection. */
  readonly local: boolean;
}

/** @throws {StoreUnavailableError} */
export function inspectStorage(database: Database): Promise<StorageFacts> {
  return database.run("inspect storage", async (sql) => {
    const [row] = await sql<{ bytes: number; directory: string | null; local: boolean }[]>`
      SELECT pg_database_size(current_database())::float8 AS bytes,
        CASE WHEN pg_has_role('pg_read_all_settings', 'MEMBER')
          THEN current_setting('data_directory', true) END AS directory,
        coalesce(inet_server_addr() <<= '127.0.0.0/8' OR inet_server_addr() = '::1', true) AS local`;
    const tables = await sql<TableSize[]>`
      SELECT relname AS table, pg_total_relation_size(oid)::float8 AS bytes, nullif(reltuples, -1)::float8 AS estimated_rows
      FROM pg_class WHERE relname LIKE 'diagnostics\\_%' AND relname <> 'diagnostics_sensordata' AND relkind = 'r'
        AND pg_table_is_visible(oid)
      UNION ALL SELECT 'diagnostics_sensordata', hypertable_size(table_oid)::float8, approximate_row_count(table_oid)::float8
        FROM (SELECT to_regclass('diagnostics_sensordata') AS table_oid) t WHERE table_oid IS NOT NULL
      ORDER BY 2 DESC`;
    return {
      database_bytes: row!.bytes,
      tables: [...tables],
      data_directory: row!.directory,
      local: row!.local,
    };
  });
}
