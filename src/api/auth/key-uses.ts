/** When keys were last used: noted in memory, written in bulk some seconds later, never by a request. */
import type { Clock } from "../../ops/clock.ts";
import type { Logger } from "../../ops/log.ts";
import { sleep } from "../../ops/retry.ts";
import type { AccessStore } from "../../store/access.ts";

const EVERY_MS = 5_000;

export class KeyUses {
  /** Ms since the epoch by id of the key; at most one for each key that is known. */
  #uses = new Map<string, number>();
  readonly #closing = new AbortController();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly store: Pick<AccessStore, "noteUses">,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly every_ms = EVERY_MS,
  ) {}

  note(key_id: string): void {
    this.#uses.set(key_id, this.clock.now_ms());
  }

  start(): void {
    this.#writing = this.#run();
  }

  /** Writes what is left, as far as the database answers. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await sleep(this.every_ms, this.#closing.signal);
      await this.#write();
    }
  }

  /** What cannot be written now is kept for the next time. */
  async #write(): Promise<void> {
    if (this.#uses.size === 0) return;
    const uses = this.#uses;
    this.#uses = new Map();
    try {
      await this.store.noteUses(uses);
    } catch (err) {
      this.log.debug({ err }, "the last use of keys is written later");
      this.#uses = new Map([...uses, ...this.#uses]);
    }
  }
}
