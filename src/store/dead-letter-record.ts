/** What happens to dead letters, in the record: written before it happens, so that nothing happens without a row. */
import type { Reach } from "../contract/reach.ts";
import type { Actor } from "./audit.ts";
import type { Database } from "./pool.ts";

/** A dead letter as the record keeps it. */
export interface RecordedLetter {
  /** Partition and entry. */
  readonly id: string;
  /** Null when the entry does not say. */
  readonly job_id: string | null;
  readonly system_id: string | null;
  readonly total_readings: number | null;
  readonly reason: string;
  readonly size_bytes: number;
}

export interface Decision {
  readonly actor: Actor;
  /** Letters of other systems do not exist for the actor. */
  readonly reach: Reach;
  readonly note: string | null;
}

export class DeadLetterRecord {
  constructor(private readonly database: Database) {}

  /**
   * A replay begins: its job is open again, so that the ledger lets its data in.
   * @throws {StoreUnavailableError}
   */
  async replay({ id, ...letter }: RecordedLetter, { actor, note }: Decision): Promise<void> {
    await this.database.run(
      "record a replay",
      (sql) => sql`
        WITH reopened AS (
          UPDATE diagnostics_ingestion_job
          SET status = 'queued', started_at = NULL, completed_at = NULL, error_message = NULL, lost_at = NULL
          WHERE id = ${letter.job_id}::uuid AND status = 'failed')
        INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, system_id, before, after, note)
        VALUES (${actor.id}::uuid, ${actor.name}, 'dead_letter.replay', 'dead_letter', ${id}, ${letter.system_id}::uuid,
          ${JSON.stringify(letter)}::text::json, '{"state":"replayed"}', ${note})`,
    );
  }

  /** A dead letter is about to be deleted; its job stays failed. @throws {StoreUnavailableError} */
  async discard({ id, ...letter }: RecordedLetter, { actor, note }: Decision): Promise<void> {
    await this.database.run(
      "record a discard",
      (sql) => sql`
        INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, system_id, before, after, note)
        VALUES (${actor.id}::uuid, ${actor.name}, 'dead_letter.discard', 'dead_letter', ${id}, ${letter.system_id}::uuid,
          ${JSON.stringify(letter)}::text::json, '{"state":"discarded"}', ${note})`,
    );
  }
}
