/** What verify asks of Redis beside the backlog. Nothing is written. */
import { reaching } from "./connection.ts";
import type { ScriptedRedis } from "./scripts.ts";

export interface RedisFacts {
  readonly version: string;
  /** The append-only file is on: what was accepted survives a restart. */
  readonly append_only: boolean;
  /** What Redis does when its memory is full; anything but noeviction may drop accepted batches. */
  readonly eviction: string;
  readonly used_bytes: number;
  /** 0: no limit. */
  readonly max_bytes: number;
  /** Redis' clock less ours, ms. */
  readonly clock_offset_ms: number;
}

/** Fields of INFO and the answer of TIME (Redis documentation). @throws {StreamUnavailableError} */
export async function inspectRedis(redis: ScriptedRedis, now_ms: () => number): Promise<RedisFacts> {
  const info = await reaching(redis.info());
  const fields = new Map(info.split(/\r?\n/).map((line) => line.split(":", 2) as [string, string]));
  const field = (name: string) => fields.get(name);
  const sent_ms = now_ms();
  const [seconds, micros] = (await reaching(redis.time())).map(Number);
  const middle_ms = (sent_ms + now_ms()) / 2;
  return {
    version: field("valkey_version") ?? field("redis_version") ?? "unknown",
    append_only: field("aof_enabled") === "1",
    eviction: field("maxmemory_policy") ?? "unknown",
    used_bytes: Number(field("used_memory") ?? 0),
    max_bytes: Number(field("maxmemory") ?? 0),
    clock_offset_ms: seconds! * 1000 + micros! / 1000 - middle_ms,
  };
}
