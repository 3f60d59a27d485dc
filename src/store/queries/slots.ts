/**
 * A bounded number of queries at once, and a bounded line of those that wait. Beyond it a query is refused at once:
 * slow queries must cost their own callers, not log-in and health, which have another pool.
 */
import { QueryAbortedError, QueryBusyError } from "./query-errors.ts";

export interface SlotSettings {
  /** Queries at once. */
  readonly slots: number;
  /** Queries that may wait for a slot. */
  readonly line: number;
  /** Longest wait, ms. */
  readonly wait_ms: number;
}

interface Waiter {
  readonly admit: () => void;
}

export class QuerySlots {
  #taken = 0;
  readonly #line = new Set<Waiter>();

  constructor(private readonly settings: SlotSettings) {}

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Wait for a slot, first come first served.
   * @param wait_ms longest wait instead of the usual one
   * @returns gives the slot back; to be called once
   * @throws {QueryBusyError} when the line is full or the wait too long @throws {QueryAbortedError}
   */
  async take(signal?: AbortSignal, wait_ms = this.settings.wait_ms): Promise<() => void> {
    if (signal?.aborted) throw new QueryAbortedError();
    if (this.#taken < this.settings.slots) this.#taken += 1;
    else if (this.#line.size >= this.settings.line) throw new QueryBusyError("the line for a slot is full");
    else await this.#queue(signal, wait_ms);
    let held = true;
    return () => {
      if (held) this.#giveBack();
      held = false;
    };
  }

  /** A slot that is given back goes to the first in the line without becoming free in between. */
  #giveBack(): void {
    const [first] = this.#line;
    if (!first) this.#taken -= 1;
    else first.admit();
  }

  #queue(signal: AbortSignal | undefined, wait_ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#line.delete(waiter);
      };
      const waiter: Waiter = {
        admit: () => {
          leave();
          resolve();
        },
      };
      const abort = () => {
        leave();
        reject(new QueryAbortedError());
      };
      const timer = setTimeout(() => {
        leave();
        reject(new QueryBusyError(`no slot within ${wait_ms} ms`));
      }, wait_ms);
      signal?.addEventListener("abort", abort, { once: true });
      this.#line.add(waiter);
    });
  }
}
