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

/** An empty Redis database that no other suite uses at the same time. */
export async function createTestRedis(): Promise<TestService> {
  const base = new URL(fromEnvironment("REDIS_URL"));
  const claims = new Redis(base.href, { db: 0 });
  for (let number = 1; number <= REDIS_DATABASES; number += 1) {
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
  throw new Error("every Redis database is claimed by a suite");
}

export const MIGRATIONS = new URL("../../sql/migrations", import.meta.url).pathname;

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
    if (reconciled) await reconcile(database, { compress_after_days: 7, retention_days: 1_825 });
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
