/** Bounded concurrency: at most `limit` pieces of work at a time, and none is forgotten. */

export class Lanes {
  #busy = 0;
  #waiting: (() => void)[] = [];
  #failed = false;
  #failure: unknown;
  readonly #idle: (() => void)[] = [];

  constructor(readonly limit: number) {}

  /** Work under way or waiting for a lane. */
  get open(): number {
    return this.#busy + this.#waiting.length;
  }

  /** Starts the work as soon as a lane is free; resolves when it has started. First come, first served. */
  async start(work: () => Promise<void>): Promise<void> {
    if (this.#busy === this.limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#busy += 1;
    work()
      .catch((error: unknown) => {
        if (!this.#failed) this.#failure = error;
        this.#failed = true;
      })
      .finally(() => this.#release());
  }

  /**
   * Resolves when nothing is under way.
   * @throws the first error that any work threw
   */
  async idle(): Promise<void> {
    if (this.open > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    if (this.#failed) throw this.#failure;
  }

  /** The lane goes to who waited longest; it is never free in between, so nobody overtakes. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next) {
      next();
      return;
    }
    this.#busy -= 1;
    if (this.#busy === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
