/** Which entries a thread takes next: those that others have left, when it is time to look for them; else new ones. */
import type { StreamEntry } from "../stream/entries.ts";
import type { PipelineDeps } from "./pipeline-deps.ts";

/** Wait for the first new entry, ms; also how long a drain may have to wait for an idle reader. */
const BLOCK_MS = 500;
const CLAIM_COUNT = 16;
/** Looks for what others have left. A process that stops hands over what it still has, and nobody should wait for it, ms. */
const LOOK_EVERY_MS = 1_000;

/** One thread's view of the stream; its consumer group exists. */
export class EntrySource {
  #isBehind = false;
  #looked_ms = Number.NEGATIVE_INFINITY;
  #retired_ms = Number.NEGATIVE_INFINITY;
  #predecessor: string | null;

  constructor(
    private readonly deps: Pick<PipelineDeps, "consumer" | "clock" | "claim_idle_ms" | "predecessor">,
  ) {
    this.#predecessor = deps.predecessor;
  }

  /** More was waiting than the last read took: reading ahead then saves time, else it only makes small groups. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * Waits for new ones for a moment.
   * @param count of new entries at the most
   * @returns also entries in hand, when Redis was away for too long to keep them from being claimed
   * @throws {StreamUnavailableError}
   */
  async next(count: number): Promise<readonly StreamEntry[]> {
    const claimed = await this.#claim();
    if (claimed.length > 0) return claimed;
    const read = await this.deps.consumer.read(count, BLOCK_MS);
    this.#isBehind = read.length >= count;
    return read;
  }

  async #claim(): Promise<readonly StreamEntry[]> {
    const { consumer, clock, claim_idle_ms } = this.deps;
    if (this.#predecessor !== null) {
      const left = await consumer.claimFrom(this.#predecessor, CLAIM_COUNT);
      if (left.length > 0) return left;
      await consumer.retire(this.#predecessor);
      this.#predecessor = null;
    }
    if (clock.monotonic_ms() - this.#looked_ms < Math.min(LOOK_EVERY_MS, claim_idle_ms / 3)) return [];
    const idle = await consumer.claimIdle(claim_idle_ms, CLAIM_COUNT);
    if (idle.length > 0) return idle;
    this.#looked_ms = clock.monotonic_ms();
    if (this.#looked_ms - this.#retired_ms < claim_idle_ms) return [];
    this.#retired_ms = this.#looked_ms;
    await consumer.retireSilent(claim_idle_ms * 20);
    return [];
  }
}
