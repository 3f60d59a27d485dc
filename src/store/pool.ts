/** The pool for ordinary queries (postgres.js). Every statement goes through `run`, which names, times and classifies it. */
import postgres from "postgres";
import { withDeadline } from "../ops/retry.ts";
import { ConnectionLostError, classify, isReadOnly, StoreUnavailableError, sqlState } from "./errors.ts";
import type { PoolSockets } from "./pool-sockets.ts";
import { postgresConnection } from "./tls/driver-options.ts";

export { StoreUnavailableError } from "./errors.ts";

export type Sql = postgres.Sql<{ bigint: bigint }>;
/** A part of a statement. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>;

export interface DatabaseSettings {
  readonly url: string;
  /** Connections at most. */
  readonly size: number;
  /** Longest wait for one query, ms. */
  readonly query_deadline_ms: number;
  /** Called after each query with its label and duration. */
  readonly onQuery?: (label: string, duration_ms: number, ok: boolean) => void;
}

/** Array types that our statements pass: text, int4, float8 and uuid arrays (pg_type.dat of PostgreSQL's source). */
const ARRAY_TYPES = { text: 1009, int4: 1007, float8: 1022, uuid: 2951 } as const;

/** A list of UUIDs as a parameter; null stays null. */
export const uuids = (sql: Sql, ids: readonly string[] | null) =>
  ids === null ? null : sql.array([...ids], ARRAY_TYPES.uuid);

/** An array as PostgreSQL reads it (PostgreSQL documentation, section 8.15.2): every element quoted, but NULL. */
function arrayLiteral(values: readonly unknown[]): string {
  const quoted = values.map((v) => (v === null ? "NULL" : `"${String(v).replace(/["\\]/g, "\\$&")}"`));
  return `{${quoted.join(",")}}`;
}

/** Moments: text as it is, with its microseconds; postgres.js itself would make a Date of it, which has none. */
const MOMENT = {
  to: 1184,
  from: [1082, 1114, 1184],
  serialize: (at: unknown) => (at instanceof Date ? at.toISOString() : String(at)),
  parse: (text: string) => new Date(text),
};

const arrayTypes = Object.fromEntries(
  Object.entries(ARRAY_TYPES).map(([name, oid]) => [
    name,
    { to: oid, from: [], serialize: arrayLiteral, parse: (text: string) => text },
  ]),
);

/**
 * fetch_types is off: postgres.js asks for them on each new connection, and when that one is cut in the meantime,
 * a rejection that nobody can catch ends the program (porsager/postgres issue 1192).
 */
function openPool(settings: DatabaseSettings, onLost: (generation: Generation) => void): Generation {
  const { url, options, sockets } = postgresConnection(settings.url, () => onLost(generation));
  const sql = postgres(url, {
    ...options,
    max: settings.size,
    connect_timeout: 5,
    // A connection ends when it is lost or with its pool: so every other end is a loss.
    idle_timeout: 0,
    max_lifetime: 0,
    fetch_types: false,
    types: { ...arrayTypes, date: MOMENT },
    onnotice: () => undefined,
    connection: {
      application_name: "hydraulic-ingest",
      TimeZone: "UTC",
      statement_timeout: settings.query_deadline_ms,
    },
  } as postgres.Options<Record<string, postgres.PostgresType>>) as unknown as Sql;
  const generation: Generation = { sql, sockets, waiting: new Set() };
  return generation;
}

/** For what a pool that is left still reads, s. */
const RETIREMENT_S = 5;

/** A pool and what waits for its answers. */
interface Generation {
  readonly sql: Sql;
  readonly sockets: PoolSockets;
  readonly waiting: Set<(error: ConnectionLostError) => void>;
}

export class Database {
  #now: Generation;

  constructor(private readonly settings: DatabaseSettings) {
    this.#now = this.#open();
  }

  /** For sessions of one's own beside the pool. */
  get url(): string {
    return this.settings.url;
  }

  /** The pool of this moment; ask for it anew for each query. */
  get sql(): Sql {
    return this.#now.sql;
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
    const generation = this.#now;
    let ok = false;
    try {
      const answer = answerOf(generation, work);
      const result = await withDeadline(answer, deadline_ms, label);
      ok = true;
      return result;
    } catch (error) {
      if (classify(error) !== "unavailable") throw error;
      if (sqlState(error) === undefined) this.#renew(generation);
      else if (isReadOnly(error)) this.#retire(generation);
      throw new StoreUnavailableError(`PostgreSQL (${label}): ${(error as Error).message}`, { cause: error });
    } finally {
      this.settings.onQuery?.(label, performance.now() - begin, ok);
    }
  }

  /** Whether the server takes writes. @throws {StoreUnavailableError} also when it is a standby, or set to read only */
  async ping(): Promise<void> {
    const [row] = await this.run(
      "ping",
      (sql) =>
        sql<{ refuses: boolean }[]>`SELECT current_setting('transaction_read_only')::boolean AS refuses`,
    );
    if (!row?.refuses) return;
    this.#retire(this.#now);
    throw new StoreUnavailableError("PostgreSQL takes no writes: it is a standby, or read only");
  }

  /** Ends the pool; queries in flight get `grace_s` seconds. */
  async close(grace_s = 5): Promise<void> {
    const { sql, sockets } = this.#now;
    await sql.end({ timeout: grace_s });
    sockets.destroy();
  }

  #open(): Generation {
    return openPool(this.settings, (generation) => {
      if (generation.waiting.size > 0) this.#renew(generation);
    });
  }

  /** Leave a pool whose server takes no writes; what it reads just now may end. */
  #retire(old: Generation): void {
    if (this.#now !== old) return;
    this.#now = this.#open();
    const ended = old.sql.end({ timeout: RETIREMENT_S }).catch(() => undefined);
    ended.finally(() => old.sockets.destroy());
  }

  /**
   * Leave a pool that lost a connection, or whose server does not even answer that its statement_timeout has passed.
   * postgres.js 3.4.9 cannot be trusted with it any more (measured): a query that it takes between a connection's
   * `error` and its `close` is never sent and never rejected, the connection is never used again, a pool that ends
   * forgets the queries in its queue, and a new connection may be put off by 20 s. So whatever waits is told.
   */
  #renew(old: Generation): void {
    if (this.#now !== old) return;
    this.#now = this.#open();
    const lost = new ConnectionLostError("the pool lost a connection");
    for (const reject of old.waiting) reject(lost);
    old.sockets.destroy();
    // Those who waited have been told; the pool itself has nothing left to say.
    old.sql.end({ timeout: 0 }).catch(() => undefined);
  }
}

/** The work's outcome, or the loss of its pool, whichever comes first. */
function answerOf<T>({ sql, waiting }: Generation, work: (sql: Sql) => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    waiting.add(reject);
    Promise.resolve(work(sql))
      .then(resolve, reject)
      .finally(() => waiting.delete(reject));
  });
}
