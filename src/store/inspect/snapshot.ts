/**
 * One moment of the database, read in many short statements. A session holds the snapshot and no lock; another one reads
 * by it, a transaction for each statement, so that dropping and compressing chunks waits for one statement at most.
 * While it is open the server keeps what was deleted since.
 */
import type pg from "pg";
import { DedicatedSession } from "../dedicated-session.ts";
import type { Database } from "../pool.ts";

const IN_MOMENT = "ISOLATION LEVEL REPEATABLE READ READ ONLY";
/** A server that ends idle or long transactions (the latter from PostgreSQL 17 on) would end the moment. */
const STAY = `SELECT set_config(name, '0', false) FROM pg_settings
  WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`;
/** One core of the server is enough for us. */
const MODEST = "SET max_parallel_workers_per_gather = 0";

export class Snapshot {
  private constructor(
    private readonly holder: DedicatedSession,
    private readonly reader: DedicatedSession,
    private readonly name: string,
  ) {}

  /**
   * @param statement_deadline_ms longest statement; a longer one is ended by the server (57014)
   * @throws {ConnectionLostError}
   */
  static async take(database: Pick<Database, "url">, statement_deadline_ms: number): Promise<Snapshot> {
    const settings = { url: database.url, application_name: "hydraulic-verify", statement_deadline_ms };
    const sessions: DedicatedSession[] = [];
    try {
      for (let n = 0; n < 2; n += 1) sessions.push(await DedicatedSession.open(settings));
      const [holder, reader] = sessions as [DedicatedSession, DedicatedSession];
      await holder.query(STAY);
      await reader.query(MODEST);
      await holder.query(`BEGIN ${IN_MOMENT}`);
      const [row] = await holder.query<{ name: string }>("SELECT pg_export_snapshot() AS name");
      return new Snapshot(holder, reader, row!.name);
    } catch (error) {
      for (const session of sessions) session.destroy();
      throw error;
    }
  }

  /**
   * One statement, as of the moment.
   * @throws pg.DatabaseError 57014 when it takes too long; the next one may be asked then
   * @throws {ConnectionLostError}
   */
  async read<R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
    await this.reader.query(`BEGIN ${IN_MOMENT}`);
    try {
      await this.reader.query(`SET TRANSACTION SNAPSHOT '${this.name}'`);
      return await this.reader.query<R>(text, values);
    } finally {
      // Nothing was written; a session that is lost has no transaction.
      await this.reader.query("ROLLBACK").catch(() => this.reader.destroy());
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.holder.close(), this.reader.close()]);
  }
}
