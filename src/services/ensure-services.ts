/**
 * Finds or starts PostgreSQL with TimescaleDB, and Redis, for one data folder.
 *
 * Programs of one folder share the private instances. Each holds a shared lock while it uses them; whoever lets
 * go last (the exclusive lock is free then) stops them. After a kill -9 the instances live on and the next start
 * finds them. Starting and stopping happen one program at a time, under the setup lock.
 */
import { isAbsolute, join } from "node:path";
import { keepTrimmed, trimLogs } from "./bounded-log.ts";
import { checkUrls, encryptionOf } from "./given-urls.ts";
import { type StartedService, startPrivate } from "./private-services.ts";
import { ProgramLock, waitForLock } from "./program-lock.ts";
import { explainFileError } from "./services-error.ts";
import { type DataPaths, dataPaths, prepareFolders } from "./state-file.ts";
import type { Services, ServicesOptions } from "./types.ts";

/** A first start may download for half an hour on a slow line; another one waits for it. */
const SETUP_LOCK_DEADLINE_MS = 40 * 60_000;

/**
 * Gives URLs of ready services. With both URLs given nothing is started and nothing is written.
 *
 * @throws ServicesError with a message and a remedy for people; any other error is a mistake of the program
 */
export async function ensureServices(options: ServicesOptions): Promise<Services> {
  if (!isAbsolute(options.dataDir)) throw new TypeError(`dataDir is not absolute: ${options.dataDir}`);
  checkUrls(options);
  const { databaseUrl, redisUrl } = options;
  if (databaseUrl !== undefined && redisUrl !== undefined) {
    return {
      databaseUrl,
      redisUrl,
      description: [
        `PostgreSQL: given by DATABASE_URL (${encryptionOf(databaseUrl)})`,
        `Redis: given by REDIS_URL (${encryptionOf(redisUrl)})`,
      ],
      stop: async () => undefined,
    };
  }
  try {
    return await joinPrivate(options, dataPaths(options.dataDir));
  } catch (error) {
    throw explainFileError(error, options.dataDir);
  }
}

async function joinPrivate(options: ServicesOptions, paths: DataPaths): Promise<Services> {
  await prepareFolders(paths);
  const setup = new ProgramLock(join(paths.run, "setup.lock"));
  const programs = new ProgramLock(join(paths.run, "programs.lock"));
  let started: readonly [StartedService, StartedService];
  try {
    await takeSetup(setup, options);
    await waitForLock(
      () => programs.tryShared(),
      SETUP_LOCK_DEADLINE_MS,
      () => undefined,
    );
    started = await startPrivate(options, paths);
  } catch (error) {
    programs.close();
    setup.close();
    throw error;
  }
  setup.release();
  const logs = started.flatMap(({ logPath }) => logPath ?? []);
  await trimLogs(logs);
  const endTrimming = keepTrimmed(logs, (error) =>
    options.log.warn({ err: error }, "a log cannot be trimmed"),
  );
  let stopped: Promise<void> | undefined;
  const [postgres, redis] = started;
  return {
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    description: started.map(({ description }) => description),
    stop() {
      stopped ??= leave(setup, programs, started, options).finally(endTrimming);
      return stopped;
    },
  };
}

/** Stops what was started if nobody else uses it; closes the locks in any case. */
async function leave(
  setup: ProgramLock,
  programs: ProgramLock,
  started: readonly StartedService[],
  options: ServicesOptions,
): Promise<void> {
  try {
    await takeSetup(setup, options);
    programs.release();
    if (!programs.tryExclusive()) {
      options.log.info({}, "another program of this clone still uses the private services; they go on");
      return;
    }
    const results = await Promise.allSettled(started.map((service) => service.stop()));
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  } finally {
    programs.close();
    setup.close();
  }
}

function takeSetup(setup: ProgramLock, options: ServicesOptions): Promise<void> {
  return waitForLock(
    () => setup.tryExclusive(),
    SETUP_LOCK_DEADLINE_MS,
    () => {
      options.progress.step("Another start or stop of this clone is at work; waiting for it");
    },
  );
}
