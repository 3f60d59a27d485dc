/** PostgreSQL and Redis of one suite alone, for tests that stop them. They come back on the same ports. */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import postgres from "postgres";
import { ensureServices } from "../../../src/services/ensure-services.ts";
import { isAlive } from "../../../src/services/process-control.ts";
import type { Services } from "../../../src/services/types.ts";
import { until } from "../until.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const quiet = { info: () => undefined, warn: () => undefined };

export class PrivateServices {
  readonly #joined: Services[] = [];

  private constructor(readonly dataDir: string) {}

  static async start(): Promise<PrivateServices> {
    await mkdir(join(ROOT, ".data"), { recursive: true });
    const services = new PrivateServices(await mkdtemp(join(ROOT, ".data/test-fault-")));
    await services.restart();
    return services;
  }

  get databaseUrl(): string {
    return this.#joined.at(-1)!.databaseUrl;
  }

  get redisUrl(): string {
    return this.#joined.at(-1)!.redisUrl;
  }

  /** Start what does not run, on the port that it had. */
  async restart(): Promise<void> {
    const services = await ensureServices({
      dataDir: this.dataDir,
      runtimeDir: join(ROOT, ".data/runtime"),
      durability: "everysec",
      log: quiet,
      progress: { step: () => undefined, amount: () => undefined },
    });
    this.#joined.push(services);
  }

  /** Fast shutdown: what is committed is sent to standbys before it ends. */
  async stopPostgres(): Promise<void> {
    const pid = await this.#postgresPid();
    process.kill(pid, "SIGINT");
    await until("PostgreSQL has ended", () => !isAlive(pid), 20_000);
  }

  /** Immediate shutdown (SIGQUIT, as `pg_ctl stop -m immediate` sends it): like a crash, with recovery at the start. */
  async crashPostgres(): Promise<void> {
    const pid = await this.#postgresPid();
    process.kill(pid, "SIGQUIT");
    await until("PostgreSQL has ended", () => !isAlive(pid));
  }

  /** SHUTDOWN, which writes the append-only file to its end. */
  async stopRedis(): Promise<void> {
    const pid = await this.#redisPid();
    const redis = new Redis(this.redisUrl, { retryStrategy: () => null });
    redis.on("error", () => undefined); // the connection ends under the command
    await redis.shutdown("NOSAVE").catch(() => undefined);
    await until("Redis has ended", () => !isAlive(pid));
    redis.disconnect();
  }

  /** Killed, as by the kernel when memory runs out. */
  async killRedis(): Promise<void> {
    const pid = await this.#redisPid();
    process.kill(pid, "SIGKILL");
    await until("Redis has ended", () => !isAlive(pid));
  }

  /** A Postgres database and a Redis database without anything in them. */
  async fresh(): Promise<{ database: string; redis: string }> {
    const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
    const admin = postgres(this.databaseUrl, { max: 1, onnotice: () => undefined });
    await admin.unsafe(`CREATE DATABASE ${name}`);
    await admin.end();
    const redis = new Redis(this.redisUrl);
    await redis.flushall();
    redis.disconnect();
    const database = new URL(this.databaseUrl);
    database.pathname = `/${name}`;
    return { database: database.href, redis: this.redisUrl };
  }

  /** Stop both and remove their data. */
  async close(): Promise<void> {
    // Whoever leaves last stops the processes that it knows; a program under test may have started others since.
    await this.restart();
    for (const services of this.#joined) await services.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async #postgresPid(): Promise<number> {
    return Number((await readFile(join(this.dataDir, "postgres/postmaster.pid"), "utf8")).split("\n", 1)[0]);
  }

  async #redisPid(): Promise<number> {
    return Number.parseInt(await readFile(join(this.dataDir, "redis/redis.pid"), "utf8"), 10);
  }
}
