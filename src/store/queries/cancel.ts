/** The way in which a statement is ended in the database. */
import type pg from "pg";
import { sleep, withDeadline } from "../../ops/retry.ts";

const ORDER_DEADLINE_MS = 5_000;
const ORDER_AGAIN_MS = 100;

/**
 * Ends the statement of a connection when the signal fires. The order is sent again until the statement has ended:
 * one that arrives before the statement has begun is lost. The connection must not be used again before `settle`,
 * or a late order would end the next statement.
 */
export class Cancel {
  #sending: Promise<boolean> | undefined;
  readonly #settled = new AbortController();
  readonly #begin = () => {
    this.#sending = this.#send();
  };

  constructor(
    private readonly control: pg.Pool,
    private readonly client: pg.PoolClient,
    private readonly signal: AbortSignal | undefined,
  ) {
    signal?.addEventListener("abort", this.#begin, { once: true });
  }

  /** To be called once the statement has ended. False when an order may still be on its way. */
  async settle(): Promise<boolean> {
    this.signal?.removeEventListener("abort", this.#begin);
    this.#settled.abort();
    return (await this.#sending) ?? true;
  }

  /** Without success, the deadline in the database ends the statement. */
  async #send(): Promise<boolean> {
    const { processID } = this.client as pg.PoolClient & { readonly processID: number };
    while (!this.#settled.signal.aborted) {
      const order = this.control.query("SELECT pg_cancel_backend($1)", [processID]);
      try {
        await withDeadline(order, ORDER_DEADLINE_MS, "the cancel of a statement");
      } catch {
        return false;
      }
      await sleep(ORDER_AGAIN_MS, this.#settled.signal);
    }
    return true;
  }
}
