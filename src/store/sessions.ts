/** Sessions that silent ingest threads left open on the server. */
import type { Database } from "./pool.ts";

export class WriterSessions {
  constructor(private readonly database: Database) {}

  /**
   * End the writers' sessions of these workers (their `application_name`), and with them their transactions. A
   * worker that is frozen, or whose machine is gone, would else hold the keys of its rows until TCP gives up, and
   * whoever takes over the same rows would wait for it. One that was only slow sees 57P01 and starts over.
   * pg_terminate_backend may be called for sessions of one's own role (PostgreSQL documentation, section 9.28.2).
   * @returns sessions that were told to end
   * @throws {StoreUnavailableError}
   */
  async end(workers: readonly string[]): Promise<number> {
    const rows = await this.database.run(
      "end sessions",
      (sql) => sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = ANY(${sql.array([...workers], 1009)})
          AND usename = current_user AND datname = current_database()`,
    );
    return rows.length;
  }
}
