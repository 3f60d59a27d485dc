/** Private PostgreSQL and Redis for real: start, reuse, recovery, sharing, stop. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import postgres from "postgres";
import { ensureServices } from "../../src/services/ensure-services.ts";
import { isAlive, stopProcess } from "../../src/services/process-control.ts";
import type { Durability, Services } from "../../src/services/types.ts";
import { until } from "../support/until.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUNTIME = join(ROOT, ".data/runtime");
const IS_ROOT = process.getuid?.() === 0;
const QUIET = { info: () => undefined, warn: () => undefined };
const SILENT = { step: () => undefined, amount: () => undefined };

let clone: string;
const open: Services[] = [];
const folders: string[] = [];

function newClone(): string {
  const folder = mkdtempSync(join(tmpdir(), "clone-")); // mode 0700, as below /root
  folders.push(folder);
  return folder;
}

async function start(folder = clone, durability: Durability = "everysec"): Promise<Services> {
  const dataDir = join(folder, ".data");
  const services = await ensureServices({
    dataDir,
    runtimeDir: RUNTIME,
    durability,
    log: QUIET,
    progress: SILENT,
  });
  open.push(services);
  return services;
}

/** Ends one holder now, as afterEach would later. */
async function stop(services: Services): Promise<void> {
  await services.stop();
  open.splice(open.indexOf(services), 1);
}

function pids(folder = clone): { postgres: number; redis: number } {
  const first = (file: string) => Number.parseInt(readFileSync(join(folder, ".data", file), "utf8"), 10);
  return { postgres: first("postgres/postmaster.pid"), redis: first("redis/redis.pid") };
}

async function query<T>(services: Services, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(services.databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}

async function redis<T>(services: Services, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(services.redisUrl, { maxRetriesPerRequest: 1 });
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

async function writeMark(services: Services, mark: number): Promise<void> {
  await query(services, async (sql) => {
    await sql`CREATE TABLE IF NOT EXISTS mark (n integer)`;
    await sql`INSERT INTO mark VALUES (${mark})`;
  });
  await redis(services, (client) => client.rpush("mark", mark));
}

async function marks(services: Services): Promise<{ postgres: number[]; redis: number[] }> {
  const rows = await query(services, (sql) => sql<{ n: number }[]>`SELECT n FROM mark ORDER BY n`);
  const list = await redis(services, (client) => client.lrange("mark", 0, -1));
  return { postgres: rows.map(({ n }) => n), redis: list.map(Number) };
}

const both = (...n: number[]) => ({ postgres: n, redis: n });

beforeAll(() => {
  clone = newClone();
});

afterEach(async () => {
  for (const services of open.splice(0)) await services.stop();
});

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("private services", () => {
  test("start from nothing, with TimescaleDB, on loopback, durable; and stop without a trace", async () => {
    const services = await start();
    const settings = await query(services, async (sql) => {
      await sql`CREATE EXTENSION IF NOT EXISTS timescaledb`;
      const names = [
        "listen_addresses",
        "fsync",
        "TimeZone",
        "jit",
        "password_encryption",
        "max_locks_per_transaction",
      ];
      const rows = await sql<{ name: string; setting: string }[]>`
        SELECT name, setting FROM pg_settings WHERE name = ANY(${names})`;
      return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
    });
    expect(settings).toEqual({
      listen_addresses: "127.0.0.1",
      fsync: "on",
      TimeZone: "UTC",
      jit: "off",
      password_encryption: "scram-sha-256",
      max_locks_per_transaction: "256",
    });
    const policy = (name: string) =>
      redis(services, (client) => client.config("GET", name) as Promise<string[]>);
    expect((await policy("appendonly"))[1]).toBe("yes");
    expect((await policy("appendfsync"))[1]).toBe("everysec");
    expect((await policy("maxmemory-policy"))[1]).toBe("noeviction");
    expect((await policy("bind"))[1]).toBe("127.0.0.1");
    expect(services.description).toHaveLength(2);
    expect(statSync(join(clone, ".data/run/password")).mode & 0o077).toBe(0);
    const before = pids();
    await writeMark(services, 1);
    await stop(services);
    expect([isAlive(before.postgres), isAlive(before.redis)]).toEqual([false, false]);
    expect(existsSync(join(clone, ".data/postgres/postmaster.pid"))).toBe(false);
  });

  test("start again on the same ports with the data", async () => {
    const state = readFileSync(join(clone, ".data/run/services.json"), "utf8");
    const services = await start();
    expect(readFileSync(join(clone, ".data/run/services.json"), "utf8")).toBe(state);
    expect(await marks(services)).toEqual(both(1));
  });

  test("are shared by the programs of a clone; the last one stops them", async () => {
    const [first, second] = await Promise.all([start(), start()]);
    expect(second.databaseUrl).toBe(first.databaseUrl);
    const before = pids();
    await stop(first);
    expect(await marks(second)).toEqual(both(1));
    await stop(second);
    expect([isAlive(before.postgres), isAlive(before.redis)]).toEqual([false, false]);
  });

  test("a wish for more durability is obeyed by a running Redis, one for less is not", async () => {
    await start();
    const strict = await start(clone, "always");
    await start(clone, "everysec");
    const [, value] = (await redis(strict, (client) => client.config("GET", "appendfsync"))) as string[];
    expect(value).toBe("always");
  });

  test("killed themselves, they come back with everything", async () => {
    const services = await start(clone, "always");
    await writeMark(services, 2);
    const before = pids();
    await Promise.all(
      Object.values(before).map((pid) => stopProcess(pid, [{ signal: "SIGKILL", graceMs: 5_000 }])),
    );
    open.length = 0; // what a dead program would have left: its locks are tested below
    await services.stop();
    expect(await marks(await start())).toEqual(both(1, 2));
  });

  test("a pid file that names a stranger's process does not stop the start, nor hurt the stranger", async () => {
    await using stranger = Bun.spawn(["sleep", "60"]);
    const pidFile = join(clone, ".data/postgres/postmaster.pid");
    writeFileSync(
      pidFile,
      `${stranger.pid}\n${join(clone, ".data/postgres")}\n1700000000\n1\n\n127.0.0.1\n0 0\nready\n`,
    );
    writeFileSync(join(clone, ".data/redis/redis.pid"), `${stranger.pid}\n`);
    const services = await start();
    expect(await marks(services)).toEqual(both(1, 2));
    await stop(services);
    expect(isAlive(stranger.pid)).toBe(true);
  });

  test("a remembered port that somebody else took is chosen again", async () => {
    const { postgres: pg, redis: rd } = JSON.parse(
      readFileSync(join(clone, ".data/run/services.json"), "utf8"),
    );
    const takers = await Promise.all([pg.port, rd.port].map(listenOn));
    try {
      const services = await start();
      expect(await marks(services)).toEqual(both(1, 2));
      expect(new URL(services.databaseUrl).port).not.toBe(String(pg.port));
      expect(new URL(services.redisUrl).port).not.toBe(String(rd.port));
    } finally {
      for (const taker of takers) taker.close();
    }
  });

  test("two clones run side by side, each with its own data and password", async () => {
    const [mine, other] = [await start(), await start(newClone())];
    await writeMark(other, 9);
    expect(await marks(mine)).toEqual(both(1, 2));
    expect(await marks(other)).toEqual(both(9));
    expect(new URL(other.databaseUrl).password).not.toBe(new URL(mine.databaseUrl).password);
  });

  test("a given URL is used as it is, and only the other service is started", async () => {
    const dataDir = join(newClone(), ".data");
    const given = "postgres://somebody@db.example/prod";
    const options = {
      dataDir,
      runtimeDir: RUNTIME,
      durability: "everysec",
      log: QUIET,
      progress: SILENT,
    } as const;
    const services = await ensureServices({ ...options, databaseUrl: given });
    open.push(services);
    expect(services.databaseUrl).toBe(given);
    expect(await redis(services, (client) => client.ping())).toBe("PONG");
    expect(existsSync(join(dataDir, "postgres"))).toBe(false);
    const none = join(newClone(), ".data");
    const all = await ensureServices({
      ...options,
      dataDir: none,
      databaseUrl: given,
      redisUrl: "redis://r.example",
    });
    await all.stop();
    expect(existsSync(none)).toBe(false);
  });

  test("a password lost with its data still there is told, not replaced", async () => {
    rmSync(join(clone, ".data/run/password"));
    await expect(start()).rejects.toMatchObject({
      code: "secret-lost",
      remedy: expect.stringContaining("delete"),
    });
  });
});

describe("a program that holds services", () => {
  /** Starts dev-services on `folder` and waits for its URLs. */
  async function program(folder: string, prefix: readonly string[] = []) {
    const script = join(ROOT, "src/services/dev-services.ts");
    const child = Bun.spawn([...prefix, process.execPath, script, join(folder, ".data")], {
      stdout: "pipe",
      stderr: "ignore",
      env: { ...process.env, HOME: folder },
    });
    const reader = child.stdout.getReader();
    let text = "";
    await until("the program tells its URLs", async () => {
      const { value, done } = await reader.read();
      text += new TextDecoder().decode(value);
      if (done) throw new Error(`it ended: ${text}`);
      return text.includes("REDIS_URL=");
    });
    return child;
  }

  test("is killed with -9: the next start finds both running, with all data", async () => {
    const folder = newClone();
    const owner = await program(folder);
    const before = pids(folder);
    owner.kill("SIGKILL");
    await owner.exited;
    expect([isAlive(before.postgres), isAlive(before.redis)]).toEqual([true, true]);
    const services = await start(folder);
    expect(pids(folder)).toEqual(before);
    expect(services.description.join()).toMatch(/found running.*found running/);
    await writeMark(services, 5);
    expect(await marks(services)).toEqual(both(5));
    await stop(services);
    expect([isAlive(before.postgres), isAlive(before.redis)]).toEqual([false, false]);
  });

  test("gets SIGINT: it stops what it started and ends with 0", async () => {
    const folder = newClone();
    const owner = await program(folder);
    const before = pids(folder);
    owner.kill("SIGINT");
    expect(await owner.exited).toBe(0);
    expect([isAlive(before.postgres), isAlive(before.redis)]).toEqual([false, false]);
  });

  test.skipIf(!IS_ROOT)("runs as root: the servers do not", async () => {
    const folder = newClone();
    const owner = await program(folder);
    for (const pid of Object.values(pids(folder))) {
      expect(readFileSync(`/proc/${pid}/status`, "utf8")).not.toMatch(/^Uid:\t0\t/m);
    }
    owner.kill("SIGTERM");
    expect(await owner.exited).toBe(0);
  });

  test.skipIf(!IS_ROOT || !othersMayRead())("runs as an ordinary user", async () => {
    const folder = newClone();
    chmodSync(folder, 0o777);
    const owner = await program(folder, ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
    expect(statSync(join(folder, ".data/postgres")).uid).toBe(65_534);
    owner.kill("SIGTERM");
    expect(await owner.exited).toBe(0);
  });
});

/** True when an ordinary user may read this clone, its runtime and bun. */
function othersMayRead(): boolean {
  const paths = [ROOT, process.execPath];
  return paths.every((path) => {
    const probe = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", path];
    return Bun.spawnSync(probe, { stdout: "ignore", stderr: "ignore" }).exitCode === 0;
  });
}

function listenOn(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
