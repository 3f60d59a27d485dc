/**
 * A schema with a random name that holds the service's tables once more, to measure with. Its URL makes every
 * connection look there first, so the same statements run as in production; before it is handed out, it is proved
 * that none of them can reach production's tables.
 *
 * A session of its own holds an advisory lock for the schema's name: what a killed program left behind has no lock
 * and is dropped by the next one.
 */
import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { SCRATCH_LOCK_CLASS } from "./advisory-locks.ts";
import { sqlState } from "./errors.ts";
import { hourlyViewSql } from "./hourly-view.ts";
import { type MigrationSettings, migrate } from "./migrate.ts";
import { Database } from "./pool.ts";
import { reconcile } from "./reconcile.ts";
import { withSessionSettings } from "./session-options.ts";
import { postgresConnection } from "./tls/driver-options.ts";

const PREFIX = "hydraulic_verify_";
const DEADLINE_MS = 120_000;
/** A background job of the schema may hold a lock; then its drop waits, gives way and tries again. */
const LOCK_TIMEOUT = "2s";
const DROP_ATTEMPTS = 15;
const LOCK_NOT_AVAILABLE = "55P03";
const DEADLOCK = "40P01";

/** Some table of the service would be reached in another schema; nothing was written. */
export class ScratchError extends Error {
  override readonly name = "ScratchError";
}

function openSession(databaseUrl: string): postgres.Sql {
  const { url, options } = postgresConnection(databaseUrl);
  return postgres(url, {
    ...options,
    max: 1,
    idle_timeout: 0,
    onnotice: () => undefined,
    connection: { application_name: "hydraulic-verify", statement_timeout: DEADLINE_MS },
  } as postgres.Options<Record<string, postgres.PostgresType>>) as unknown as postgres.Sql;
}

export class ScratchSchema {
  private constructor(
    readonly name: string,
    /** Connections of this URL see the schema's tables under the service's names. */
    readonly url: string,
    private readonly session: postgres.Sql,
  ) {}

  /**
   * Make the schema with all tables, views and aggregates of the service, without background jobs.
   * @throws {ScratchError} @throws {MigrationError} @throws {EditionError} @throws {postgres.PostgresError}
   */
  static async create(databaseUrl: string, migrations: MigrationSettings): Promise<ScratchSchema> {
    const session = openSession(databaseUrl);
    try {
      const name = `${PREFIX}${randomBytes(6).toString("hex")}`;
      await session`SELECT pg_advisory_lock(${SCRATCH_LOCK_CLASS}::int, hashtext(${name}))`;
      await session`CREATE SCHEMA ${session(name)}`;
      const [extension] = await session<{ schema: string }[]>`
        SELECT nspname AS schema FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
        WHERE extname = 'timescaledb'`;
      if (!extension) throw new ScratchError("The database has no timescaledb extension: migrate it first");
      const url = withSessionSettings(databaseUrl, { search_path: `${name},${extension.schema}` });
      const scratch = new ScratchSchema(name, url, session);
      try {
        await scratch.#fill(migrations);
      } catch (error) {
        await scratch.#drop();
        throw error;
      }
      return scratch;
    } catch (error) {
      await session.end({ timeout: 5 });
      throw error;
    }
  }

  /** Schemas that programs left behind which no longer run, dropped now. */
  static async dropAbandoned(databaseUrl: string): Promise<string[]> {
    const session = openSession(databaseUrl);
    try {
      const schemas = await session<{ name: string }[]>`
        SELECT nspname AS name FROM pg_namespace WHERE starts_with(nspname, ${PREFIX})`;
      const dropped: string[] = [];
      for (const { name } of schemas) {
        const [lock] = await session<{ free: boolean }[]>`
          SELECT pg_try_advisory_lock(${SCRATCH_LOCK_CLASS}::int, hashtext(${name})) AS free`;
        if (!lock?.free) continue;
        await dropSchema(session, name);
        dropped.push(name);
      }
      return dropped;
    } finally {
      await session.end({ timeout: 5 });
    }
  }

  /** Drop the schema with all that is in it, and end the session. */
  async drop(): Promise<void> {
    try {
      await this.#drop();
    } finally {
      await this.session.end({ timeout: 5 });
    }
  }

  #drop(): Promise<void> {
    return dropSchema(this.session, this.name);
  }

  async #fill(migrations: MigrationSettings): Promise<void> {
    const database = new Database({ url: this.url, size: 2, query_deadline_ms: DEADLINE_MS });
    try {
      await migrate(database, migrations);
      await this.#assertIsolated(database, "tables");
      // The reconcile looks for the view by name, and must find the schema's own.
      await database.run("make view", (sql) => sql.unsafe(hourlyViewSql(null)));
      // Ages beyond any test: nothing of the schema is to be compressed or dropped but by the benchmark itself.
      await reconcile(database, { compress_after_days: 36_500, retention_days: 36_500 });
      await this.#assertIsolated(database, "everything");
      await database.run("remove jobs", (sql) => removeJobs(sql as unknown as postgres.Sql, this.name));
    } finally {
      await database.close();
    }
  }

  /**
   * Whatever table, view or function a session sees under a name of the service must be the schema's own. Indexes are
   * not named by statements, and the schema may lack one that the server could not make for it.
   */
  async #assertIsolated(database: Database, what: "tables" | "everything"): Promise<void> {
    const foreign = await database.run(
      "prove isolation",
      (sql) => sql<{ name: string }[]>`
        SELECT relname AS name FROM pg_class WHERE relname LIKE 'diagnostics\\_%' AND pg_table_is_visible(oid)
          AND (${what === "everything"} OR relkind IN ('r', 'p')) AND relkind <> 'i' AND relnamespace <> ${this.name}::regnamespace
        UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'diagnostics\\_%' AND pg_function_is_visible(oid)
          AND pronamespace <> ${this.name}::regnamespace`,
    );
    if (foreign.length > 0)
      throw new ScratchError(`${foreign[0]!.name} would be reached outside of the benchmark's schema`);
  }
}

/** Background jobs on hypertables of the schema, and on its continuous aggregates. */
async function removeJobs(sql: postgres.Sql, schema: string): Promise<void> {
  await sql`
    SELECT delete_job(job_id) FROM timescaledb_information.jobs j
    WHERE hypertable_schema = ${schema} OR EXISTS (
      SELECT FROM timescaledb_information.continuous_aggregates c WHERE c.view_schema = ${schema}
        AND c.materialization_hypertable_schema = j.hypertable_schema
        AND c.materialization_hypertable_name = j.hypertable_name)`;
}

async function dropSchema(session: postgres.Sql, name: string): Promise<void> {
  if (!name.startsWith(PREFIX)) throw new ScratchError(`${name} is not a schema of a benchmark`);
  await session`SELECT set_config('lock_timeout', ${LOCK_TIMEOUT}, false)`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await dropHypertables(session, name);
      await session`DROP SCHEMA IF EXISTS ${session(name)} CASCADE`;
      return;
    } catch (error) {
      const busy = [LOCK_NOT_AVAILABLE, DEADLOCK].includes(sqlState(error) ?? "");
      if (!busy || attempt === DROP_ATTEMPTS) throw error;
    }
  }
}

/** One by one: DROP SCHEMA alone leaves the tables of compressed chunks behind (TimescaleDB 2.29). */
async function dropHypertables(session: postgres.Sql, schema: string): Promise<void> {
  const aggregates = await session<{ name: string }[]>`
    SELECT view_name AS name FROM timescaledb_information.continuous_aggregates WHERE view_schema = ${schema}`;
  for (const { name } of aggregates)
    await session`DROP MATERIALIZED VIEW IF EXISTS ${session(`${schema}.${name}`)} CASCADE`;
  const tables = await session<{ name: string }[]>`
    SELECT hypertable_name AS name FROM timescaledb_information.hypertables WHERE hypertable_schema = ${schema}`;
  for (const { name } of tables) await session`DROP TABLE IF EXISTS ${session(`${schema}.${name}`)} CASCADE`;
}
