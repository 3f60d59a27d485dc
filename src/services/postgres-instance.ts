/**
 * The private PostgreSQL of one data folder: made once, started when it is not running, recognised when it is,
 * stopped in an orderly way. Crash recovery is PostgreSQL's own (WAL); we only see to it that never two servers
 * open one cluster and that a stale postmaster.pid does not block the start.
 */
import { chmod, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { giveTo } from "./account.ts";
import { logTail, sizeOf } from "./bounded-log.ts";
import { CLEAN_ENV } from "./command.ts";
import { hasRoom } from "./disk-space.ts";
import { choosePort, isPortFree } from "./free-port.ts";
import { DATABASE_ROLE, ensureCluster, type PostgresSpec, startFailed } from "./postgres-cluster.ts";
import { PG_HBA_CONF, postgresConf } from "./postgres-config.ts";
import { commandLine, isAlive, pollUntil, startDetached, stopProcess } from "./process-control.ts";
import { diskFull, errnoOf, ServicesError, stillRunning } from "./services-error.ts";

/** A running instance. */
export interface RunningPostgres {
  readonly pid: number;
  readonly port: number;
  /** True when it was running before we came. */
  readonly reused: boolean;
}
/** Crash recovery replays up to max_wal_size before the server is ready. */
const READY_DEADLINE_MS = 180_000;
const CONNECT_SECONDS = 5;
const START_ATTEMPTS = 3;
const RETRY_AFTER_MS = 500;

/** The URL of the private instance; everything in it is free of characters that need escaping. */
export function postgresUrl(port: number, secret: string, database = DATABASE_ROLE): string {
  return `postgres://${DATABASE_ROLE}:${secret}@127.0.0.1:${port}/${database}`;
}

/**
 * Gives the instance that runs on this cluster, or starts one.
 *
 * @param rememberedPort taken again when it is free
 * @throws ServicesError `start-failed`, `disk-full`, `data-version`
 */
export async function startPostgres(
  spec: PostgresSpec,
  rememberedPort: number | undefined,
): Promise<RunningPostgres> {
  await ensureCluster(spec);
  const running = await settleRunning(spec);
  if (running) return running;
  let port = await choosePort(rememberedPort, []);
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(spec, port);
    } catch (error) {
      if (!(await hasRoom(spec.cluster))) throw diskFull(spec.cluster, error);
      if (attempt >= START_ATTEMPTS) throw error;
      // Either somebody took the port between our look and the server's bind, or backends of a killed server
      // still hold its shared memory: they notice within moments that their parent is gone.
      if (!(await isPortFree(port))) port = await choosePort(undefined, [port]);
      else await Bun.sleep(RETRY_AFTER_MS);
    }
  }
}

/** Stops in PostgreSQL's order: fast (SIGINT), immediate (SIGQUIT), and kill as the last resort. */
export async function stopPostgres(spec: PostgresSpec, pid: number): Promise<void> {
  if (!(await isOurs(spec, pid))) return;
  const gone = await stopProcess(pid, [
    { signal: "SIGINT", graceMs: 30_000 },
    { signal: "SIGQUIT", graceMs: 10_000 },
    { signal: "SIGKILL", graceMs: 5_000 },
  ]);
  if (!gone) throw stillRunning("PostgreSQL", pid);
}

/** What postmaster.pid says (PostgreSQL docs, "Database File Layout"): pid, port and state line. */
async function readPostmasterPid(
  cluster: string,
): Promise<{ pid: number; port: number; status: string } | undefined> {
  try {
    const lines = (await readFile(join(cluster, "postmaster.pid"), "utf8")).split("\n");
    return { pid: Number(lines[0]), port: Number(lines[3] ?? 0), status: (lines[7] ?? "").trim() };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function isOurs(spec: PostgresSpec, pid: number): Promise<boolean> {
  return pid > 1 && isAlive(pid) && (await commandLine(pid)).endsWith(`-D ${spec.cluster}`);
}

/**
 * Waits until the server of this cluster, if any, is either ready (it is given back) or gone. A server that is
 * stopping or recovering is in between. A pid file whose pid now belongs to another program is removed.
 */
async function settleRunning(spec: PostgresSpec): Promise<RunningPostgres | undefined> {
  let found: RunningPostgres | undefined;
  const settled = await pollUntil(async () => {
    const file = await readPostmasterPid(spec.cluster);
    if (!file || !isAlive(file.pid)) return true;
    if (!(await isOurs(spec, file.pid))) {
      await rm(join(spec.cluster, "postmaster.pid"), { force: true });
      return true;
    }
    if (file.status !== "ready") return false;
    await checkIdentity(spec, file.port);
    found = { pid: file.pid, port: file.port, reused: true };
    return true;
  }, READY_DEADLINE_MS);
  if (!settled)
    throw startFailed(spec, "the running server does not become ready", await logTail(spec.logPath));
  return found;
}

async function launch(spec: PostgresSpec, port: number): Promise<RunningPostgres> {
  await writeConfiguration(spec, port);
  const logStart = sizeOf(spec.logPath);
  const server = await startDetached(
    [...spec.account.prefix, join(spec.binDir, "postgres"), "-D", spec.cluster],
    {
      logPath: spec.logPath,
      cwd: "/",
      env: CLEAN_ENV,
    },
  );
  let exited = false;
  void server.exited.then(() => {
    exited = true;
  });
  const ready = await pollUntil(async () => {
    if (exited) return true;
    const file = await readPostmasterPid(spec.cluster);
    return file?.pid === server.pid && file.status === "ready";
  }, READY_DEADLINE_MS);
  if (exited)
    throw startFailed(spec, "PostgreSQL ended while starting", await logTail(spec.logPath, logStart));
  if (!ready) {
    await stopPostgres(spec, server.pid);
    throw startFailed(spec, "PostgreSQL did not become ready", await logTail(spec.logPath, logStart));
  }
  await checkIdentity(spec, port);
  return { pid: server.pid, port, reused: false };
}

async function writeConfiguration(spec: PostgresSpec, port: number): Promise<void> {
  const files = { "postgresql.conf": postgresConf({ port }), "pg_hba.conf": PG_HBA_CONF };
  for (const [name, text] of Object.entries(files)) {
    const path = join(spec.cluster, name);
    const staged = `${path}.tmp`;
    await writeFile(staged, text);
    await chmod(staged, 0o600);
    await giveTo(spec.account, staged);
    await rename(staged, path);
  }
}

/** Proves with our password that the server on `port` is the one of our cluster, and makes the database. */
async function checkIdentity(spec: PostgresSpec, port: number): Promise<void> {
  const sql = postgres(postgresUrl(port, spec.secret, "postgres"), {
    max: 1,
    connect_timeout: CONNECT_SECONDS,
    onnotice: () => undefined,
  });
  try {
    const [row] = await sql<{ directory: string; exists: boolean }[]>`
      SELECT current_setting('data_directory') AS directory,
             EXISTS (SELECT FROM pg_database WHERE datname = ${DATABASE_ROLE}) AS exists`;
    if (row?.directory !== spec.cluster) {
      throw startFailed(spec, `port ${port} belongs to another server`, `its data is in ${row?.directory}`);
    }
    if (!row.exists) await sql.unsafe(`CREATE DATABASE ${DATABASE_ROLE}`);
  } catch (error) {
    if (error instanceof ServicesError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw startFailed(spec, `PostgreSQL on port ${port} does not answer us`, reason, error);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
