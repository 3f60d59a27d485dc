/**
 * What worker processes say of themselves: a hash each that expires when its process falls silent, and an index of
 * their names, since a cluster has no list of keys. The two are in different slots and may differ for a moment.
 */
import { reaching } from "./connection.ts";
import { WORKERS_KEY, workerKey } from "./keys.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** One ingest thread. */
export interface ThreadBeat {
  readonly name: string;
  readonly state: string;
  /** Since its last sign of life when the process wrote, ms. */
  readonly silent_ms: number;
  readonly restarts: number;
  readonly in_hand: number;
}

/** Readings since the process began. */
export interface ReadingCounts {
  readonly inserted: number;
  /** Inserted, duplicate and quarantined. */
  readonly judged: number;
  readonly quarantined: number;
}

export interface ProcessBeat {
  /** Unique for each life of a process. */
  readonly process: string;
  readonly threads: readonly ThreadBeat[];
  readonly counts: ReadingCounts;
}

/** Silence after which a process is taken for gone, ms; several beats. */
const LIFE_MS = 15_000;
/** Names of processes that ended without a word leave the index after this; longer than clocks differ, ms. */
const INDEX_LIFE_MS = 3_600_000;

export class WorkerBoard {
  constructor(private readonly redis: ScriptedRedis) {}

  /** @throws {StreamUnavailableError} */
  async write({ process, threads, counts }: ProcessBeat, now_ms: number): Promise<void> {
    const key = workerKey(process);
    const fields = { threads: JSON.stringify(threads), counts: JSON.stringify(counts) };
    await reaching(this.redis.multi().hset(key, fields).pexpire(key, LIFE_MS).exec());
    await reaching(this.redis.zadd(WORKERS_KEY, now_ms, process));
    await reaching(this.redis.zremrangebyscore(WORKERS_KEY, 0, now_ms - INDEX_LIFE_MS));
  }

  /** A process that ends in an orderly way is not shown any more. @throws {StreamUnavailableError} */
  async forget(process: string): Promise<void> {
    await reaching(this.redis.del(workerKey(process)));
    await reaching(this.redis.zrem(WORKERS_KEY, process));
  }

  /** Processes with a sign of life, by name; and how old it is, ms, by Redis' own clock. @throws {StreamUnavailableError} */
  async all(): Promise<(ProcessBeat & { readonly age_ms: number })[]> {
    const names = await reaching(this.redis.zrange(WORKERS_KEY, "0", "-1"));
    const found = await Promise.all(names.map((name) => this.#one(name)));
    return found.filter((beat) => beat !== null).sort((a, b) => (a.process < b.process ? -1 : 1));
  }

  async #one(process: string): Promise<(ProcessBeat & { readonly age_ms: number }) | null> {
    const key = workerKey(process);
    const [fields, left_ms] = await Promise.all([
      reaching(this.redis.hgetall(key)),
      reaching(this.redis.pttl(key)),
    ]);
    if (!fields.threads || !fields.counts) return null;
    return {
      process,
      threads: JSON.parse(fields.threads) as ThreadBeat[],
      counts: JSON.parse(fields.counts) as ReadingCounts,
      age_ms: Math.max(0, LIFE_MS - left_ms),
    };
  }
}
