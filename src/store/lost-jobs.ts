/** Jobs that wait by what Postgres knows, and the end of those whose batch is nowhere any more. */
import type { JobRecord } from "../contract/job.ts";
import { type JobRow, toRecord } from "./jobs.ts";
import { type Database, uuids } from "./pool.ts";
import { tellOfJobs } from "./webhooks/outbox.ts";

/** What is said of such a job; the producer reads it. */
export const LOST_MESSAGE =
  "Redis has lost this batch before it was stored. Send it again, under a new Idempotency-Key if it had one: readings that are stored already count as duplicates.";

export class LostJobStore {
  constructor(private readonly database: Database) {}

  /** Ids of jobs that have not ended, in their order, after `after`. @throws {StoreUnavailableError} */
  async open(after: string | null, limit: number): Promise<string[]> {
    const rows = await this.database.run(
      "open jobs",
      (sql) => sql<{ id: string }[]>`
        SELECT id FROM diagnostics_ingestion_job
        WHERE status IN ('queued', 'processing') AND (${after}::uuid IS NULL OR id > ${after}::uuid)
        ORDER BY id LIMIT ${limit}`,
    );
    return rows.map(({ id }) => id);
  }

  /**
   * End jobs whose batch is lost, and tell the webhooks. One that has ended in the meantime stays as it is. If its
   * batch turns up after all, the writer ends it once more, with its readings.
   * @returns those that were ended now
   * @throws {StoreUnavailableError}
   */
  async fail(job_ids: readonly string[]): Promise<JobRecord[]> {
    const rows = await this.database.run(
      "end lost jobs",
      // In the order of their ids, as the writers end jobs: neither waits for the other in a circle.
      (sql) => sql<JobRow[]>`
        WITH locked AS (SELECT id FROM diagnostics_ingestion_job WHERE id = ANY(${uuids(sql, job_ids)})
          AND status IN ('queued', 'processing') ORDER BY id FOR UPDATE),
        ended AS (UPDATE diagnostics_ingestion_job job SET status = 'failed', error_message = ${LOST_MESSAGE},
            completed_at = clock_timestamp(), lost_at = clock_timestamp()
          FROM locked WHERE job.id = locked.id RETURNING job.*),
        ${sql.unsafe(tellOfJobs("ended"))}
        SELECT id, system_id, created_by, status, total_readings, inserted_readings, duplicate_readings,
          quarantined_readings, created_at, started_at, completed_at, error_message FROM ended`,
    );
    return rows.map(toRecord);
  }
}
