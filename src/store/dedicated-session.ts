/**
 * One session for work under a session's advisory lock: leading the maintenance, reconciling. The lock ends with the
 * connection, so this class never connects twice and no statement can run without the lock. `pg` and not postgres.js:
 * docs/decisions/0006.
 */
import pg from "pg";
import { DeadlineError, withDeadline } from "../ops/retry.ts";
import { ConnectionLostError, sqlState } from "./errors.ts";
import { pgConnection } from "./tls/driver-options.ts";

export interface SessionSettings {
  readonly url: string;
  /** Shown in pg_stat_activity, at most 63 bytes. */
  readonly application_name: string;
  /** Longest statement, ms. */
  readonly statement_deadline_ms: number;
}

export class DedicatedSession {
  #lost: Error | null = null;
  #lostWaiter: ((error: Error) => void) | null = null;

  private constructor(
    private readonly client: pg.Client,
    private readonly settings: SessionSettings,
  ) {
    const lose = (error: Error) => {
      this.#lost ??= error;
      this.#lostWaiter?.(this.#lost);
    };
    client.on("error", lose);
    client.on("end", () => lose(new Error("the server closed the connection")));
  }

  /** @throws {ConnectionLostError} */
  static async open(settings: SessionSettings): Promise<DedicatedSession> {
    const client = new pg.Client({
      ...pgConnection(settings.url),
      application_name: settings.application_name,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    const session = new DedicatedSession(client, settings);
    try {
      await session.#guarded(client.connect());
      // A server that notices a lost client ends the statement and frees the lock: at once when the connection is
      // closed, within a minute when the client's machine is gone.
      await session.query("SET client_connection_check_interval = '2s'");
      await session.query(
        "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3",
      );
      await session.query("SET TIME ZONE 'UTC'");
      // Never make ingest wait behind a lock that is itself waited for.
      await session.query("SET lock_timeout = '5s'");
      await session.query(`SET statement_timeout = ${settings.statement_deadline_ms}`);
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  /** Take an advisory lock until the session ends; false while another session has it. */
  async tryLock(key: number): Promise<boolean> {
    const [row] = await this.query<{ taken: boolean }>("SELECT pg_try_advisory_lock($1) AS taken", [key]);
    return row?.taken === true;
  }

  /**
   * One statement, in autocommit outside `transaction`.
   * @throws {ConnectionLostError} @throws {DeadlineError} the session is over after either
   */
  async query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]> {
    if (this.#lost) throw new ConnectionLostError("the session has ended", { cause: this.#lost });
    const result = await this.#guarded(this.client.query<R>(values ? { text, values } : text));
    return result.rows;
  }

  /** Run `work` in one READ COMMITTED transaction: each statement sees what is committed when it begins. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.query("BEGIN ISOLATION LEVEL READ COMMITTED");
    try {
      const result = await work();
      await this.query("COMMIT");
      return result;
    } catch (error) {
      // After a lost connection the server has rolled back already.
      if (!this.#lost) await this.query("ROLLBACK").catch(() => this.destroy());
      throw error;
    }
  }

  /** End the session in an orderly way. */
  async close(): Promise<void> {
    if (this.#lost) return;
    await withDeadline(this.client.end(), 2_000, "closing the session").catch(() => this.destroy());
  }

  /** Drop the connection now; a statement in flight rejects, and the server rolls it back. */
  destroy(): void {
    this.#lost ??= new Error("the session was dropped");
    this.#lostWaiter?.(this.#lost);
    // pg has no public way to drop a connection without asking the server.
    const { connection } = this.client as unknown as { connection: { stream: { destroy(): void } } };
    connection.stream.destroy();
  }

  async #guarded<T>(work: Promise<T>): Promise<T> {
    const lost = new Promise<never>((_, reject) => {
      this.#lostWaiter = reject;
    });
    try {
      const margin_ms = this.settings.statement_deadline_ms + 5_000;
      return await withDeadline(
        Promise.race([work, lost]),
        margin_ms,
        "a statement of a session with a lock",
      );
    } catch (error) {
      if (sqlState(error) !== undefined) throw error;
      this.destroy();
      if (error instanceof DeadlineError) throw error;
      throw new ConnectionLostError(`the session ended: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      this.#lostWaiter = null;
    }
  }
}
