/** Fresh private services for one test run, below .data/test; or those of the environment. */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureServices } from "../src/services/ensure-services.ts";
import { ProgramLock } from "../src/services/program-lock.ts";
import { ServicesError } from "../src/services/services-error.ts";
import { terminalProgress } from "../src/services/terminal-progress.ts";
import type { Services, ServicesOptions } from "../src/services/types.ts";

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
    return {
      env: { DATABASE_URL: services.databaseUrl, REDIS_URL: services.redisUrl },
      description: services.description,
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
