/** PostgreSQL and Redis of a run: private ones, or given ones. */
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { Redis } from "ioredis";
import { ROOT } from "../../src/commands/environment.ts";
import { ensureServices } from "../../src/services/ensure-services.ts";
import { terminalProgress } from "../../src/services/terminal-progress.ts";
import { RUNTIME_DIR } from "../bench/stack.ts";
import { UsageError } from "../command-line.ts";

export const QUERIES_DIR = resolve(ROOT, ".data/bench-queries");
export const REVIEW_DIR = resolve(ROOT, ".data/bench-review");

export interface QueryServices {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly redis: Redis;
  close(): Promise<void>;
}

/** @param dir of private ones @throws {ServicesError} @throws {UsageError} */
export async function openServices(dir: string): Promise<QueryServices> {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = process.env;
  if ((databaseUrl === undefined) !== (redisUrl === undefined))
    throw new UsageError("set both DATABASE_URL and REDIS_URL, or none of them");
  await mkdir(dir, { recursive: true });
  const services = await ensureServices({
    dataDir: dir,
    runtimeDir: RUNTIME_DIR,
    databaseUrl,
    redisUrl,
    durability: "everysec",
    log: { info: () => undefined, warn: (fields, message) => console.error(message, fields) },
    progress: terminalProgress(process.stderr),
  });
  for (const line of services.description) console.error(line);
  const redis = new Redis(services.redisUrl, { maxRetriesPerRequest: 1 });
  return {
    databaseUrl: services.databaseUrl,
    redisUrl: services.redisUrl,
    redis,
    async close() {
      redis.disconnect();
      await services.stop();
    },
  };
}
