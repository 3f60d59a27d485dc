/** How a job has ended: as it is told, and as it is when nothing of it could be stored. */
import type { EntryMeta } from "../contract/entry.ts";
import type { JobRecord } from "../contract/job.ts";
import type { RefusalReason } from "../contract/refusal.ts";
import type { Logger } from "../ops/log.ts";
import type { Span } from "../ops/trace.ts";
import type { Committed } from "../store/writer/group.ts";
import type { PreparedGroup } from "./group.ts";
import type { GroupReport } from "./messages.ts";

/** Every reading of an ended job is stored or in quarantine: nothing is left to be done, or to be lost. */
export function isAccounted(job: JobRecord): boolean {
  const { total_readings: total, inserted_readings, duplicate_readings, quarantined_readings } = job;
  const accounted = inserted_readings + duplicate_readings + quarantined_readings === total;
  return job.status === "completed" || (job.status === "failed" && total > 0 && accounted);
}

/** The record of a job whose entry cannot be processed: none of its readings is accounted for. */
export function failedJob(meta: EntryMeta, reason: string, now_ms: number): JobRecord {
  return {
    job_id: meta.job_id,
    system_id: meta.system_id,
    created_by: meta.user_id,
    status: "failed",
    total_readings: meta.total_readings,
    inserted_readings: 0,
    duplicate_readings: 0,
    quarantined_readings: 0,
    created_at_ms: meta.received_at_ms,
    started_at_ms: now_ms,
    completed_at_ms: now_ms,
    error_message: reason,
  };
}

/** The one line of a job. */
export function logEnd(log: Logger, job: JobRecord, request_id: string, span: Span): void {
  log.info(
    {
      job_id: job.job_id,
      request_id,
      trace_id: span.context?.trace_id,
      system_id: job.system_id,
      total: job.total_readings,
      inserted: job.inserted_readings,
      duplicate: job.duplicate_readings,
      quarantined: job.quarantined_readings,
      ms: (job.completed_at_ms ?? 0) - job.created_at_ms,
      ...(job.error_message ? { error: job.error_message } : {}),
    },
    `job ${job.status}`,
  );
}

/** What a committed group is counted by. */
export function reportOf(group: PreparedGroup, committed: Committed, now_ms: number): GroupReport {
  const { jobs, refusals, way, encode_ms, copy_ms, commit_ms } = committed;
  const sum = (pick: (job: JobRecord) => number) => jobs.reduce((n, job) => n + pick(job), 0);
  const quarantined: Partial<Record<RefusalReason, number>> = {};
  for (const { reason } of refusals) quarantined[reason] = (quarantined[reason] ?? 0) + 1;
  return {
    jobs_completed: sum((job) => Number(job.status === "completed")),
    jobs_failed: sum((job) => Number(job.status === "failed")),
    inserted: sum((job) => job.inserted_readings),
    duplicate: sum((job) => job.duplicate_readings),
    quarantined,
    way,
    parse_ms: group.parse_ms,
    check_ms: group.check_ms,
    encode_ms,
    copy_ms,
    commit_ms,
    oldest_ms: Math.max(0, now_ms - Math.min(...jobs.map((job) => job.created_at_ms))),
  };
}
