/** What goes to the service and what comes back. Copied from its contract on purpose: the client stands alone. */

/** One measured value, as the caller has it. */
export type Reading = Measured & (BySensorId | BySensorName);

interface Measured {
  /** RFC 3339 date-time with up to microseconds, or a Date. */
  readonly timestamp: string | Date;
  /** In `unit`. */
  readonly value: number;
  /** Signal quality, 0-100; 100 when left out. Below 50 a reading is quarantined. */
  readonly quality?: number;
}

interface BySensorId {
  /** UUID */
  readonly sensor_id: string;
  readonly sensor?: never;
  /** Canonical unit or alias: `bar`, `psi`, `celsius`, `lpm`, `rpm`, …; `GET /api/v1/units` lists them. */
  readonly unit: string;
}

interface BySensorName {
  /** A name that a mapping of the system knows; without one it is the sensor's own name. */
  readonly sensor: string;
  readonly sensor_id?: never;
  /** Default: the unit of the mapping, else of the sensor. */
  readonly unit?: string;
}

/** A batch as it is sent. */
export interface Batch {
  /** UUID of a registered system. */
  readonly system_id: string;
  /** 1 to 10,000. */
  readonly readings: readonly Reading[];
}

/** The service has a batch: it is safe there, and its job can be followed. */
export interface Acceptance {
  readonly job_id: string;
  /** The service had this batch before, under the same key; the job is the earlier one. */
  readonly replayed: boolean;
  /** From the first byte sent to the answer, of all attempts, ms. */
  readonly took_ms: number;
  /** The job, when the service waited for its end (`Prefer: wait`); else null. */
  readonly job: Job | null;
}

export const JOB_STATES = ["queued", "processing", "completed", "failed"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** The life of one batch. Times are RFC 3339 in UTC. When it has ended, inserted + duplicate + quarantined = total. */
export interface Job {
  readonly job_id: string;
  readonly system_id: string;
  readonly status: JobState;
  readonly total_readings: number;
  readonly inserted_readings: number;
  /** Stored before with the same value. */
  readonly duplicate_readings: number;
  readonly quarantined_readings: number;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly processing_time_ms: number | null;
  readonly error_message: string | null;
  /** (inserted + duplicate) / total in percent, once the job has ended. */
  readonly success_rate: number | null;
  readonly is_active: boolean;
  readonly is_completed: boolean;
}

/** Why a reading is in quarantine. A newer service may know further reasons. */
export type RefusalReason =
  | "parse_error"
  | "invalid_timestamp"
  | "out_of_range"
  | "invalid_unit"
  | "duplicate"
  | "system_not_found"
  | (string & {});

/** One page of a job's quarantined readings, in the order of the batch. */
export interface QuarantinePage {
  readonly items: readonly {
    /** Position of the reading in its batch, from 0. */
    readonly ordinal: number;
    readonly reason: RefusalReason;
    readonly reason_details: string | null;
  }[];
  /** `after` of the next page, or null. */
  readonly next: number | null;
  /** Of the whole job, by reason. */
  readonly counts: Readonly<Record<string, number>>;
}
