/** Redis and PostgreSQL of the run's own, each a process under a supervisor, on ports that stay. */
import { readdirSync } from "node:fs";
import { Redis } from "ioredis";
import postgres from "postgres";
import type { PostgresSpec } from "../../src/services/postgres-cluster.ts";
import { postgresUrl, startPostgres } from "../../src/services/postgres-instance.ts";
import { type RedisSpec, redisUrl, startRedis } from "../../src/services/redis-instance.ts";
import { statOf } from "../bench/cpu.ts";
import type { Life } from "./supervised.ts";

const CONNECT_S = 3;
const COMMAND_MS = 5_000;
/** The append-only file is written anew with so many bytes, so that a small disk is enough. */
const AOF_REWRITE = "24mb";

export class RedisServer implements Life {
  readonly url: string;
  /** Straight to the server; commands fail at once while it is away. */
  readonly redis: Redis;
  /** How often the append-only file had been written anew when its disk was full; null: it need not be again. */
  #rewrites: number | null = null;

  constructor(
    private readonly spec: RedisSpec,
    private readonly port: number,
  ) {
    this.url = redisUrl(port, spec.secret);
    this.redis = new Redis(this.url, {
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_MS,
      retryStrategy: () => 50,
    });
    this.redis.on("error", () => undefined); // the command that fails says so
  }

  async launch() {
    const { pid } = await startRedis(this.spec, this.port);
    // It has read its file.
    this.#rewrites = null;
    return { pid };
  }

  /** Its append-only file could not be written: from now on the service has to see to it that it is written anew. */
  async hurt(): Promise<void> {
    this.#rewrites = await this.#rewritten();
  }

  /** Whether the file has been written anew since, if it had to be. */
  async isMended(): Promise<boolean> {
    if (this.#rewrites === null) return true;
    if ((await this.#rewritten()) <= this.#rewrites) return false;
    this.#rewrites = null;
    return true;
  }

  async #rewritten(): Promise<number> {
    return Number(/^aof_rewrites:(\d+)/m.exec(await this.redis.info("persistence"))?.[1]);
  }

  async isReady(): Promise<boolean> {
    try {
      await this.redis.config("SET", "auto-aof-rewrite-min-size", AOF_REWRITE);
      return true;
    } catch {
      return false; // not there, or silent
    }
  }

  close(): void {
    this.redis.disconnect();
  }
}

export class PostgresServer implements Life {
  readonly url: string;
  /** Straight to the server. */
  readonly sql: postgres.Sql;

  constructor(
    private readonly spec: PostgresSpec,
    private readonly port: number,
  ) {
    this.url = postgresUrl(port, spec.secret);
    this.sql = postgres(this.url, {
      max: 2,
      connect_timeout: CONNECT_S,
      onnotice: () => undefined,
      connection: { application_name: "faults" },
    });
  }

  async launch() {
    const { pid } = await startPostgres(this.spec, this.port);
    return { pid };
  }

  async isReady(): Promise<boolean> {
    try {
      await this.sql`SELECT 1`;
      return true;
    } catch {
      return false; // not there, or not yet
    }
  }

  async close(): Promise<void> {
    await this.sql.end({ timeout: 1 });
  }
}

/** The process and all its children, grandchildren included. */
export function treeOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? statOf(name) : null;
    if (stat) parents.set(Number(name), stat.ppid);
  }
  const tree = [pid];
  for (let i = 0; i < tree.length; i += 1)
    for (const [child, parent] of parents) if (parent === tree[i]) tree.push(child);
  return tree;
}
