/** What the server is: versions, the settings that decide about durability and many chunks, and its clock. */
import { detectEdition, type Edition, EditionError } from "../edition.ts";
import type { Database, Sql } from "../pool.ts";

export interface ServerFacts {
  /** As in 17.6. */
  readonly version: string;
  /** As in 170006. */
  readonly version_number: number;
  readonly timescaledb: {
    /** Of the database. */
    readonly version: string;
    /** Of the server: newer when the extension waits for its update. */
    readonly available_version: string | null;
    readonly license: string | null;
    readonly edition: Edition;
  } | null;
  readonly max_locks_per_transaction: number;
  /** A commit is on disk before it is answered. */
  readonly durable: Readonly<Record<"fsync" | "full_page_writes" | "synchronous_commit", string>>;
}

/** @throws {StoreUnavailableError} */
export function inspectServer(database: Database): Promise<ServerFacts> {
  return database.run("inspect server", async (sql) => {
    const [row] = await sql<
      {
        version: string;
        version_number: number;
        max_locks: number;
        fsync: string;
        full_page_writes: string;
        synchronous_commit: string;
      }[]
    >`SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS version_number,
        current_setting('max_locks_per_transaction')::int AS max_locks, current_setting('fsync') AS fsync,
        current_setting('full_page_writes') AS full_page_writes,
        current_setting('synchronous_commit') AS synchronous_commit`;
    return {
      version: row!.version,
      version_number: row!.version_number,
      timescaledb: await extension(sql),
      max_locks_per_transaction: row!.max_locks,
      durable: {
        fsync: row!.fsync,
        full_page_writes: row!.full_page_writes,
        synchronous_commit: row!.synchronous_commit,
      },
    };
  });
}

async function extension(sql: Sql): Promise<ServerFacts["timescaledb"]> {
  const [row] = await sql<{ version: string; available_version: string | null; license: string | null }[]>`
    SELECT extversion AS version, current_setting('timescaledb.license', true) AS license,
      (SELECT default_version FROM pg_available_extensions WHERE name = 'timescaledb') AS available_version
    FROM pg_extension WHERE extname = 'timescaledb'`;
  if (!row) return null;
  try {
    return { ...row, edition: await detectEdition(sql) };
  } catch (error) {
    if (error instanceof EditionError) return null; // dropped meanwhile
    throw error;
  }
}

export interface ClockFacts {
  /** The server's clock less ours, ms. */
  readonly offset_ms: number;
  /** The offset is known this well: half of the shortest round trip, ms. */
  readonly uncertainty_ms: number;
}

/** Cristian's algorithm: of several questions, the one with the shortest round trip says it best. */
export function inspectClock(database: Database, now_ms: () => number, questions = 7): Promise<ClockFacts> {
  return database.run("inspect clock", async (sql) => {
    let best: ClockFacts = { offset_ms: 0, uncertainty_ms: Number.POSITIVE_INFINITY };
    for (let n = 0; n < questions; n += 1) {
      const sent_ms = now_ms();
      const [row] = await sql<{ ms: number }[]>`
        SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`;
      const received_ms = now_ms();
      const uncertainty_ms = (received_ms - sent_ms) / 2;
      if (uncertainty_ms < best.uncertainty_ms)
        best = { offset_ms: row!.ms - (sent_ms + uncertainty_ms), uncertainty_ms };
    }
    return best;
  });
}
