/**
 * The writer's own connection: pg with pg-copy-streams, because postgres.js loses errors of COPY (docs/decisions).
 * Every transaction has a deadline on the client's side: `statement_timeout` does not fire while the server waits
 * for COPY data. After any doubt the socket is destroyed, and the next transaction opens a new one.
 */
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { DeadlineError, withDeadline } from "../../ops/retry.ts";
import { ConnectionLostError, isReadOnly, sqlState } from "../errors.ts";
import { pgConnection } from "../tls/driver-options.ts";

export interface WriterSettings {
  readonly url: string;
  /** Shown in pg_stat_activity; `WriterSessions` ends what a silent worker left open by this name. At most 63 bytes. */
  readonly application_name: string;
  /** Longest transaction, ms. */
  readonly deadline_ms: number;
}

/** Pieces of COPY data: the server parses one while the next is on its way. */
const COPY_PIECE_BYTES = 65_536;

/** Opening a session, its first statement included, ms. */
const CONNECT_DEADLINE_MS = 10_000;

/** Statements of one transaction. Worth nothing once the transaction has ended. */
export interface WriterTransaction {
  /**
   * Rows come as objects.
   * @param name of a statement that is planned once for the session, because planning it costs as much as running it
   * @throws {ConnectionLostError} and errors of the server
   */
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[], name?: string): Promise<R[]>;
  /**
   * COPY `bytes` (binary format, complete with header and trailer) into a table.
   * @throws {ConnectionLostError} and errors of the server
   */
  copy(table: string, columns: readonly string[], bytes: Buffer): Promise<void>;
}

export class WriterConnection {
  #session: Session | null = null;

  constructor(private readonly settings: WriterSettings) {}

  /**
   * Run `work` in one transaction; ROLLBACK when it throws. One transaction at a time. The transaction belongs to
   * its session: one that was given up cannot reach into the next, which has a session of its own.
   * @throws {ConnectionLostError} when the connection ended or could not be opened; whether a COMMIT in flight was
   *   done is then unknown
   * @throws {DeadlineError} after `deadline_ms`; the connection is gone then
   */
  async transaction<T>(work: (tx: WriterTransaction) => Promise<T>): Promise<T> {
    const session = await this.#open();
    try {
      return await withDeadline(
        inTransaction(session, work),
        this.settings.deadline_ms,
        "the writer's transaction",
      );
    } catch (error) {
      if (error instanceof DeadlineError || isReadOnly(error)) session.destroy();
      throw error;
    }
  }

  /** End the connection; a transaction in flight is lost. */
  async close(): Promise<void> {
    await this.#session?.close();
    this.#session = null;
  }

  async #open(): Promise<Session> {
    if (this.#session?.usable) return this.#session;
    this.#session?.destroy();
    this.#session = new Session(this.settings);
    await this.#session.connect();
    return this.#session;
  }
}

async function inTransaction<T>(session: Session, work: (tx: WriterTransaction) => Promise<T>): Promise<T> {
  await session.query("BEGIN");
  try {
    const result = await work(session);
    await session.query("COMMIT");
    return result;
  } catch (error) {
    await session.rollback();
    throw error;
  }
}

/** One connection from its opening to its end; it is never opened again. */
class Session implements WriterTransaction {
  readonly #client: pg.Client;
  #lost: Error | null = null;

  constructor(settings: WriterSettings) {
    this.#client = new pg.Client({
      ...pgConnection(settings.url),
      application_name: settings.application_name,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    this.#client.on("error", (error) => {
      this.#lost = error;
    });
    this.#client.on("end", () => {
      this.#lost ??= new Error("the server closed the connection");
    });
  }

  get usable(): boolean {
    return this.#lost === null;
  }

  /** @throws {ConnectionLostError} whatever the server says to it (wrong password, too many clients): no batch is at fault */
  async connect(): Promise<void> {
    const opened = this.#client.connect().then(() => this.#client.query("SET TIME ZONE 'UTC'"));
    try {
      await withDeadline(opened, CONNECT_DEADLINE_MS, "opening the writer's connection");
    } catch (cause) {
      this.destroy();
      throw new ConnectionLostError(`the writer cannot connect: ${(cause as Error).message}`, { cause });
    }
  }

  async query<R extends pg.QueryResultRow>(text: string, values?: unknown[], name?: string): Promise<R[]> {
    this.#assertOpen();
    const statement = values ? { text, values, ...(name ? { name } : {}) } : text;
    const result = await this.#guarded(this.#client.query<R>(statement));
    return result.rows;
  }

  async copy(table: string, columns: readonly string[], bytes: Buffer): Promise<void> {
    this.#assertOpen();
    const names = columns.map((name) => `"${name}"`).join(", ");
    const stream = this.#client.query(copyFrom(`COPY ${table} (${names}) FROM STDIN (FORMAT binary)`));
    const done = new Promise<void>((resolve, reject) => {
      stream.on("error", reject);
      stream.on("finish", resolve);
    });
    for (let at = 0; at < bytes.length; at += COPY_PIECE_BYTES)
      stream.write(bytes.subarray(at, at + COPY_PIECE_BYTES));
    stream.end();
    await this.#guarded(done);
  }

  /** A ROLLBACK that cannot be sent needs no answer: the server rolls back when the socket ends. */
  async rollback(): Promise<void> {
    try {
      await this.query("ROLLBACK");
    } catch {
      this.destroy();
    }
  }

  async close(): Promise<void> {
    this.#lost ??= new Error("the writer was closed");
    await withDeadline(this.#client.end(), 2_000, "closing the writer's connection").catch(() =>
      destroySocket(this.#client),
    );
  }

  destroy(): void {
    this.#lost ??= new Error("the writer gave the connection up");
    destroySocket(this.#client);
  }

  #assertOpen(): void {
    if (this.#lost) throw new ConnectionLostError("the writer is not connected", { cause: this.#lost });
  }

  /** An error of a lost connection says so by class: pg's own has no code. */
  async #guarded<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (sqlState(error) !== undefined) throw error;
      this.destroy();
      throw new ConnectionLostError(`the writer's connection ended: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

/** pg has no public way to drop a connection without asking the server. */
function destroySocket(client: pg.Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}
