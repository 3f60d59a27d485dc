/**
 * Numbered migrations, each applied once in a transaction of its own. Two programs that start at once are normal:
 * an advisory lock lets one migrate and the other find everything done. A file that was applied is never edited;
 * its checksum is kept and compared.
 *
 * In a rolling upgrade an older program may have to start again on the schema of the newer one. It may, as long as each
 * migration that it does not know says that it runs with programs as old as this one; it changes nothing then.
 */
import { sleep, withDeadline } from "../ops/retry.ts";
import { ADVISORY_LOCKS } from "./advisory-locks.ts";
import { StoreUnavailableError, sqlState } from "./errors.ts";
import { type Migration, MigrationError, readMigrations } from "./migration-files.ts";
import type { Database, Sql } from "./pool.ts";

export { MigrationError } from "./migration-files.ts";

/** Waiting for another program's migration included. */
const MIGRATION_DEADLINE_MS = 600_000;
const RESERVE_DEADLINE_MS = 10_000;
/**
 * A change of a table waits for every statement on it, and everything that comes after waits behind the change. So it
 * gives up soon, lets the others through, and tries again: ingest stands still no longer than this, ms.
 */
const LOCK_TIMEOUT_MS = 3_000;
/** Between two tries, ms: several times as long as one, so that ingest keeps up. */
const LOCK_PAUSE_MS = 6_000;

export interface MigrationSettings {
  readonly directory: string;
  /** Days in one chunk of the hypertable. */
  readonly chunk_interval_days: number;
  /** Other times than those of a service, ms. */
  readonly locks?: { readonly timeout_ms: number; readonly pause_ms: number };
  /** Told each time that a migration could not get its locks. */
  readonly onLocked?: (name: string) => void;
}

/**
 * Bring the schema up to date.
 * @returns names of the files applied now, in order; none on a newer schema that this program may run on
 * @throws {MigrationError} when a file was changed after it had been applied, or the schema is too new for the program
 * @throws {StoreUnavailableError} when the database cannot be reached, or a lock is never free
 */
export async function migrate(database: Database, settings: MigrationSettings): Promise<string[]> {
  const migrations = await readMigrations(settings.directory);
  return database.run(
    "migrate",
    async (pool) => {
      // reserve() hangs on a connection that is not open yet (postgres.js 3.4.9 without fetch_types).
      await pool`SELECT 1`;
      const connection = await withDeadline(pool.reserve(), RESERVE_DEADLINE_MS, "reserving a connection");
      try {
        await connection`SELECT set_config('statement_timeout', '0', false)`;
        await connection`SELECT pg_advisory_lock(${ADVISORY_LOCKS.migration})`;
        return await applyMissing(connection, migrations, settings);
      } finally {
        await connection`SELECT pg_advisory_unlock(${ADVISORY_LOCKS.migration})`.catch(() => undefined);
        await connection`RESET statement_timeout`.catch(() => undefined);
        connection.release();
      }
    },
    MIGRATION_DEADLINE_MS,
  );
}

async function applyMissing(
  sql: Sql,
  migrations: readonly Migration[],
  settings: MigrationSettings,
): Promise<string[]> {
  await sql`CREATE TABLE IF NOT EXISTS diagnostics_migration (
    version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
  const { missing } = compare(migrations, await readApplied(sql));
  if (missing.length > 0) await addSince(sql);
  for (const migration of missing) await applyPatiently(sql, migration, settings);
  return missing.map(({ name }) => name);
}

/** Only when it lacks: ALTER TABLE waits for a dump to end even if there is nothing to do. */
async function addSince(sql: Sql): Promise<void> {
  const [found] = await sql`SELECT FROM pg_attribute
    WHERE attrelid = 'diagnostics_migration'::regclass AND attname = 'since' AND NOT attisdropped`;
  if (!found) await sql`ALTER TABLE diagnostics_migration ADD COLUMN since integer`;
}

/** Once more while its locks are not free (55P03), or it met others in the opposite order (40P01). */
async function applyPatiently(sql: Sql, migration: Migration, settings: MigrationSettings): Promise<void> {
  const { timeout_ms = LOCK_TIMEOUT_MS, pause_ms = LOCK_PAUSE_MS } = settings.locks ?? {};
  const end_ms = performance.now() + MIGRATION_DEADLINE_MS / 2;
  for (;;) {
    try {
      return await apply(sql, migration, settings, timeout_ms);
    } catch (error) {
      const state = sqlState(error);
      if (state !== "55P03" && state !== "40P01") throw error;
      settings.onLocked?.(migration.name);
      if (performance.now() > end_ms) {
        const why =
          "a table that it changes is in use all the time (a dump, a long query, a session left open)";
        throw new StoreUnavailableError(`${migration.name}: ${why}`, { cause: error });
      }
      await sleep(pause_ms);
    }
  }
}

async function apply(
  sql: Sql,
  { version, name, text, checksum, since }: Migration,
  { chunk_interval_days }: MigrationSettings,
  lock_timeout_ms: number,
): Promise<void> {
  await sql`BEGIN`;
  try {
    await sql`SELECT set_config('hydraulic.chunk_interval_days', ${String(chunk_interval_days)}, true),
      set_config('lock_timeout', ${String(lock_timeout_ms)}, true)`;
    await sql.unsafe(text);
    await sql`INSERT INTO diagnostics_migration (version, name, checksum, since)
      VALUES (${version}, ${name}, ${checksum}, ${since})`;
    await sql`COMMIT`;
  } catch (error) {
    await sql`ROLLBACK`.catch(() => undefined);
    throw error;
  }
}

/** What a database has of the migrations. */
export interface MigrationState {
  readonly known: number;
  /** Names of the files that were not applied yet. */
  readonly missing: readonly string[];
  /** Names of what a newer program has applied, if this one may run on it. */
  readonly newer: readonly string[];
  /** Set when files and database do not fit together at all. */
  readonly conflict: string | null;
}

/** How far the schema is, without changing anything. @throws {StoreUnavailableError} */
export async function migrationState(database: Database, directory: string): Promise<MigrationState> {
  const migrations = await readMigrations(directory);
  const applied = await database.run("migration state", async (sql) => {
    const [table] = await sql<{ present: boolean }[]>`
      SELECT to_regclass('diagnostics_migration') IS NOT NULL AS present`;
    return table?.present ? readApplied(sql) : [];
  });
  const known = migrations.length;
  try {
    const { missing, newer } = compare(migrations, applied);
    return { known, missing: missing.map(({ name }) => name), newer, conflict: null };
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    const versions = new Set(applied.map(({ version }) => version));
    const missing = migrations.filter(({ version }) => !versions.has(version)).map(({ name }) => name);
    return { known, missing, newer: [], conflict: error.message };
  }
}

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly since: number | null;
}

/** The column `since` came later than the table. */
async function readApplied(sql: Sql): Promise<Applied[]> {
  return sql<Applied[]>`
    SELECT version, name, checksum, (to_jsonb(applied) ->> 'since')::integer AS since
    FROM diagnostics_migration applied ORDER BY version`;
}

/** @throws {MigrationError} when they do not fit together */
function compare(
  migrations: readonly Migration[],
  applied: readonly Applied[],
): { missing: Migration[]; newer: string[] } {
  const own = new Map(migrations.map((migration) => [migration.version, migration]));
  const newest = migrations.at(-1)?.version ?? 0;
  const newer: string[] = [];
  for (const { version, name, checksum, since } of applied) {
    const file = own.get(version);
    if (file && file.checksum !== checksum)
      throw new MigrationError(`Migration ${name} was changed after it had been applied: restore the file`);
    if (file) continue;
    if (version < newest || since === null || since > newest)
      throw new MigrationError(
        `The database has migration ${name}, which this program does not know and cannot run with: start a newer program`,
      );
    newer.push(name);
  }
  const versions = new Set(applied.map(({ version }) => version));
  const missing = migrations.filter(({ version }) => !versions.has(version));
  if (newer.length > 0 && missing[0])
    throw new MigrationError(
      `The database has migration ${newer[0]} of a newer program but lacks ${missing[0].name}: start the newer program`,
    );
  return { missing, newer };
}
