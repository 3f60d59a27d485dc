/**
 * The private Redis (or Valkey) of one data folder, with an append-only file. Redis does not lock its folder, so
 * we must never start a second server on it: the pid file and the command line tell whether one is running.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type Account, giveTo, makeOwnedFolder } from "./account.ts";
import { logTail, sizeOf } from "./bounded-log.ts";
import { CLEAN_ENV } from "./command.ts";
import { hasRoom } from "./disk-space.ts";
import { choosePort, isPortFree } from "./free-port.ts";
import { commandLine, isAlive, pollUntil, startDetached, stopProcess } from "./process-control.ts";
import { diskFull, errnoOf, ServicesError, stillRunning } from "./services-error.ts";
import type { Durability } from "./types.ts";

/** What an instance is made of. */
export interface RedisSpec {
  /** Path of redis-server or valkey-server. */
  readonly server: string;
  readonly folder: string;
  readonly logPath: string;
  readonly secret: string;
  readonly durability: Durability;
  readonly account: Account;
}

/** A running instance. */
export interface RunningRedis {
  readonly pid: number;
  readonly port: number;
  /** True when it was running before we came. */
  readonly reused: boolean;
}

/** Reading a large append-only file back takes its time. */
const READY_DEADLINE_MS = 120_000;
const CONNECT_TIMEOUT_MS = 2_000;
const START_ATTEMPTS = 3;

/** The URL of the private instance, database 0. */
export function redisUrl(port: number, secret: string): string {
  return `redis://:${secret}@127.0.0.1:${port}/0`;
}

/** The whole redis.conf. */
function redisConf(spec: RedisSpec, port: number): string {
  return `# Written at every start by src/services; changes here are lost.
bind 127.0.0.1
port ${port}
protected-mode yes
requirepass ${spec.secret}
daemonize no
pidfile "${join(spec.folder, "redis.pid")}"
dir "${spec.folder}"
# The command line is how we recognise our own process.
set-proc-title no
appendonly yes
appendfsync ${spec.durability}
# Of the file nearly all is batches that are done. By default it is written anew with each 64 MB, under load every
# second, for a fifth of the processor time of Redis.
auto-aof-rewrite-min-size 256mb
# The append-only file is the whole truth; a snapshot beside it would only cost disk.
save ""
aof-load-truncated yes
maxmemory-policy noeviction
`;
}

/**
 * Gives the instance that runs on this folder, or starts one.
 *
 * @param rememberedPort taken again when it is free
 * @throws ServicesError `start-failed`, `disk-full`, `still-running`
 */
export async function startRedis(spec: RedisSpec, rememberedPort: number | undefined): Promise<RunningRedis> {
  await makeOwnedFolder(spec.account, spec.folder);
  const running = await findRunning(spec, rememberedPort);
  if (running) return running;
  let port = await choosePort(rememberedPort, []);
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(spec, port);
    } catch (error) {
      if (!(await hasRoom(spec.folder))) throw diskFull(spec.folder, error);
      // Somebody may have taken the port between our look and the server's bind.
      if (attempt >= START_ATTEMPTS || (await isPortFree(port))) throw error;
      port = await choosePort(undefined, [port]);
    }
  }
}

/** Stops with SIGTERM, upon which Redis writes and syncs its append-only file; kill as the last resort. */
export async function stopRedis(spec: RedisSpec, pid: number): Promise<void> {
  if (!(await isOurs(spec, pid))) return;
  const gone = await stopProcess(pid, [
    { signal: "SIGTERM", graceMs: 15_000 },
    { signal: "SIGKILL", graceMs: 5_000 },
  ]);
  if (!gone) throw stillRunning("Redis", pid);
}

function configPath(spec: RedisSpec): string {
  return join(spec.folder, "redis.conf");
}

async function isOurs(spec: RedisSpec, pid: number): Promise<boolean> {
  return pid > 1 && isAlive(pid) && (await commandLine(pid)).includes(configPath(spec));
}

async function readPid(spec: RedisSpec): Promise<number> {
  try {
    return Number.parseInt(await readFile(join(spec.folder, "redis.pid"), "utf8"), 10);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    throw error;
  }
}

/** The living server of this folder. One that we cannot talk to is stopped, so that there are never two. */
async function findRunning(spec: RedisSpec, port: number | undefined): Promise<RunningRedis | undefined> {
  const pid = await readPid(spec);
  if (!(await isOurs(spec, pid))) return undefined;
  if (port !== undefined && (await pollUntil(() => answers(spec, port, pid), READY_DEADLINE_MS))) {
    await strengthen(spec, port);
    return { pid, port, reused: true };
  }
  await stopRedis(spec, pid);
  return undefined;
}

async function launch(spec: RedisSpec, port: number): Promise<RunningRedis> {
  const config = configPath(spec);
  const staged = `${config}.tmp`;
  await writeFile(staged, redisConf(spec, port), { mode: 0o600 });
  await giveTo(spec.account, staged);
  await rename(staged, config);
  const logStart = sizeOf(spec.logPath);
  const server = await startDetached([...spec.account.prefix, spec.server, config], {
    logPath: spec.logPath,
    cwd: "/",
    env: CLEAN_ENV,
  });
  let exited = false;
  void server.exited.then(() => {
    exited = true;
  });
  const ready = await pollUntil(
    async () => exited || (await answers(spec, port, server.pid)),
    READY_DEADLINE_MS,
  );
  if (exited) throw startFailed(spec, "it ended while starting", await logTail(spec.logPath, logStart));
  if (!ready) {
    await stopRedis(spec, server.pid);
    throw startFailed(spec, "it did not become ready", await logTail(spec.logPath, logStart));
  }
  return { pid: server.pid, port, reused: false };
}

/** True when the server behind `port` takes our password, is process `pid`, and has loaded its data. */
async function answers(spec: RedisSpec, port: number, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false;
  return withClient(spec, port, async (client) => {
    const info = await client.info();
    return info.includes(`process_id:${pid}\r\n`) && info.includes("loading:0\r\n");
  });
}

/** A program that wants `always` gets it even from an instance started with `everysec`; never the reverse. */
async function strengthen(spec: RedisSpec, port: number): Promise<void> {
  if (spec.durability !== "always") return;
  const done = await withClient(spec, port, async (client) => {
    return (await client.config("SET", "appendfsync", "always")) === "OK";
  });
  if (!done) throw startFailed(spec, "the running instance cannot be set to appendfsync always", "");
}

/** Runs `use` on a short connection; false when the server cannot be reached or refuses. */
async function withClient(
  spec: RedisSpec,
  port: number,
  use: (client: Redis) => Promise<boolean>,
): Promise<boolean> {
  const client = new Redis(redisUrl(port, spec.secret), {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    retryStrategy: () => null,
    // After a refused connection ioredis keeps a timer of this length, and with it the whole process, alive.
    disconnectTimeout: 50,
  });
  client.on("error", () => undefined); // every failure also rejects the call below
  try {
    await client.connect();
    return await use(client);
  } catch {
    return false; // not there yet, or not ours: the caller polls until its deadline and then says so
  } finally {
    client.disconnect();
  }
}

function startFailed(spec: RedisSpec, what: string, detail: string): ServicesError {
  return new ServicesError(
    "start-failed",
    `The private Redis cannot be started: ${what}\n${detail}`,
    `Its log is ${spec.logPath}. If the data is not needed, delete ${spec.folder} and start again; or set ` +
      "REDIS_URL to a server of your own.",
  );
}
