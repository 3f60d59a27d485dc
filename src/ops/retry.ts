/** Waiting: deadlines, back-off with jitter, and sleeps that an AbortSignal ends. */

/** A wait ran into its deadline. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
  constructor(what: string, deadline_ms: number) {
    super(`${what} did not finish within ${deadline_ms} ms`);
  }
}

/** Resolves after `ms`, or at once when the signal fires; never rejects. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}

/**
 * The promise's outcome, or a DeadlineError. The work itself goes on: the caller ends it (closes the socket).
 * @throws {DeadlineError}
 */
export function withDeadline<T>(work: Promise<T>, deadline_ms: number, what: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DeadlineError(what, deadline_ms)), deadline_ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The work's outcome, or undefined as soon as the signal fires; the work itself goes on, its outcome unheard. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const leave = () => resolve(undefined);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}

/** A signal made of others. */
export interface JoinedSignal {
  readonly signal: AbortSignal;
  /** It fired because its time was over. */
  readonly isLate: boolean;
  /** Unties it from the others. */
  release(): void;
}

/**
 * Fires with the first of `signals`, and after `longest_ms`. By hand, because AbortSignal.any and AbortSignal.timeout
 * cannot be untied: each request would leave something behind at a signal that lives as long as the process.
 */
export function joinSignals(signals: readonly AbortSignal[], longest_ms: number): JoinedSignal {
  const joined = new AbortController();
  let isLate = false;
  const fire = () => joined.abort();
  const timer = setTimeout(() => {
    isLate = true;
    fire();
  }, longest_ms);
  for (const signal of signals) signal.addEventListener("abort", fire, { once: true });
  if (signals.some(({ aborted }) => aborted)) fire();
  return {
    signal: joined.signal,
    get isLate() {
      return isLate;
    },
    release() {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", fire);
    },
  };
}

/** Exponential back-off with full jitter between half of the step and the step. */
export class Backoff {
  #attempt = 0;
  constructor(
    readonly first_ms: number,
    readonly max_ms: number,
    private readonly random: () => number = Math.random,
  ) {}

  /** The next delay in ms; doubles up to `max_ms`. */
  next_ms(): number {
    const step = Math.min(this.max_ms, this.first_ms * 2 ** this.#attempt);
    if (step < this.max_ms) this.#attempt += 1;
    return step * (0.5 + this.random() / 2);
  }

  reset(): void {
    this.#attempt = 0;
  }
}
