/** A job is the life of one batch: its states, its record, and what producers see of it. */
import { type Static, Type } from "@sinclair/typebox";
import { count, time } from "./fields.ts";

export const JOB_STATES = ["queued", "processing", "completed", "failed"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** The job has ended, well or not. */
export function isTerminal(status: JobState): boolean {
  return status === "completed" || status === "failed";
}

/** The job as Redis and Postgres keep it. Times are ms since the epoch. */
export interface JobRecord {
  readonly job_id: string;
  readonly system_id: string;
  /** Id of the user who sent the batch. */
  readonly created_by: string;
  readonly status: JobState;
  readonly total_readings: number;
  readonly inserted_readings: number;
  readonly duplicate_readings: number;
  readonly quarantined_readings: number;
  readonly created_at_ms: number;
  readonly started_at_ms: number | null;
  readonly completed_at_ms: number | null;
  readonly error_message: string | null;
}

/** The answer of `GET /api/v1/jobs/{id}/`. */
export const JobViewSchema = Type.Object(
  {
    job_id: Type.String({ format: "uuid" }),
    system_id: Type.String({ format: "uuid" }),
    status: Type.Union(
      JOB_STATES.map((s) => Type.Literal(s)),
      { description: "queued, processing, completed or failed" },
    ),
    total_readings: count("Readings in the batch"),
    inserted_readings: count("Readings stored by this job"),
    duplicate_readings: count("Readings that were stored before with the same value"),
    quarantined_readings: count("Readings refused and kept for review"),
    created_at: time("When the batch was accepted"),
    started_at: Type.Union([time("When a worker took it"), Type.Null()]),
    completed_at: Type.Union([time("When its rows were committed, or it failed"), Type.Null()]),
    processing_time_ms: Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
      description: "From started_at to completed_at, ms",
    }),
    error_message: Type.Union([Type.String(), Type.Null()]),
    success_rate: Type.Union([Type.Number({ minimum: 0, maximum: 100 }), Type.Null()], {
      description: "(inserted + duplicate) / total in percent, once the job has ended",
    }),
    is_active: Type.Boolean({ description: "queued or processing" }),
    is_completed: Type.Boolean({ description: "completed or failed: nothing will change any more" }),
  },
  { $id: "Job" },
);
export type JobView = Static<typeof JobViewSchema>;

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

/** What a producer sees of a job. */
export function toJobView(job: JobRecord): JobView {
  const ended = isTerminal(job.status);
  const stored = job.inserted_readings + job.duplicate_readings;
  const timed = job.started_at_ms !== null && job.completed_at_ms !== null;
  return {
    job_id: job.job_id,
    system_id: job.system_id,
    status: job.status,
    total_readings: job.total_readings,
    inserted_readings: job.inserted_readings,
    duplicate_readings: job.duplicate_readings,
    quarantined_readings: job.quarantined_readings,
    created_at: new Date(job.created_at_ms).toISOString(),
    started_at: iso(job.started_at_ms),
    completed_at: iso(job.completed_at_ms),
    processing_time_ms: timed ? Math.max(0, job.completed_at_ms! - job.started_at_ms!) : null,
    error_message: job.error_message,
    success_rate: ended ? Math.round((stored / Math.max(1, job.total_readings)) * 10_000) / 100 : null,
    is_active: !ended,
    is_completed: ended,
  };
}
