/**
 * Events in the life of a job. Their ids say how far the job is, and nothing of the process that told them: a client
 * goes on with any other.
 */
import type { JobRecord, JobState } from "./job.ts";

/** States come in this order; some may pass unnoticed. */
const RANK: Readonly<Record<JobState, number>> = { queued: 1, processing: 2, completed: 3, failed: 3 };
const LAST = 3;
const ID = /^([123])-\d{1,15}$/;

/** Id of the event that tells the job's present state. */
export function jobEventId({ status, created_at_ms, completed_at_ms }: JobRecord): string {
  return `${RANK[status]}-${completed_at_ms ?? created_at_ms}`;
}

/**
 * True when a client that was told the event `last` has not heard of the job's present state. A job that has ended
 * begins anew when its dead letter is replayed: then its end is another.
 * @param last null, or anything that is no id of ours, for a client that knows nothing
 */
export function isNewsAfter(last: string | null, job: JobRecord): boolean {
  const rank = Number(ID.exec(last ?? "")?.[1] ?? 0);
  return rank === LAST ? jobEventId(job) !== last : RANK[job.status] > rank;
}
