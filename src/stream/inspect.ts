/** What verify asks of each Redis server beside the backlog. Nothing is written. */
import { Cluster, type Redis } from "ioredis";
import { serverOf, writableServers } from "./cluster.ts";
import { reaching } from "./connection.ts";
import { type Durability, keepingOf } from "./durability.ts";
import { fieldsOfInfo } from "./info.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** One server that takes writes. */
export interface ServerFacts {
  /** Host and port as the cluster knows it; null of a single server. */
  readonly address: string | null;
  readonly version: string;
  /** The append-only file is on: what was accepted survives a restart. */
  readonly append_only: boolean;
  /** By its own settings. */
  readonly durability: Durability;
  /** What Redis does when its memory is full; anything but noeviction may drop accepted batches. */
  readonly eviction: string;
  readonly used_bytes: number;
  /** 0: no limit. */
  readonly max_bytes: number;
  /** Redis' clock less ours, ms. */
  readonly clock_offset_ms: number;
  /** Replicas that follow it at the moment. */
  readonly replicas: number;
  /** Partitions of the stream that it holds. */
  readonly partitions: readonly number[];
}

/** The server, or each master of a cluster, in the order of their addresses. @throws {StreamUnavailableError} */
export async function inspectRedis(
  redis: ScriptedRedis,
  partitions: number,
  now_ms: () => number,
): Promise<ServerFacts[]> {
  const all = Array.from({ length: partitions }, (_, p) => p);
  const facts = writableServers(redis).map(async (server) => {
    if (!(redis instanceof Cluster))
      return { address: null, partitions: all, ...(await askServer(server, now_ms)) };
    const address = `${server.options.host}:${server.options.port}`;
    const held = all.filter((p) => serverOf(redis, p) === address);
    return { address, partitions: held, ...(await askServer(server, now_ms)) };
  });
  return (await Promise.all(facts)).sort((a, b) => ((a.address ?? "") < (b.address ?? "") ? -1 : 1));
}

/** Fields of INFO and the answer of TIME (Redis documentation). */
async function askServer(redis: Redis, now_ms: () => number) {
  const info = await reaching(redis.info());
  const field = fieldsOfInfo(info);
  const sent_ms = now_ms();
  const [seconds, micros] = (await reaching(redis.time())).map(Number);
  const middle_ms = (sent_ms + now_ms()) / 2;
  return {
    version: field("valkey_version") ?? field("redis_version") ?? "unknown",
    append_only: field("aof_enabled") === "1",
    ...(await keepingOf(redis)),
    used_bytes: Number(field("used_memory") ?? 0),
    max_bytes: Number(field("maxmemory") ?? 0),
    clock_offset_ms: seconds! * 1000 + micros! / 1000 - middle_ms,
    replicas: info.match(/^slave\d+:.*state=online/gm)?.length ?? 0,
  };
}
