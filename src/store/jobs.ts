/** Jobs in Postgres: mirrored when queued, terminal in the transaction of their data, asked when Redis forgot them. */
import type { EntryMeta } from "../contract/entry.ts";
import type { JobRecord, JobState } from "../contract/job.ts";
import type { Database } from "./pool.ts";
import { tellOfJobs } from "./webhooks/outbox.ts";

/** A job without what only SQL looks at. */
export interface JobRow {
  readonly id: string;
  readonly system_id: string;
  readonly created_by: string;
  readonly status: JobState;
  readonly total_readings: number;
  readonly inserted_readings: number;
  readonly duplicate_readings: number;
  readonly quarantined_readings: number;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly completed_at: Date | null;
  readonly error_message: string | null;
}

/** A row of the ledger as the contract has it: times in ms since the epoch. */
export function toRecord(row: JobRow): JobRecord {
  return {
    job_id: row.id,
    system_id: row.system_id,
    created_by: row.created_by,
    status: row.status,
    total_readings: row.total_readings,
    inserted_readings: row.inserted_readings,
    duplicate_readings: row.duplicate_readings,
    quarantined_readings: row.quarantined_readings,
    created_at_ms: row.created_at.getTime(),
    started_at_ms: row.started_at?.getTime() ?? null,
    completed_at_ms: row.completed_at?.getTime() ?? null,
    error_message: row.error_message,
  };
}

const UUID_ARRAY = 2951;

export class JobStore {
  constructor(private readonly database: Database) {}

  /** @throws {StoreUnavailableError} */
  async get(job_id: string): Promise<JobRecord | null> {
    return (await this.many([job_id]))[0] ?? null;
  }

  /** The jobs among `job_ids` that Postgres knows, in no order. @throws {StoreUnavailableError} */
  async many(job_ids: readonly string[]): Promise<JobRecord[]> {
    const rows = await this.database.run(
      "jobs by id",
      (sql) => sql<JobRow[]>`
        SELECT id, system_id, created_by, status, total_readings, inserted_readings, duplicate_readings,
               quarantined_readings, created_at, started_at, completed_at, error_message
        FROM diagnostics_ingestion_job WHERE id = ANY(${sql.array([...job_ids], UUID_ARRAY)})`,
    );
    return rows.map(toRecord);
  }

  /**
   * Those of the jobs that have ended for good: one that was lost with Redis is open again when its batch turns up.
   * @throws {StoreUnavailableError}
   */
  async ended(job_ids: readonly string[]): Promise<JobRecord[]> {
    const rows = await this.database.run(
      "ended jobs by id",
      (sql) => sql<JobRow[]>`
        SELECT id, system_id, created_by, status, total_readings, inserted_readings, duplicate_readings,
               quarantined_readings, created_at, started_at, completed_at, error_message
        FROM diagnostics_ingestion_job WHERE id = ANY(${sql.array([...job_ids], UUID_ARRAY)})
          AND status IN ('completed', 'failed') AND lost_at IS NULL`,
    );
    return rows.map(toRecord);
  }

  /**
   * Note accepted jobs; those that are known already stay as they are. In the order of their ids, as the writers
   * end jobs: neither waits for the other in a circle.
   * @throws {StoreUnavailableError}
   */
  async mirror(open: readonly { readonly meta: EntryMeta; readonly status: JobState }[]): Promise<void> {
    if (open.length === 0) return;
    const column = <T>(pick: (job: (typeof open)[number]) => T) => open.map(pick);
    await this.database.run(
      "mirror jobs",
      (sql) => sql`
        INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, created_at)
        SELECT id, system_id, created_by, status, total, to_timestamp(created_at_ms / 1000)
        FROM unnest(${sql.array(
          column((j) => j.meta.job_id),
          UUID_ARRAY,
        )}::uuid[],
                    ${sql.array(
                      column((j) => j.meta.system_id),
                      UUID_ARRAY,
                    )}::uuid[],
                    ${sql.array(
                      column((j) => j.meta.user_id),
                      UUID_ARRAY,
                    )}::uuid[],
                    ${sql.array(
                      column((j) => j.status),
                      1009,
                    )}::text[],
                    ${sql.array(
                      column((j) => j.meta.total_readings),
                      1007,
                    )}::int[],
                    ${sql.array(
                      column((j) => j.meta.received_at_ms),
                      1022,
                    )}::float8[])
          AS job (id, system_id, created_by, status, total, created_at_ms)
        ORDER BY id ON CONFLICT (id) DO NOTHING`,
    );
  }

  /**
   * End a job without data: its entry cannot be processed. A job that has ended stays as it is.
   * @returns the job as it is now
   * @throws {StoreUnavailableError}
   */
  async fail(
    meta: EntryMeta,
    message: string,
    now_ms: number,
    worker: string,
    stream_entry: string,
  ): Promise<JobRecord> {
    const rows = await this.database.run(
      "fail job",
      (sql) => sql<JobRow[]>`
        WITH ended AS (INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, created_at,
          started_at, completed_at, error_message, worker, stream_entry)
        VALUES (${meta.job_id}, ${meta.system_id}, ${meta.user_id}, 'failed', ${meta.total_readings},
          to_timestamp(${meta.received_at_ms}::float8 / 1000), to_timestamp(${now_ms}::float8 / 1000),
          to_timestamp(${now_ms}::float8 / 1000), ${message}, ${worker}, ${stream_entry})
        ON CONFLICT (id) DO UPDATE SET status = 'failed',
          started_at = COALESCE(diagnostics_ingestion_job.started_at, EXCLUDED.started_at), completed_at = EXCLUDED.completed_at,
          error_message = EXCLUDED.error_message, worker = EXCLUDED.worker, stream_entry = EXCLUDED.stream_entry, lost_at = NULL
        WHERE diagnostics_ingestion_job.status IN ('queued', 'processing') OR diagnostics_ingestion_job.lost_at IS NOT NULL
        RETURNING *),
        ${sql.unsafe(tellOfJobs("ended"))}
        SELECT id, system_id, created_by, status, total_readings, inserted_readings, duplicate_readings,
          quarantined_readings, created_at, started_at, completed_at, error_message FROM ended`,
    );
    const job = rows[0] ? toRecord(rows[0]) : await this.get(meta.job_id);
    if (!job) throw new Error(`job ${meta.job_id} vanished while it was ended`);
    return job;
  }
}
