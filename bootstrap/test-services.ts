/** Fresh private services for one test run, below .data/test; or those of the environment. */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { ensureServices } from "../src/services/ensure-services.ts";
import { ProgramLock } from "../src/services/program-lock.ts";
import { ServicesError } from "../src/services/services-error.ts";
import { terminalProgress } from "../src/services/terminal-progress.ts";
import type { Services, ServicesOptions } from "../src/services/types.ts";
import { detectEdition } from "../src/store/edition.ts";
import type { Sql } from "../src/store/pool.ts";

/** What the suites get: URLs, and how to end. */
export interface TestServices {
  readonly env: { readonly DATABASE_URL: string; readonly REDIS_URL: string };
  readonly description: readonly string[];
  /** Stops what was started and deletes its data. */
  stop(): Promise<void>;
}

/**
 * @param root the project
 * @throws ServicesError also when another test run of this clone is under way
 */
export async function startTestServices(root: string): Promise<TestServices> {
  const dataDir = join(root, ".data/test");
  await mkdir(dataDir, { recursive: true });
  const lock = new ProgramLock(join(dataDir, "test-run.lock"));
  if (!lock.tryExclusive()) {
    lock.close();
    throw new ServicesError(
      "still-running",
      "Another test run of this clone is under way",
      "Wait for its end.",
    );
  }
  try {
    const options = optionsFor(root, dataDir);
    if (existsSync(join(dataDir, "run"))) await clear(await ensureServices(options), dataDir); // of a killed run
    const services = await ensureServices(options);
    const edition = await describeEdition(services.databaseUrl);
    return {
      env: { DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl },
      description: [...services.description, edition],
      async stop() {
        await clear(services, dataDir);
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** What is run depends on it. @throws {ServicesError} when the server cannot be asked */
async function describeEdition(url: string): Promise<string> {
  const session = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await session`CREATE EXTENSION IF NOT EXISTS timescaledb`;
    return (await detectEdition(session as unknown as Sql)) === "community"
      ? "TimescaleDB: Community edition; the tests of what only it has are run (compression, continuous aggregate, policies)"
      : "TimescaleDB: Apache edition; the tests of what only Community has are skipped";
  } catch (error) {
    throw new ServicesError(
      "no-way",
      `The tests cannot use this PostgreSQL: ${(error as Error).message}`,
      "They need a server with TimescaleDB, and a user who may make databases and roles.",
      { cause: error },
    );
  } finally {
    await session.end();
  }
}

async function clear(services: Services, dataDir: string): Promise<void> {
  await services.stop();
  for (const name of ["postgres", "redis", "run"])
    await rm(join(dataDir, name), { recursive: true, force: true });
}

function optionsFor(root: string, dataDir: string): ServicesOptions {
  return {
    dataDir,
    runtimeDir: join(root, ".data/runtime"),
    databaseUrl: process.env.DATABASE_URL || undefined,
    redisUrl: process.env.REDIS_URL || undefined,
    durability: "everysec",
    log: {
      info: (_fields, message) => console.log(message),
      warn: (fields, message) => console.log(message, fields),
    },
    progress: terminalProgress(process.stdout),
  };
}
