/** Jobs by their ids: from Redis, and from Postgres what Redis has forgotten. */
import type { JobRecord } from "../contract/job.ts";
import type { JobStore } from "../store/jobs.ts";
import { StoreUnavailableError } from "../store/pool.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import type { JobBoard } from "../stream/jobs.ts";

/** Where jobs are looked for, in this order. */
interface JobPlaces {
  readonly jobBoard: Pick<JobBoard, "many">;
  readonly jobs: Pick<JobStore, "many">;
}

export interface FoundJobs {
  /** By id. */
  readonly jobs: ReadonlyMap<string, JobRecord>;
  /** Why a job that is not among them may exist all the same; null when both sides were asked about it. */
  readonly doubt: StreamUnavailableError | StoreUnavailableError | null;
}

/** Never rejects because a service is away: without Redis, a job that Postgres does not know may wait in the stream. */
export async function findJobs(
  { jobBoard, jobs: store }: JobPlaces,
  job_ids: readonly string[],
): Promise<FoundJobs> {
  const jobs = new Map<string, JobRecord>();
  let doubt: FoundJobs["doubt"] = null;
  try {
    for (const job of await jobBoard.many(job_ids)) jobs.set(job.job_id, job);
  } catch (error) {
    if (!(error instanceof StreamUnavailableError)) throw error;
    doubt = error;
  }
  const forgotten = job_ids.filter((id) => !jobs.has(id));
  if (forgotten.length === 0) return { jobs, doubt: null };
  try {
    for (const job of await store.many(forgotten)) jobs.set(job.job_id, job);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    doubt ??= error;
  }
  return { jobs, doubt };
}
