/** Steps of the maintenance that a lock keeps from being done: nothing to speak of at first, and told when it lasts. */
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import { DeadlineError } from "../ops/retry.ts";
import { sqlState } from "../store/errors.ts";

/** A lock that is not free now: another refresh of the range runs, or a long query reads what is to be dropped. */
const LOCK_NOT_AVAILABLE = "55P03";
/** As long as a statement of the maintenance may take; told again after as long. */
const TOLD_AFTER_MS = 600_000;

export class LockWaits {
  /** Steps that meet their lock every time, since when or since they were told, ms of the monotonic clock. */
  readonly #since_ms = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /**
   * Do a step.
   * @param what for the log, as "retention"
   * @returns what `work` returns; false when a lock was not free: the next round tries again
   * @throws what `work` throws, a lock that is not free excepted
   */
  async tolerate(what: string, work: () => Promise<boolean>): Promise<boolean> {
    try {
      const isDone = await work();
      this.#since_ms.delete(what);
      return isDone;
    } catch (error) {
      if (error instanceof DeadlineError || sqlState(error) !== LOCK_NOT_AVAILABLE) throw error;
      this.#tell(what, error as Error & { detail?: string });
      return false;
    }
  }

  #tell(what: string, { message, detail }: Error & { detail?: string }): void {
    const now_ms = this.clock.monotonic_ms();
    const since_ms = this.#since_ms.get(what) ?? now_ms;
    const isLong = now_ms - since_ms >= TOLD_AFTER_MS;
    this.#since_ms.set(what, isLong ? now_ms : since_ms);
    if (isLong) this.log.warn({ err: message, detail }, `${what}: a lock has not been free for ten minutes`);
    else this.log.debug({ err: message, detail }, `${what}: a lock is not free, trying again`);
  }
}
