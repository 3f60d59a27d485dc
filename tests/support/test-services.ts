/** A Redis database and a Postgres database of its own for each suite, on the services that the runner started. */
import { Redis } from "ioredis";
import postgres from "postgres";
import { migrate } from "../../src/store/migrate.ts";
import { Database } from "../../src/store/pool.ts";
import { reconcile } from "../../src/store/reconcile.ts";

/** Redis' default is 16 databases; 0 holds the claims below. */
const REDIS_DATABASES = 15;
/** A claim of a suite that died is free after this, s. */
const CLAIM_S = 7_200;

function fromEnvironment(name: "DATABASE_URL" | "REDIS_URL"): string {
  const url = process.env[name];
  if (!url) throw new Error(`${name} is not set: run \`npm test\`, or start services and set it`);
  return url;
}

export interface TestService {
  readonly url: string;
  /** Removes what was created. */
  drop(): Promise<void>;
}

/**
 * An empty Redis database that no other suite uses at the same time; what a killed one left in it is deleted.
 * @param wanted its number, when only this one will do
 */
export async function createTestRedis(wanted?: number): Promise<TestService> {
  const base = new URL(fromEnvironment("REDIS_URL"));
  const claims = new Redis(base.href, { db: 0 });
  for (let number = wanted ?? 1; number <= (wanted ?? REDIS_DATABASES); number += 1) {
    const claim = `test-database:${number}`;
    if ((await claims.set(claim, process.pid, "EX", CLAIM_S, "NX")) === null) continue;
    base.pathname = `/${number}`;
    const redis = new Redis(base.href);
    await redis.flushdb();
    return {
      url: base.href,
      async drop() {
        await redis.flushdb();
        await claims.del(claim);
        await Promise.all([redis.quit(), claims.quit()]);
      },
    };
  }
  await claims.quit();
  throw new Error(`${wanted === undefined ? "every" : "the"} Redis database is claimed by a suite`);
}

export const MIGRATIONS = new URL("../../sql/migrations", import.meta.url).pathname;

/**
 * On Community a policy drops what is older, by the clock of the server and whenever it comes to it; readings of tests
 * are of fixed dates, up to five years before a fixed day.
 */
const RETENTION_DAYS = 36_500;

/**
 * A migrated Postgres database with a random name.
 * @param reconciled false leaves out what depends on the edition, the hourly view among it
 * @param directory of the migrations
 */
export async function createTestDatabase(reconciled = true, directory = MIGRATIONS): Promise<TestService> {
  const base = new URL(fromEnvironment("DATABASE_URL"));
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = postgres(base.href, { max: 1, onnotice: () => undefined });
  await admin.unsafe(`CREATE DATABASE ${name}`);
  base.pathname = `/${name}`;
  const database = new Database({ url: base.href, size: 1, query_deadline_ms: 60_000 });
  try {
    await migrate(database, { directory, chunk_interval_days: 7 });
    if (reconciled) await reconcile(database, { compress_after_days: 7, retention_days: RETENTION_DAYS });
  } finally {
    await database.close();
  }
  return {
    url: base.href,
    async drop() {
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

/** SQLSTATE of a login that is refused for its password. */
export const WRONG_PASSWORD = "28P01";

/**
 * Whether a new user must know the password. A given server may trust whoever comes from this machine (pg_hba.conf), all
 * users or all but one: so it is tried with a user of its own.
 */
export async function serverAsksForPasswords(): Promise<boolean> {
  const address = new URL(fromEnvironment("DATABASE_URL"));
  const admin = postgres(address.href, { max: 1 });
  const name = `asked_${crypto.randomUUID().slice(0, 8)}`;
  await admin.unsafe(`CREATE ROLE ${name} LOGIN PASSWORD 'the right one'`);
  const session = postgres(Object.assign(address, { username: name, password: "another" }).href, { max: 1 });
  try {
    await session`SELECT 1`;
    return false;
  } catch (error) {
    if ((error as postgres.PostgresError).code !== WRONG_PASSWORD) throw error;
    return true;
  } finally {
    await session.end();
    await admin.unsafe(`DROP ROLE ${name}`);
    await admin.end();
  }
}
