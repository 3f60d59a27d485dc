/** Faults of Redis and PostgreSQL: ended, paused, out of memory, out of disk. */
import { isAlive, pollUntil } from "../../src/services/process-control.ts";
import { replyCode } from "../../src/stream/connection.ts";
import { type Infliction, NoFaultError, pauseProcesses, signal } from "./effect.ts";
import type { KindName, ServerName } from "./kinds.ts";
import { treeOf } from "./servers.ts";
import { emptyDisk, fillDisk } from "./small-disks.ts";

type Inflict = (infliction: Infliction) => Promise<void>;

const EFFECT_DEADLINE_MS = 10_000;
const SERVER_GRACE_MS = 30_000;
const FILLER_KEY = "faults:filler";
const PROBE_KEY = "faults:probe";
const FILLER_BYTES = 1_048_576;
/** Memory that is free before it is filled, and what a filler must be larger than. */
const ROOM_BYTES = 2 * FILLER_BYTES;
const MOST_FILLERS = 64;
const TRIES = 5;
/** PostgreSQL documentation, appendix A: disk_full. */
const DISK_FULL = "53100";

export function inflictOnServer(infliction: Infliction): Promise<void> {
  const inflict = FAULTS[infliction.fault.kind];
  if (!inflict) throw new Error(`nobody knows how ${infliction.fault.kind} is done`);
  return inflict(infliction);
}

const kill: Inflict = ({ stack, fault }) => stack.units[fault.target as ServerName].kill(fault.hold_ms);

const restartRedis: Inflict = async ({ stack, fault }) => {
  await stack.units.redis.end("SIGTERM", SERVER_GRACE_MS, fault.hold_ms);
};

/** "fast": transactions are broken off, everything is written. */
const restartPostgres: Inflict = async ({ stack, fault }) => {
  await stack.units.postgres.end("SIGINT", SERVER_GRACE_MS, fault.hold_ms);
};

const pauseServer: Inflict = async ({ stack, fault }) => {
  const { pid } = stack.units[fault.target as ServerName];
  if (pid === null) throw new NoFaultError(`${fault.target} does not run`);
  await pauseProcesses(treeOf(pid), fault.hold_ms);
};

/** Sessions of programs, those of writers first: their application_name is the thread's. */
async function backendOf({ stack, fault }: Infliction): Promise<number> {
  const rows = await stack.postgres.sql<{ pid: number; writer: boolean }[]>`
    SELECT pid, application_name LIKE '%:%' AS writer FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> 'faults' ORDER BY pid`;
  const writers = rows.filter(({ writer }) => writer);
  const from = writers.length > 0 ? writers : rows;
  const chosen = from[Math.floor(fault.draw * from.length)];
  if (!chosen) throw new NoFaultError("PostgreSQL has no session of a program");
  return chosen.pid;
}

/** The postmaster sees it, ends all sessions, recovers and goes on: by itself, without its supervisor. */
const killBackend: Inflict = async (infliction) => {
  const { postgres } = infliction.stack.units;
  const postmaster = postgres.pid;
  const isHit = async () => {
    const pid = await backendOf(infliction);
    return signal(pid, "SIGKILL") && pollUntil(() => !isAlive(pid), EFFECT_DEADLINE_MS);
  };
  if (!(await pollUntil(isHit, EFFECT_DEADLINE_MS))) throw new NoFaultError("no backend could be killed");
  if (postgres.pid !== postmaster) throw new Error("the postmaster ended with its backend");
};

const pauseBackend: Inflict = async (infliction) => {
  // The session may end by itself between the look and the blow.
  for (let tries = 1; ; tries += 1) {
    try {
      return await pauseProcesses([await backendOf(infliction)], infliction.fault.hold_ms);
    } catch (error) {
      if (!(error instanceof NoFaultError) || tries === TRIES) throw error;
    }
  }
};

/** Filled with data, as by a neighbour on the same Redis, until it takes nothing any more. */
const fillRedisMemory: Inflict = async ({ stack, fault }) => {
  const { redis } = stack.redis;
  const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
  try {
    await redis.config("SET", "maxmemory", used + ROOM_BYTES);
    for (
      let n = 0;
      (await refusalOf(() => redis.rpush(FILLER_KEY, Buffer.alloc(FILLER_BYTES)))) === null;
      n += 1
    )
      if (n > MOST_FILLERS) throw new NoFaultError("Redis takes more than its memory");
    await Bun.sleep(fault.hold_ms);
    if ((await refusalOf(() => redis.set(PROBE_KEY, Buffer.alloc(FILLER_BYTES)))) !== "OOM")
      throw new NoFaultError("Redis had memory again before the fault was over");
  } finally {
    await redis.del(FILLER_KEY, PROBE_KEY);
    await redis.config("SET", "maxmemory", 0);
  }
};

/** The code of an error reply; null: it was taken. @throws any other error */
async function refusalOf(command: () => Promise<unknown>): Promise<string | null> {
  try {
    await command();
    return null;
  } catch (error) {
    const code = replyCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

const fillRedisDisk: Inflict = async ({ stack, fault }) => {
  try {
    fillDisk(stack.disks.redis);
    const isRefused = async () =>
      (await refusalOf(() => stack.redis.redis.set(PROBE_KEY, Buffer.alloc(8_192)))) === "MISCONF";
    if (!(await pollUntil(isRefused, EFFECT_DEADLINE_MS)))
      throw new NoFaultError("Redis writes although its disk is full");
    await Bun.sleep(fault.hold_ms);
    await stack.redis.hurt();
  } finally {
    await emptyDisk(stack.disks.redis);
  }
};

const fillPostgresDisk: Inflict = async ({ stack, fault }) => {
  try {
    fillDisk(stack.disks.postgres);
    if (!(await pollUntil(() => hasNoRoom(stack.postgres.sql), EFFECT_DEADLINE_MS)))
      throw new NoFaultError("PostgreSQL writes although its disk is full");
    await Bun.sleep(fault.hold_ms);
  } finally {
    await emptyDisk(stack.disks.postgres);
  }
};

/** A table of a few pages cannot be made; or the server is down, as it goes when there is no room for its log. */
async function hasNoRoom(sql: Infliction["stack"]["postgres"]["sql"]): Promise<boolean> {
  try {
    await sql.begin(async (tx) => {
      await tx.unsafe(
        "CREATE TABLE faults_probe AS SELECT repeat(md5(n::text), 200) AS text FROM generate_series(1, 256) n",
      );
      throw new Rollback();
    });
    return false;
  } catch (error) {
    if (error instanceof Rollback) return false;
    const code = (error as { code?: string }).code ?? "";
    return code === DISK_FULL || code.startsWith("57P0") || !/^[0-9A-Z]{5}$/.test(code);
  }
}

class Rollback extends Error {}

const FAULTS: Partial<Record<KindName, Inflict>> = {
  "kill-redis": kill,
  "kill-postgres": kill,
  "restart-redis": restartRedis,
  "restart-postgres": restartPostgres,
  "pause-redis": pauseServer,
  "pause-postgres": pauseServer,
  "kill-backend": killBackend,
  "pause-backend": pauseBackend,
  "redis-memory": fillRedisMemory,
  "redis-disk": fillRedisDisk,
  "postgres-disk": fillPostgresDisk,
};
