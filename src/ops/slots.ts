/**
 * A few at once, and a bounded line of those that wait for their turn, first come, first served. For work whose memory
 * or processor time would otherwise be as large as the number of requests makes it.
 */

/** The line is full already, or this one waited too long. */
export class SlotsBusyError extends Error {
  override readonly name = "SlotsBusyError";
}

export interface SlotsSettings {
  /** For the error: "password checks". */
  readonly what: string;
  /** Pieces of work at once. */
  readonly slots: number;
  /** Those that may wait. */
  readonly line: number;
  /** Longest wait, ms. */
  readonly wait_ms: number;
}

export class Slots {
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(private readonly settings: SlotsSettings) {}

  /** Do the work when it is its turn. @throws {SlotsBusyError}, and what the work throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** A slot that is freed goes straight to the first who waits, so `#taken` stays as it is in between. */
  async #enter(): Promise<void> {
    const { what, slots, line, wait_ms } = this.settings;
    if (this.#taken < slots) {
      this.#taken += 1;
      return;
    }
    const busy = () => new SlotsBusyError(`too many ${what} at once`);
    if (this.#waiting.length >= line) throw busy();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(busy());
      }, wait_ms);
      const turn = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.push(turn);
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken -= 1;
  }
}
