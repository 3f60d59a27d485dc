/** What every command needs first: configuration, log, services, database. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Purpose } from "../config/checks.ts";
import type { Config } from "../config/variables.ts";
import { configuration } from "../config.ts";
import { parseUnitDefinitions, type UnitDefinition } from "../contract/units.ts";
import { createLogger, type Logger } from "../ops/log.ts";
import { ensureServices } from "../services/ensure-services.ts";
import { terminalProgress } from "../services/terminal-progress.ts";
import type { Services } from "../services/types.ts";
import { detectEdition, updateExtension } from "../store/edition.ts";
import { migrate, migrationState } from "../store/migrate.ts";
import { Database, type DatabaseSettings } from "../store/pool.ts";
import { type Reconciled, reconcile } from "../store/reconcile.ts";
import type { StreamBounds } from "../stream/producer.ts";
import { withTlsFiles } from "../stream/redis-tls.ts";
import { CommandError } from "./fail.ts";

/** Folder of the clone. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Folder of the numbered migrations. */
export const MIGRATIONS = resolve(ROOT, "sql/migrations");
const QUERY_DEADLINE_MS = 10_000;

export interface Environment {
  readonly config: Config;
  readonly log: Logger;
  readonly services: Services;
}

/**
 * Configuration, log, and Redis and TimescaleDB that answer.
 * @param purpose what the configuration is read for
 * @param check asked before any service is looked for
 * @param log_to where the log goes when standard output is for something else
 * @throws {ConfigError} @throws {ServicesError}
 */
export async function openEnvironment(
  purpose: Purpose,
  check: (config: Config) => Promise<void> | undefined = () => undefined,
  log_to?: NodeJS.WritableStream,
): Promise<Environment> {
  const config = configuration(purpose);
  await check(config);
  const log = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT }, log_to);
  const services = await ensureServices({
    dataDir: resolve(ROOT, config.DATA_DIR),
    runtimeDir: resolve(ROOT, ".data/runtime"),
    databaseUrl: config.DATABASE_URL,
    redisUrl: redisUrlOf(config),
    durability: config.REDIS_DURABILITY,
    log,
    progress: terminalProgress(process.stderr),
  });
  return { config, log, services };
}

function redisUrlOf(config: Config): string | undefined {
  const {
    REDIS_URL: url,
    REDIS_TLS_CA_FILE: ca,
    REDIS_TLS_CERT_FILE: cert,
    REDIS_TLS_KEY_FILE: key,
  } = config;
  return url === undefined ? undefined : withTlsFiles(url, { ca, cert, key });
}

/** The pool for ordinary statements; it connects when it is first used. */
export function openDatabase(environment: Environment, onQuery?: DatabaseSettings["onQuery"]): Database {
  return new Database({
    url: environment.services.databaseUrl,
    size: environment.config.DATABASE_POOL_SIZE,
    query_deadline_ms: QUERY_DEADLINE_MS,
    ...(onQuery ? { onQuery } : {}),
  });
}

/** What a start did to the database. */
export interface Prepared extends Reconciled {
  /** Migrations of a newer program, on whose schema this one runs; it changes nothing then. */
  readonly newer: readonly string[];
  /** Version that the timescaledb extension was moved to, or null. */
  readonly extension: string | null;
  /** Migrations applied now. */
  readonly applied: readonly string[];
}

/**
 * Bring everything in the database up to date: extension, schema, and what depends on the edition of TimescaleDB.
 * @throws {EditionError} @throws {MigrationError}
 */
export async function prepareDatabase(database: Database, environment: Environment): Promise<Prepared> {
  const { config, log, services } = environment;
  const extension = await updateExtension(services.databaseUrl);
  const applied = await migrateSchema(database, environment);
  const { newer } = await migrationState(database, MIGRATIONS);
  if (newer.length > 0) {
    log.warn({ newer }, "the schema is of a newer program: this one runs on it and changes nothing");
    return { extension, applied, newer, edition: await detectEdition(database.sql), changes: [] };
  }
  const reconciled = await reconcile(database, {
    compress_after_days: config.COMPRESS_AFTER_DAYS,
    retention_days: config.RETENTION_DAYS,
  });
  return { extension, applied, newer, ...reconciled };
}

/** Bring the schema up to date; names of what was applied. @throws {MigrationError} */
function migrateSchema(database: Database, { config, log }: Environment): Promise<string[]> {
  return migrate(database, {
    directory: MIGRATIONS,
    chunk_interval_days: config.CHUNK_INTERVAL_DAYS,
    onLocked: (migration) => log.warn({ migration }, "tables are in use: the migration tries again soon"),
  });
}

/** What the stream may hold, and how long it remembers keys. */
export function streamBounds(config: Config): StreamBounds {
  return {
    partitions: config.STREAM_PARTITIONS,
    max_entries: config.BACKLOG_MAX_ENTRIES,
    max_bytes: config.BACKLOG_MAX_BYTES,
    idempotency_ttl_s: config.IDEMPOTENCY_TTL_HOURS * 3600,
  };
}

/** The configured units beside the built-in ones. @throws {UnitDefinitionError} @throws {CommandError} */
export async function readUnits(config: Config): Promise<readonly UnitDefinition[]> {
  if (config.UNITS_FILE === undefined) return [];
  const path = resolve(ROOT, config.UNITS_FILE);
  let json: unknown;
  try {
    json = await Bun.file(path).json();
  } catch (error) {
    throw new CommandError(
      `UNITS_FILE is "${config.UNITS_FILE}", which cannot be read; it must be the path of a JSON file with a list of units: ${(error as Error).message}`,
    );
  }
  return parseUnitDefinitions(json);
}

/** Run `work` with a database at today's schema, and close everything in the reverse order. */
export async function withDatabase<T>(
  work: (database: Database, environment: Environment) => Promise<T>,
): Promise<T> {
  const environment = await openEnvironment("work");
  const database = openDatabase(environment);
  try {
    await migrateSchema(database, environment);
    return await work(database, environment);
  } finally {
    await database.close();
    await environment.services.stop();
  }
}
