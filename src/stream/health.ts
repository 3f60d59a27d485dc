/** How full the stream is and whether Redis takes writes. */
import { Cluster } from "ioredis";
import { keyOfEachServer, writableServers } from "./cluster.ts";
import { reaching, replyCode, StreamUnavailableError } from "./connection.ts";
import { acceptedKey, backlogKey, deadKey, INGEST_GROUP, streamKey, WAITING_CONSUMER } from "./keys.ts";
import { type PartitionCount, partitionsOf } from "./partitions.ts";
import type { StreamBounds } from "./producer.ts";
import type { ScriptedRedis } from "./scripts.ts";
import { SLOTS } from "./slots.ts";

export interface StreamState {
  /** A write was just accepted. */
  readonly writable: boolean;
  /** Batches accepted and not finished. */
  readonly entries: number;
  /** Bytes of their bodies. */
  readonly bytes: number;
  /** Of these, batches in work. */
  readonly pending: number;
  /** Of those in work, batches that wait for a worker of a newer program. */
  readonly too_new: number;
  readonly dead_letters: number;
  /** Of the fullest partition: entries or bytes as a share of their bound, whichever is nearer to it. */
  readonly fill: number;
  /** Any partition has reached a bound. */
  readonly full: boolean;
}

export class StreamHealth {
  constructor(
    private readonly redis: ScriptedRedis,
    private readonly bounds: StreamBounds,
    /** Of all producers, when that may be more than this one uses. */
    private readonly partitions: PartitionCount = bounds.partitions,
  ) {}

  /**
   * Whether each server takes a write, and the state of the stream.
   * @throws {StreamUnavailableError} when one is away or refuses, or when slots of a cluster are served by nobody
   */
  async probe(): Promise<StreamState> {
    const [state] = await Promise.all([this.look(), this.#write(), this.#cover()]);
    return { writable: true, ...state };
  }

  async #write(): Promise<void> {
    const keys = keyOfEachServer(this.redis, "health:write");
    await Promise.all(keys.map((key) => reaching(this.redis.set(key, "1", "PX", 10_000))));
  }

  /** Each master says what it knows: one that is cut off from the others knows that, too. */
  async #cover(): Promise<void> {
    if (!(this.redis instanceof Cluster)) return;
    const told = writableServers(this.redis).map((server) => reaching(server.cluster("INFO")));
    for (const info of await Promise.all(told)) {
      const served = Number(/^cluster_slots_ok:(\d+)/m.exec(String(info))?.[1]);
      if (served < SLOTS)
        throw new StreamUnavailableError(`Redis Cluster: ${SLOTS - served} hash slots are served by nobody`);
    }
  }

  /** The same without trying a write. @throws {StreamUnavailableError} */
  async look(): Promise<Omit<StreamState, "writable">> {
    const partitions = partitionsOf(this.partitions);
    const states = await Promise.all(partitions.map((p) => this.#partition(p)));
    const sum = (pick: (s: (typeof states)[number]) => number) => states.reduce((n, s) => n + pick(s), 0);
    const { max_entries, max_bytes } = this.bounds;
    const fill = Math.max(...states.map((s) => Math.max(s.entries / max_entries, s.bytes / max_bytes)));
    return {
      entries: sum((s) => s.entries),
      bytes: sum((s) => s.bytes),
      pending: sum((s) => s.pending),
      too_new: sum((s) => s.too_new),
      dead_letters: sum((s) => s.dead),
      fill,
      full: fill >= 1,
    };
  }

  /** Readings accepted since Redis was empty: a counter to take differences of. @throws {StreamUnavailableError} */
  async accepted(): Promise<number> {
    const partitions = partitionsOf(this.partitions);
    const counts = await Promise.all(partitions.map((p) => reaching(this.redis.get(acceptedKey(p)))));
    return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
  }

  async #partition(p: number) {
    const [entries, bytes, held, dead] = await Promise.all([
      reaching(this.redis.xlen(streamKey(p))),
      reaching(this.redis.get(backlogKey(p))),
      this.#pending(p),
      reaching(this.redis.xlen(deadKey(p))),
    ]);
    return { entries, bytes: entries === 0 ? 0 : Number(bytes ?? 0), ...held, dead };
  }

  /** XPENDING in its short form; before the first worker came there is no group and nothing is pending. */
  async #pending(p: number): Promise<{ pending: number; too_new: number }> {
    try {
      const summary = await reaching(this.redis.xpending(streamKey(p), INGEST_GROUP));
      const [pending, , , consumers] = summary as [number, unknown, unknown, [string, string][] | null];
      const waiting = (consumers ?? []).filter(([name]) => name.startsWith(WAITING_CONSUMER));
      return { pending: Number(pending), too_new: waiting.reduce((n, [, count]) => n + Number(count), 0) };
    } catch (error) {
      if (replyCode(error) === "NOGROUP") return { pending: 0, too_new: 0 };
      throw error;
    }
  }
}
