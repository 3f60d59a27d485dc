/** Job hashes: the state that producers poll, without touching Postgres. */
import type { EntryMeta } from "../contract/entry.ts";
import type { JobRecord, JobState } from "../contract/job.ts";
import { reaching } from "./connection.ts";
import { jobKey } from "./keys.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** Names and values of a job that was just accepted. */
export function jobFields(meta: EntryMeta): (string | number)[] {
  return [
    "status",
    "queued",
    "system_id",
    meta.system_id,
    "created_by",
    meta.user_id,
    "total",
    meta.total_readings,
    "created_at_ms",
    meta.received_at_ms,
  ];
}

/** Names and values that the end of a job adds. */
export function endFields(job: JobRecord): (string | number)[] {
  return [
    "status",
    job.status,
    "inserted",
    job.inserted_readings,
    "duplicate",
    job.duplicate_readings,
    "quarantined",
    job.quarantined_readings,
    "started_at_ms",
    job.started_at_ms ?? "",
    "completed_at_ms",
    job.completed_at_ms ?? "",
    "error",
    job.error_message ?? "",
  ];
}

const timeOf = (text: string | undefined) => (text ? Number(text) : null);

export class JobBoard {
  constructor(private readonly redis: ScriptedRedis) {}

  /** The job, or null when its hash is gone. @throws {StreamUnavailableError} */
  async get(job_id: string): Promise<JobRecord | null> {
    const hash = await reaching(this.redis.hgetall(jobKey(job_id)));
    if (hash.status === undefined) return null;
    return {
      job_id,
      system_id: hash.system_id ?? "",
      created_by: hash.created_by ?? "",
      status: hash.status as JobState,
      total_readings: Number(hash.total ?? 0),
      inserted_readings: Number(hash.inserted ?? 0),
      duplicate_readings: Number(hash.duplicate ?? 0),
      quarantined_readings: Number(hash.quarantined ?? 0),
      created_at_ms: Number(hash.created_at_ms ?? 0),
      started_at_ms: timeOf(hash.started_at_ms),
      completed_at_ms: timeOf(hash.completed_at_ms),
      error_message: hash.error ? hash.error : null,
    };
  }

  /** The jobs among `job_ids` whose hashes are there, in the order asked. @throws {StreamUnavailableError} */
  async many(job_ids: readonly string[]): Promise<JobRecord[]> {
    const jobs = await Promise.all(job_ids.map((job_id) => this.get(job_id)));
    return jobs.filter((job) => job !== null);
  }
}
