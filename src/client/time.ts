/** Time and chance as dependencies, and waiting. */

/** What the client asks of the world; tests bring their own. */
export interface Surroundings {
  readonly clock: {
    /** Milliseconds since 1970-01-01T00:00:00Z. */
    now_ms(): number;
    /** Milliseconds of a clock that never goes back. */
    monotonic_ms(): number;
  };
  /** 0 up to 1. */
  readonly random: () => number;
  /** Resolves after `ms`, or at once when the signal fires; never rejects. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export const realSurroundings: Surroundings = {
  clock: { now_ms: () => Date.now(), monotonic_ms: () => performance.now() },
  random: Math.random,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, Math.min(ms, LONGEST_TIMER_MS));
      signal?.addEventListener("abort", end, { once: true });
    }),
};

/** A longer timer would fire at once (2^31 - 1 ms, 24 days). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Exponential back-off with full jitter: anything from nothing to the step, which doubles up to its bound. */
export class Backoff {
  #step_ms: number;
  constructor(
    first_ms: number,
    private readonly max_ms: number,
    private readonly random: () => number,
  ) {
    this.#step_ms = Math.min(first_ms, max_ms);
  }

  next_ms(): number {
    const step_ms = this.#step_ms;
    this.#step_ms = Math.min(this.max_ms, step_ms * 2);
    return step_ms * this.random();
  }
}

/** A wait that others can end. A notice given while nobody waits ends the next wait at once. */
export class Wake {
  #noticed = false;
  #end: AbortController | null = null;

  constructor(private readonly sleep: Surroundings["sleep"]) {}

  notify(): void {
    this.#noticed = true;
    this.#end?.abort();
  }

  /** @param ms Infinity waits for a notice alone, without a timer that would keep the process alive */
  async wait(ms: number): Promise<void> {
    if (!this.#noticed && ms > 0) {
      const end = new AbortController();
      this.#end = end;
      if (ms === Number.POSITIVE_INFINITY) {
        await new Promise<void>((resolve) => end.signal.addEventListener("abort", () => resolve()));
      } else await this.sleep(ms, end.signal);
      this.#end = null;
    }
    this.#noticed = false;
  }
}
