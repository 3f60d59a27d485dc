/** What requests leave behind: noted in memory, written in bulk some seconds later, never by a request. */
import type { Logger } from "../../ops/log.ts";
import { sleep } from "../../ops/retry.ts";

const EVERY_MS = 5_000;
/** Notes that wait at most; more are dropped, oldest first, and are noted again by the next request. */
const MAX_NOTES = 10_000;

export interface NotesSettings<V> {
  /** For the log. */
  readonly what: string;
  readonly write: (notes: ReadonlyMap<string, V>) => Promise<void>;
  readonly log: Logger;
  readonly every_ms?: number | undefined;
}

export class BulkNotes<V> {
  /** The newest note of each id. */
  #notes = new Map<string, V>();
  readonly #closing = new AbortController();
  #writing: Promise<void> = Promise.resolve();

  constructor(private readonly settings: NotesSettings<V>) {}

  /** Takes the place of an older note about the same id; beyond the bound the oldest one goes. */
  note(id: string, value: V): void {
    if (this.#notes.size >= MAX_NOTES && !this.#notes.has(id)) {
      const oldest = this.#notes.keys().next();
      if (!oldest.done) this.#notes.delete(oldest.value);
    }
    this.#notes.set(id, value);
  }

  start(): void {
    this.#writing = this.#run();
  }

  /** Writes what is left, as far as the database answers. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#writing;
  }

  /** Write now. What cannot be written is kept for the next time. Throws what `write` throws. */
  async flush(): Promise<void> {
    if (this.#notes.size === 0) return;
    const notes = this.#notes;
    this.#notes = new Map();
    try {
      await this.settings.write(notes);
    } catch (error) {
      this.#notes = new Map([...notes, ...this.#notes]);
      throw error;
    }
  }

  async #run(): Promise<void> {
    const { what, log, every_ms = EVERY_MS } = this.settings;
    while (!this.#closing.signal.aborted) {
      await sleep(every_ms, this.#closing.signal);
      await this.flush().catch((err: unknown) => log.warn({ err }, `${what}: written later`));
    }
  }
}
