/** The pool for ordinary queries (postgres.js). Every statement goes through `run`, which names, times and classifies it. */
import postgres from "postgres";
import { DeadlineError, withDeadline } from "../ops/retry.ts";
import { classify, StoreUnavailableError } from "./errors.ts";

export { StoreUnavailableError } from "./errors.ts";

export type Sql = postgres.Sql<{ bigint: bigint }>;

export interface DatabaseSettings {
  readonly url: string;
  /** Connections at most. */
  readonly size: number;
  /** Longest wait for one query, ms. */
  readonly query_deadline_ms: number;
  /** Called after each query with its label and duration. */
  readonly onQuery?: (label: string, duration_ms: number, ok: boolean) => void;
}

function openPool(settings: DatabaseSettings): Sql {
  return postgres(settings.url, {
    max: settings.size,
    connect_timeout: 5,
    idle_timeout: 60,
    onnotice: () => undefined,
    connection: {
      application_name: "hydraulic-ingest",
      TimeZone: "UTC",
      statement_timeout: settings.query_deadline_ms,
    },
  }) as unknown as Sql;
}

export class Database {
  #sql: Sql;

  constructor(private readonly settings: DatabaseSettings) {
    this.#sql = openPool(settings);
  }

  /** For sessions of one's own beside the pool. */
  get url(): string {
    return this.settings.url;
  }

  /** The pool of this moment; ask for it anew for each query. */
  get sql(): Sql {
    return this.#sql;
  }

  /**
   * Run one labelled query.
   * @param deadline_ms longest wait, with a margin over the server's own statement_timeout
   * @throws {StoreUnavailableError} when the server cannot be reached or cannot serve now
   */
  async run<T>(
    label: string,
    work: (sql: Sql) => Promise<T>,
    deadline_ms = this.settings.query_deadline_ms + 5_000,
  ): Promise<T> {
    const begin = performance.now();
    const sql = this.#sql;
    let ok = false;
    try {
      const result = await withDeadline(Promise.resolve(work(sql)), deadline_ms, label);
      ok = true;
      return result;
    } catch (error) {
      if (error instanceof DeadlineError) this.#renew(sql);
      if (classify(error) !== "unavailable") throw error;
      throw new StoreUnavailableError(`PostgreSQL (${label}): ${(error as Error).message}`, { cause: error });
    } finally {
      this.settings.onQuery?.(label, performance.now() - begin, ok);
    }
  }

  /** @throws {StoreUnavailableError} */
  async ping(): Promise<void> {
    await this.run("ping", (sql) => sql`SELECT 1`);
  }

  /** Ends the pool; queries in flight get `grace_s` seconds. */
  async close(grace_s = 5): Promise<void> {
    await this.#sql.end({ timeout: grace_s });
  }

  /**
   * A server that does not even answer that its statement_timeout has passed is behind a dead path. postgres.js
   * would keep queueing queries on those connections until TCP gives up, so they are dropped, with all that waits.
   */
  #renew(silent: Sql): void {
    if (this.#sql !== silent) return;
    this.#sql = openPool(this.settings);
    // Queries on the old pool are rejected by this; the pool itself has nothing left to say.
    silent.end({ timeout: 0 }).catch(() => undefined);
  }
}
