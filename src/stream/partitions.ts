/**
 * How many partitions the stream has. Producers say how many they use, and everybody else asks: so their number can be
 * raised or lowered by restarting processes in any order, and batches in partitions that only some producers know are
 * found all the same.
 */
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import { Polling } from "../ops/polling.ts";
import { reaching } from "./connection.ts";
import { PARTITIONS_KEY } from "./keys.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** Partitions from 0 on; a function when there may be others later. */
export type PartitionCount = number | (() => number);

/** Their numbers, from 0. */
export function partitionsOf(count: PartitionCount): number[] {
  return Array.from({ length: typeof count === "number" ? count : count() }, (_, partition) => partition);
}

/** Between two looks, ms. */
const EVERY_MS = 2_000;
/** By then every process that is alive has looked, ms. */
export const HEARD_AFTER_MS = 2 * EVERY_MS + 500;

export class PartitionRegister {
  /** By number of partitions: when a producer last said that it uses so many, ms. */
  #used: ReadonlyMap<number, number> = new Map();
  readonly #polling: Polling;

  /**
   * @param own STREAM_PARTITIONS of this process
   * @param announces it is a producer
   */
  constructor(
    private readonly redis: ScriptedRedis,
    private readonly own: number,
    private readonly announces: boolean,
    private readonly clock: Pick<Clock, "now_ms">,
    log: Logger,
  ) {
    this.#polling = new Polling({
      every_ms: EVERY_MS,
      read: () => this.look(),
      log,
      away: "it is not known whether there are other partitions",
      back: "it is known again which partitions there are",
    });
  }

  /** All that exist, or once did. */
  readonly count = (): number => Math.max(this.own, ...this.#used.keys());

  /** Other numbers that producers have used within `age_ms`. */
  others(age_ms: number): number[] {
    const since_ms = this.clock.now_ms() - age_ms;
    return [...this.#used].filter(([n, at_ms]) => n !== this.own && at_ms >= since_ms).map(([n]) => n);
  }

  /** @throws {StreamUnavailableError} */
  async look(): Promise<void> {
    if (this.announces) await reaching(this.redis.zadd(PARTITIONS_KEY, this.clock.now_ms(), this.own));
    const flat = await reaching(this.redis.zrange(PARTITIONS_KEY, "0", "-1", "WITHSCORES"));
    this.#used = new Map(
      Array.from({ length: flat.length / 2 }, (_, i) => [Number(flat[2 * i]), Number(flat[2 * i + 1])]),
    );
  }

  /** True when producers with another number are at work, and cannot know of this one yet. @throws {StreamUnavailableError} */
  async isNews(): Promise<boolean> {
    const score = await reaching(this.redis.zscore(PARTITIONS_KEY, this.own));
    await this.look();
    const isKnown = score !== null && Number(score) >= this.clock.now_ms() - HEARD_AFTER_MS;
    return !isKnown && this.others(HEARD_AFTER_MS).length > 0;
  }

  /** Look now, and from now on. @throws {StreamUnavailableError} */
  async start(): Promise<void> {
    await this.look();
    this.watch();
  }

  /** Look from now on. */
  watch(): void {
    this.#polling.start();
  }

  async stop(): Promise<void> {
    await this.#polling.stop();
  }
}
