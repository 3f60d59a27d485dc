/** The databases of a run: private services or given ones, and on them a database of the benchmark's own. */
import { resolve } from "node:path";
import { Redis } from "ioredis";
import postgres from "postgres";
import { hashPassword } from "../../src/api/auth/passwords.ts";
import { ROOT } from "../../src/commands/environment.ts";
import type { SeriesMapping } from "../../src/contract/series.ts";
import { ensureServices } from "../../src/services/ensure-services.ts";
import { terminalProgress } from "../../src/services/terminal-progress.ts";
import { MappingStore } from "../../src/store/mappings.ts";
import { migrate } from "../../src/store/migrate.ts";
import { Database } from "../../src/store/pool.ts";
import { SystemStore } from "../../src/store/systems.ts";
import { UserStore } from "../../src/store/users.ts";
import { UsageError } from "../command-line.ts";

const DATABASE = "hydraulic_bench";
/** Redis database on a given server; it must be empty. */
export const REDIS_DATABASE = 15;
const UNLIMITED = 1_000_000_000;
const CHUNK_INTERVAL_DAYS = 7;
const QUERY_DEADLINE_MS = 120_000;

export const BENCH_DIR = resolve(ROOT, ".data/bench");
export const RUNTIME_DIR = resolve(ROOT, ".data/runtime");
export const SYSTEM_ID = "6b1f3c52-9d0e-4a7b-8c11-d7a4f0e2b365";
export const USERS = Array.from({ length: 8 }, (_, i) => `bench-${i + 1}`);
export const PASSWORD = "only for the benchmark's own database";

export interface Stack {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly sql: postgres.Sql;
  readonly redis: Redis;
  /** The servers were started for this, and nobody else uses them. */
  readonly own: boolean;
  close(): Promise<void>;
}

/**
 * Services with an empty, migrated database, users without limits in practice, and one system.
 * @throws {ServicesError} @throws {UsageError} when the given Redis holds something
 */
export async function openStack(): Promise<Stack> {
  const { DATABASE_URL: databaseUrl, REDIS_URL: given } = process.env;
  if ((databaseUrl === undefined) !== (given === undefined))
    throw new UsageError("set both DATABASE_URL and REDIS_URL, or none of them");
  const services = await ensureServices({
    dataDir: BENCH_DIR,
    runtimeDir: RUNTIME_DIR,
    databaseUrl,
    redisUrl: given === undefined ? undefined : withPath(given, String(REDIS_DATABASE)),
    durability: "everysec",
    log: { info: () => undefined, warn: (fields, message) => console.error(message, fields) },
    progress: terminalProgress(process.stderr),
  });
  for (const line of services.description) console.error(line);
  const redis = new Redis(services.redisUrl, { maxRetriesPerRequest: 1 });
  let sql: postgres.Sql | undefined;
  const close = async () => {
    // It was empty before, so all of it is ours.
    if (given !== undefined && sql) await redis.flushdb();
    redis.disconnect();
    await sql?.end({ timeout: 5 });
    await services.stop();
  };
  try {
    if (given === undefined) await redis.flushdb();
    else if ((await redis.dbsize()) > 0)
      throw new UsageError(
        `database ${REDIS_DATABASE} of REDIS_URL is not empty. A run that was killed leaves it so; when nothing in it is needed: redis-cli -n ${REDIS_DATABASE} FLUSHDB`,
      );
    if (given === undefined) await syncAgain(services.databaseUrl);
    const own = await ownDatabase(services.databaseUrl);
    sql = postgres(own, { max: 2, onnotice: () => undefined });
    return {
      databaseUrl: own,
      redisUrl: services.redisUrl,
      sql,
      redis,
      own: databaseUrl === undefined,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Tie names to sensors of the benchmark's system, which are registered. */
export async function mapSensors(databaseUrl: string, mappings: readonly SeriesMapping[]): Promise<void> {
  const database = new Database({ url: databaseUrl, size: 1, query_deadline_ms: QUERY_DEADLINE_MS });
  const actor = { id: crypto.randomUUID(), name: "bench" };
  try {
    const store = new MappingStore(database);
    for (const mapping of mappings) await store.set({ system_id: SYSTEM_ID, actor, ...mapping });
  } finally {
    await database.close();
  }
}

const withPath = (url: string, path: string) => {
  const changed = new URL(url);
  changed.pathname = `/${path}`;
  return changed.href;
};

/** What a run without fsync that was cut off left behind. */
async function syncAgain(url: string): Promise<void> {
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await admin.unsafe("ALTER SYSTEM RESET fsync");
    await admin.unsafe("SELECT pg_reload_conf()");
  } finally {
    await admin.end({ timeout: 5 });
  }
}

/** Make the database anew; what a run before left is dropped. */
async function ownDatabase(url: string): Promise<string> {
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await admin.unsafe(`DROP DATABASE IF EXISTS ${DATABASE}`);
    await admin.unsafe(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await admin.end({ timeout: 5 });
  }
  const own = withPath(url, DATABASE);
  const database = new Database({ url: own, size: 2, query_deadline_ms: QUERY_DEADLINE_MS });
  try {
    const directory = resolve(ROOT, "sql/migrations");
    await migrate(database, { directory, chunk_interval_days: CHUNK_INTERVAL_DAYS });
    await new SystemStore(database).create(SYSTEM_ID, "Benchmark rig");
    const password_hash = await hashPassword(PASSWORD);
    const limits = { requests_per_minute: UNLIMITED, readings_per_minute: UNLIMITED };
    const users = USERS.map((username) => ({
      username,
      password_hash,
      role: "producer" as const,
      ...limits,
    }));
    await new UserStore(database).createMissing(users);
  } finally {
    await database.close();
  }
  return own;
}
