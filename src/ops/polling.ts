/** Something that is read again and again in the background, and whose silence is told once, not each time. */
import type { Logger } from "./log.ts";
import { sleep, unlessAborted } from "./retry.ts";

export interface PollingSettings {
  /** Pause between two reads, ms. */
  readonly every_ms: number;
  readonly read: () => Promise<void>;
  readonly log: Logger;
  /** What the log says when it can no longer be read. */
  readonly away: string;
  /** What it says when it can be read again. */
  readonly back: string;
}

export class Polling {
  #isAway = false;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly settings: PollingSettings) {}

  /** Fires when it is stopped. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** The first read comes after the first pause. */
  start(): void {
    this.#running = this.#run();
  }

  /** A read that is on its way is not waited for. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { every_ms, read } = this.settings;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await sleep(every_ms, signal);
      if (signal.aborted) return;
      const look = read().then(
        () => this.#note(false),
        (error: unknown) => this.#note(true, error),
      );
      await unlessAborted(look, signal);
    }
  }

  #note(isAway: boolean, err?: unknown): void {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    const { log, away, back } = this.settings;
    if (isAway) log.warn({ err }, away);
    else log.info(back);
  }
}
