/**
 * The writer's own connection: pg with pg-copy-streams, because postgres.js loses errors of COPY (docs/decisions).
 * Every transaction has a deadline on the client's side: `statement_timeout` does not fire while the server waits
 * for COPY data. After any doubt the socket is destroyed, and the next transaction opens a new one.
 */
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { DeadlineError, withDeadline } from "../ops/retry.ts";
import { ConnectionLostError, sqlState } from "./errors.ts";

export interface WriterSettings {
  readonly url: string;
  /** Shown in pg_stat_activity; `WriterSessions` ends what a silent worker left open by this name. At most 63 bytes. */
  readonly application_name: string;
  /** Longest transaction, ms. */
  readonly deadline_ms: number;
}

/** Pieces of COPY data: the server parses one while the next is on its way. */
const COPY_PIECE_BYTES = 65_536;

export class WriterConnection {
  #client: pg.Client | null = null;
  #lost: Error | null = null;

  constructor(private readonly settings: WriterSettings) {}

  /**
   * Run `work` in one transaction; ROLLBACK when it throws.
   * @throws {ConnectionLostError} when the connection ended; whether a COMMIT in flight was done is then unknown
   * @throws {DeadlineError} after `deadline_ms`; the connection is gone then
   */
  async transaction<T>(work: (tx: WriterConnection) => Promise<T>): Promise<T> {
    try {
      return await withDeadline(
        this.#transaction(work),
        this.settings.deadline_ms,
        "the writer's transaction",
      );
    } catch (error) {
      if (error instanceof ConnectionLostError || error instanceof DeadlineError) this.#destroy();
      throw error;
    }
  }

  async #transaction<T>(work: (tx: WriterConnection) => Promise<T>): Promise<T> {
    await this.#connect();
    await this.query("BEGIN");
    try {
      const result = await work(this);
      await this.query("COMMIT");
      return result;
    } catch (error) {
      await this.#rollback();
      throw error;
    }
  }

  /** A statement in the transaction. Rows come as objects. */
  async query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]> {
    const client = this.#open();
    const result = await this.#guarded(client.query<R>(values ? { text, values } : text));
    return result.rows;
  }

  /** COPY `bytes` (binary format, complete with header and trailer) into a table. */
  async copy(table: string, columns: readonly string[], bytes: Buffer): Promise<void> {
    const names = columns.map((name) => `"${name}"`).join(", ");
    const stream = this.#open().query(copyFrom(`COPY ${table} (${names}) FROM STDIN (FORMAT binary)`));
    const done = new Promise<void>((resolve, reject) => {
      stream.on("error", reject);
      stream.on("finish", resolve);
    });
    for (let at = 0; at < bytes.length; at += COPY_PIECE_BYTES)
      stream.write(bytes.subarray(at, at + COPY_PIECE_BYTES));
    stream.end();
    await this.#guarded(done);
  }

  /** End the connection; a transaction in flight is lost. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    if (!client) return;
    await withDeadline(client.end(), 2_000, "closing the writer's connection").catch(() =>
      destroySocket(client),
    );
  }

  async #connect(): Promise<void> {
    if (this.#client && !this.#lost) return;
    this.#destroy();
    const client = new pg.Client({
      connectionString: this.settings.url,
      application_name: this.settings.application_name,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    this.#lost = null;
    client.on("error", (error) => {
      if (this.#client === client) this.#lost = error;
    });
    client.on("end", () => {
      if (this.#client === client) this.#lost ??= new Error("the server closed the connection");
    });
    this.#client = client;
    await this.#guarded(client.connect());
    await this.#guarded(client.query("SET TIME ZONE 'UTC'"));
  }

  #open(): pg.Client {
    if (!this.#client || this.#lost)
      throw new ConnectionLostError("the writer is not connected", { cause: this.#lost });
    return this.#client;
  }

  /** An error of a lost connection says so by class: pg's own has no code. */
  async #guarded<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (sqlState(error) !== undefined) throw error;
      throw new ConnectionLostError(`the writer's connection ended: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** A ROLLBACK that cannot be sent needs no answer: the server rolls back when the socket ends. */
  async #rollback(): Promise<void> {
    try {
      await this.query("ROLLBACK");
    } catch {
      this.#destroy();
    }
  }

  #destroy(): void {
    if (this.#client) destroySocket(this.#client);
    this.#client = null;
  }
}

/** pg has no public way to drop a connection without asking the server. */
function destroySocket(client: pg.Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}
