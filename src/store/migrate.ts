/**
 * Numbered migrations, each applied once in a transaction of its own. Two programs that start at once are normal:
 * an advisory lock lets one migrate and the other find everything done. A file that was applied is never edited;
 * its checksum is kept and compared.
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { withDeadline } from "../ops/retry.ts";
import { ADVISORY_LOCKS } from "./advisory-locks.ts";
import type { Database, Sql } from "./pool.ts";

/** Waiting for another program's migration included. */
const MIGRATION_DEADLINE_MS = 600_000;
const RESERVE_DEADLINE_MS = 10_000;

/** The schema of the database and the files of this program do not fit together. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

export interface MigrationSettings {
  readonly directory: string;
  /** Days in one chunk of the hypertable. */
  readonly chunk_interval_days: number;
}

/**
 * Bring the schema up to date.
 * @returns names of the files applied now, in order
 * @throws {MigrationError} when a file was changed after it had been applied, or the schema is newer than the program
 * @throws {StoreUnavailableError} when the database cannot be reached
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
  migrations: Migration[],
  settings: MigrationSettings,
): Promise<string[]> {
  await sql`CREATE TABLE IF NOT EXISTS diagnostics_migration (
    version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
  const rows = await sql<{ version: number; name: string; checksum: string }[]>`
    SELECT version, name, checksum FROM diagnostics_migration ORDER BY version`;
  const applied = new Map(rows.map((row) => [row.version, row]));
  refuseForeign(migrations, applied);
  const done: string[] = [];
  for (const migration of migrations.filter((m) => !applied.has(m.version))) {
    await sql`BEGIN`;
    try {
      await sql`SELECT set_config('hydraulic.chunk_interval_days', ${String(settings.chunk_interval_days)}, true)`;
      await sql.unsafe(migration.text);
      await sql`INSERT INTO diagnostics_migration (version, name, checksum)
        VALUES (${migration.version}, ${migration.name}, ${migration.checksum})`;
      await sql`COMMIT`;
    } catch (error) {
      await sql`ROLLBACK`.catch(() => undefined);
      throw error;
    }
    done.push(migration.name);
  }
  return done;
}

/** What a database still lacks. */
export interface MigrationState {
  readonly known: number;
  /** Names of the files that were not applied yet. */
  readonly missing: readonly string[];
  /** Set when files and database do not fit together at all. */
  readonly conflict: string | null;
}

/** How far the schema is, without changing anything. @throws {StoreUnavailableError} */
export async function migrationState(database: Database, directory: string): Promise<MigrationState> {
  const migrations = await readMigrations(directory);
  const rows = await database.run("migration state", async (sql) => {
    const [table] = await sql<{ present: boolean }[]>`
      SELECT to_regclass('diagnostics_migration') IS NOT NULL AS present`;
    if (!table?.present) return [];
    return sql<{ version: number; name: string; checksum: string }[]>`
      SELECT version, name, checksum FROM diagnostics_migration`;
  });
  const applied = new Map(rows.map((row) => [row.version, row]));
  const missing = migrations.filter((m) => !applied.has(m.version)).map((m) => m.name);
  try {
    refuseForeign(migrations, applied);
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    return { known: migrations.length, missing, conflict: error.message };
  }
  return { known: migrations.length, missing, conflict: null };
}

function refuseForeign(
  migrations: Migration[],
  applied: Map<number, { name: string; checksum: string }>,
): void {
  for (const [version, row] of applied) {
    const own = migrations.find((m) => m.version === version);
    if (!own)
      throw new MigrationError(
        `The database has migration ${row.name}, which this program does not know: start a newer program`,
      );
    if (own.checksum !== row.checksum)
      throw new MigrationError(
        `Migration ${own.name} was changed after it had been applied: restore the file`,
      );
  }
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  const migrations = await Promise.all(
    names.map(async (name) => {
      const text = await Bun.file(join(directory, name)).text();
      const version = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(version))
        throw new MigrationError(`${name}: a migration is named 0001_what_it_does.sql`);
      return { version, name, text, checksum: createHash("sha256").update(text).digest("hex") };
    }),
  );
  const twice = migrations.find((m, i) => migrations[i - 1]?.version === m.version);
  if (twice) throw new MigrationError(`${twice.name}: its number is taken twice`);
  return migrations;
}
