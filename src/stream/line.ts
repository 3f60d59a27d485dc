/** One connection to one server, for commands that hold it up: nothing else may wait behind them. */
import { reaching, StreamUnavailableError } from "./connection.ts";
import type { ScriptedRedis } from "./scripts.ts";

/**
 * Opened when it is needed, and given up at the first fault: a server that was lost, moved or demoted is looked for
 * anew by the next command. A command whose connection ends is rejected and never sent again by itself: whoever waits
 * for it decides.
 */
export class Line {
  #redis: ScriptedRedis | null = null;
  #isClosed = false;

  /** @param open connects; @param lost told when the server is not what it was taken for */
  constructor(
    private readonly open: () => ScriptedRedis,
    private readonly lost: () => void = () => undefined,
  ) {}

  /**
   * @param deadline_ms the connection is given up after it, because a dead path never says so
   * @throws {StreamUnavailableError}
   */
  async run<T>(work: (redis: ScriptedRedis) => Promise<T>, deadline_ms: number): Promise<T> {
    if (this.#isClosed) throw new StreamUnavailableError("Redis: the connection is closed");
    this.#redis ??= this.open();
    const redis = this.#redis;
    const watchdog = setTimeout(() => this.#drop(redis), deadline_ms);
    try {
      return await reaching(work(redis));
    } catch (error) {
      if (error instanceof StreamUnavailableError) this.#drop(redis);
      throw error;
    } finally {
      clearTimeout(watchdog);
    }
  }

  #drop(redis: ScriptedRedis): void {
    redis.disconnect();
    if (this.#redis !== redis) return;
    this.#redis = null;
    this.lost();
  }

  close(): void {
    this.#isClosed = true;
    this.#redis?.disconnect();
    this.#redis = null;
  }
}
