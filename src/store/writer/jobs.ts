/** The ledger: the job rows that end together with what their batches store. */
import { tellOfJobs } from "../webhooks/outbox.ts";
import type { WriterTransaction } from "./connection.ts";
import type { Ledger, WriteGroup } from "./group.ts";

/** Some jobs of the group have ended already; nothing was written. */
export class AlreadyEndedError extends Error {
  override readonly name = "AlreadyEndedError";
  constructor(readonly job_ids: readonly string[]) {
    super(`${job_ids.length} jobs of the group have ended already`);
  }
}

const END_JOBS = `WITH ended AS (INSERT INTO diagnostics_ingestion_job
    (id, system_id, created_by, status, total_readings, inserted_readings, duplicate_readings, quarantined_readings,
     created_at, started_at, completed_at, error_message, worker, stream_entry, oldest_reading_at, newest_reading_at,
     review_task_id)
  SELECT id, system_id, created_by, status, total, inserted, duplicate, quarantined, to_timestamp(created_ms / 1000),
     to_timestamp(started_ms / 1000), to_timestamp(completed_ms / 1000), error, $13, entry,
     to_timestamp(oldest_us / 1e6), to_timestamp(newest_us / 1e6), review
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::int[], $6::int[], $7::int[], $8::int[],
     $9::float8[], $10::float8[], $11::float8[], $12::text[], $14::text[],
     $15::float8[], $16::float8[], $17::uuid[])
     AS job (id, system_id, created_by, status, total, inserted, duplicate, quarantined, created_ms, started_ms,
             completed_ms, error, entry, oldest_us, newest_us, review)
  ORDER BY id
  ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, inserted_readings = EXCLUDED.inserted_readings,
     duplicate_readings = EXCLUDED.duplicate_readings, quarantined_readings = EXCLUDED.quarantined_readings,
     started_at = EXCLUDED.started_at, completed_at = EXCLUDED.completed_at, error_message = EXCLUDED.error_message,
     worker = EXCLUDED.worker, stream_entry = EXCLUDED.stream_entry,
     oldest_reading_at = EXCLUDED.oldest_reading_at, newest_reading_at = EXCLUDED.newest_reading_at, lost_at = NULL
  WHERE diagnostics_ingestion_job.status IN ('queued', 'processing') OR diagnostics_ingestion_job.lost_at IS NOT NULL
  RETURNING *),
  ${tellOfJobs("ended")}
  SELECT id FROM ended`;

/**
 * End the jobs of the group.
 * @param worker that did it
 * @throws {AlreadyEndedError}
 */
export async function endJobs(
  tx: WriterTransaction,
  group: WriteGroup,
  { jobs, spans }: Ledger,
  worker: string,
): Promise<void> {
  const values = [
    jobs.map((j) => j.job_id),
    jobs.map((j) => j.system_id),
    jobs.map((j) => j.created_by),
    jobs.map((j) => j.status),
    jobs.map((j) => j.total_readings),
    jobs.map((j) => j.inserted_readings),
    jobs.map((j) => j.duplicate_readings),
    jobs.map((j) => j.quarantined_readings),
    jobs.map((j) => j.created_at_ms),
    jobs.map((j) => j.started_at_ms),
    jobs.map((j) => j.completed_at_ms),
    jobs.map((j) => j.error_message),
    worker,
    group.jobs.map((j) => j.stream_entry),
    spans.map((span) => span?.oldest_us ?? null),
    spans.map((span) => span?.newest_us ?? null),
    group.jobs.map((j) => j.review_task_id ?? null),
  ];
  const rows = await tx.query<{ id: string }>(END_JOBS, values, "end jobs");
  if (rows.length === jobs.length) return;
  const mine = new Set(rows.map((row) => row.id));
  throw new AlreadyEndedError(jobs.map((j) => j.job_id).filter((id) => !mine.has(id)));
}
