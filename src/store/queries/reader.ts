/**
 * The pool for queries of people: bounded, read-only, each statement with a deadline in the database and ended there
 * when its caller goes away. pg instead of postgres.js, because a statement must hold its connection until a cancel
 * that was sent for it has been dealt with, and a postgres.js transaction whose backend dies throws outside of any
 * promise (docs/decisions/0008-reader-pool.md).
 */
import pg from "pg";
import { DeadlineError, withDeadline } from "../../ops/retry.ts";
import { ConnectionLostError, classify, StoreUnavailableError, sqlState } from "../errors.ts";
import type { DatabaseSettings } from "../pool.ts";
import { withSessionSettings } from "../session-options.ts";
import { pgConnection } from "../tls/driver-options.ts";
import { TYPES } from "./answer-types.ts";
import { Cancel } from "./cancel.ts";
import { QueryAbortedError, QueryTimeoutError } from "./query-errors.ts";
import { QuerySlots } from "./slots.ts";

/** Time that the client waits beyond the server's own deadline, ms. */
const DEADLINE_MARGIN_MS = 5_000;
const CONNECT_DEADLINE_MS = 5_000;
const QUERY_CANCELED = "57014";
/** Queries in line for each that may run. */
const LINE_PER_SLOT = 8;
const SLOT_WAIT_MS = 2_000;
/**
 * Text of timestamps as answer-types.ts and table-text.ts expect it; never a write; a plan for each call, because chunks are
 * left out by the values. Plans read the index in its order (a random page of a solid state disk or of the cache
 * costs little more than the next one: a day of one sensor at 1 Hz 32 ms against 49 with a bitmap and a sort) and use
 * one process, so that the pool's size bounds what queries take from ingest. Beside settings that the URL brings along.
 */
const SESSION = {
  TimeZone: "UTC",
  DateStyle: "ISO",
  default_transaction_read_only: "on",
  plan_cache_mode: "force_custom_plan",
  random_page_cost: "1.1",
  max_parallel_workers_per_gather: "0",
  work_mem: "16MB",
  jit: "off",
} as const;

export interface ReaderSettings {
  readonly url: string;
  /** Connections and queries at once. */
  readonly size: number;
  /** Longest run of one statement, ms. */
  readonly deadline_ms: number;
  readonly onQuery?: DatabaseSettings["onQuery"];
}

/** One statement with `$1`-style parameters. */
export interface Statement {
  /** For metrics and errors; few different ones. */
  readonly label: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface QueryOptions {
  /** Ends the statement in the database when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for a slot, ms. */
  readonly wait_ms?: number;
  /** The answer must not come from a replica, which may lack what was written last. */
  readonly isFresh?: boolean;
  /** Called when a replica has answered, with the time up to which it surely has everything, ms since the epoch. */
  readonly onReplica?: (asOf_ms: number) => void;
}

/** Whoever answers statements. */
export interface RowReader {
  /** Throws what `Reader.rows` throws. */
  rows<R extends object>(statement: Statement, options?: QueryOptions): Promise<R[]>;
}

export class Reader implements RowReader {
  readonly #pool: pg.Pool;
  /** Never full of slow statements: it only ends them. */
  readonly #control: pg.Pool;
  readonly #slots: QuerySlots;

  constructor(private readonly settings: ReaderSettings) {
    const common = { idleTimeoutMillis: 60_000, keepAlive: true };
    this.#pool = new pg.Pool({
      ...common,
      ...pgConnection(withSessionSettings(settings.url, SESSION)),
      max: settings.size,
      connectionTimeoutMillis: CONNECT_DEADLINE_MS,
      application_name: "hydraulic-reader",
      statement_timeout: settings.deadline_ms,
    });
    this.#control = new pg.Pool({
      ...common,
      ...pgConnection(settings.url),
      max: 1,
      connectionTimeoutMillis: CONNECT_DEADLINE_MS,
      application_name: "hydraulic-reader-control",
      statement_timeout: 1_000,
    });
    // An idle connection that ends is replaced by the pool; without a listener it would end the process.
    this.#pool.on("error", () => undefined);
    this.#control.on("error", () => undefined);
    this.#slots = new QuerySlots({
      slots: settings.size,
      line: settings.size * LINE_PER_SLOT,
      wait_ms: SLOT_WAIT_MS,
    });
  }

  /** Statements that run or wait. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.#slots.taken, waiting: this.#slots.waiting };
  }

  /**
   * Run one statement. Timestamps come as RFC 3339 text with all their microseconds.
   * @throws {QueryTimeoutError} @throws {QueryBusyError} @throws {QueryAbortedError}
   * @throws {StoreUnavailableError} when the server cannot be reached or cannot serve now
   */
  async rows<R extends object>(statement: Statement, options: QueryOptions = {}): Promise<R[]> {
    const release = await this.#slots.take(options.signal, options.wait_ms);
    const begin = performance.now();
    let ok = false;
    try {
      const rows = await this.#run<R>(statement, options.signal);
      ok = true;
      return rows;
    } catch (error) {
      throw this.#explained(error, statement.label, options.signal);
    } finally {
      release();
      this.settings.onQuery?.(statement.label, performance.now() - begin, ok);
    }
  }

  /** Ends the pools; statements in flight get `grace_ms`, then their connections are left to the process's end. */
  async close(grace_ms = 5_000): Promise<void> {
    const ended = Promise.all([this.#pool.end(), this.#control.end()]);
    await withDeadline(ended, grace_ms, "end of the query pool").catch((error: unknown) => {
      if (!(error instanceof DeadlineError)) throw error;
    });
  }

  async #run<R extends object>(statement: Statement, signal: AbortSignal | undefined): Promise<R[]> {
    const client = await this.#connect();
    let lost: Error | undefined;
    const onError = (error: Error) => {
      lost = error;
    };
    client.on("error", onError);
    const cancel = new Cancel(this.#control, client, signal);
    let fault: unknown;
    try {
      if (signal?.aborted) throw new QueryAbortedError();
      const answer = client.query<R>({
        name: Bun.hash(statement.text).toString(36),
        text: statement.text,
        values: [...statement.values],
        types: TYPES,
      });
      const deadline_ms = this.settings.deadline_ms + DEADLINE_MARGIN_MS;
      return (await withDeadline(answer, deadline_ms, statement.label)).rows;
    } catch (error) {
      fault = lost ? new ConnectionLostError(lost.message, { cause: error }) : error;
      throw fault;
    } finally {
      const clean = await cancel.settle();
      client.off("error", onError);
      // A statement that was ended leaves its connection usable; after anything else it may be at its own end.
      client.release(!clean || (fault !== undefined && sqlState(fault) !== QUERY_CANCELED));
    }
  }

  /** @throws {StoreUnavailableError} whatever kept the pool from connecting; the server's own refusals as they are */
  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      if (sqlState(error) !== undefined) throw error;
      throw new StoreUnavailableError((error as Error).message, { cause: error });
    }
  }

  #explained(error: unknown, label: string, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return new QueryAbortedError();
    if (sqlState(error) === QUERY_CANCELED) {
      return new QueryTimeoutError(label, this.settings.deadline_ms, error);
    }
    if (classify(error) !== "unavailable") return error;
    return new StoreUnavailableError(`PostgreSQL (${label}): ${(error as Error).message}`, { cause: error });
  }
}
