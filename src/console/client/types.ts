/** What the API answers, as the console reads it. */
import type { JobView } from "../../contract/job.ts";

export type Job = JobView;
/** In which zone times are shown. */
export type Zone = "local" | "utc";
export type Role = "admin" | "engineer" | "reviewer" | "producer";

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface Session {
  readonly user: { readonly id: string; readonly username: string; readonly role: Role };
  readonly expires_at: string;
}

export interface Capped {
  readonly count: number;
  readonly capped: boolean;
}

export interface AuditEntry {
  readonly id: number | string;
  readonly at: string;
  readonly actor: string | null;
  readonly actor_name: string;
  readonly action: string;
  readonly subject_type: string;
  readonly subject_id: string;
  readonly task_id: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly note: string | null;
}

export interface SeriesPoint {
  readonly timestamp: string;
  readonly min: number | null;
  readonly avg: number | null;
  readonly max: number | null;
}

export interface DeadLetter {
  readonly id: string;
  readonly reason: string;
  readonly buried_at: string;
  readonly size_bytes: number;
  readonly job: {
    readonly job_id: string;
    readonly system_id: string;
    readonly created_by: string;
    readonly total_readings: number;
    readonly received_at: string;
  } | null;
}
export interface DeadLetterDetail extends DeadLetter {
  readonly payload: {
    readonly encoding: "json" | "base64";
    readonly body: unknown;
    readonly truncated: boolean;
  };
}

export interface Alert {
  readonly id: number | string;
  readonly system_id: string;
  readonly system_name: string | null;
  readonly raised_at: string;
  readonly resolved_at: string | null;
  readonly share: number;
  readonly peak_share: number;
  readonly limit: number;
  readonly window_s: number;
  readonly readings: number;
  readonly quarantined: number;
}

export interface Worker {
  readonly name: string;
  readonly process: string;
  readonly state: string;
  readonly heartbeat_age_ms: number | null;
  readonly restarts: number;
  readonly in_hand: number | null;
}

export interface Overview {
  readonly at: string;
  /** Null until the service has looked twice. */
  readonly accepted_rows_per_s: number | null;
  readonly committed_rows_per_s: number | null;
  readonly backlog: { readonly entries: number; readonly bytes: number; readonly lag: number | null };
  readonly workers: Readonly<Record<"processes" | "threads" | "running" | "in_hand", number>>;
  readonly quarantined_share: number | null;
  readonly pending: number;
  readonly jobs: readonly Job[];
  readonly alerts: readonly Alert[];
}

export interface User {
  readonly id: string;
  readonly username: string;
  readonly role: Role;
  readonly active: boolean;
  readonly requests_per_minute: number | null;
  readonly readings_per_minute: number | null;
  readonly created_at: string;
}

export interface System {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly created_at: string;
  readonly archived_at: string | null;
}

export interface EffectiveRange {
  readonly min: number | null;
  readonly max: number | null;
  readonly source: string | null;
  readonly version: number | null;
}

export interface Sensor {
  readonly id: string;
  readonly system_id: string;
  readonly name: string;
  readonly quantity: string;
  readonly unit: string;
  readonly range: EffectiveRange;
  readonly expected_rate_hz: number | null;
  readonly archived_at: string | null;
  readonly first_reading_at?: string | null;
  readonly last_reading_at?: string | null;
}

export interface HourShare {
  readonly hour: string;
  readonly expected: number | null;
  readonly received: number;
  readonly completeness: number | null;
}
export interface SensorCompleteness {
  readonly sensor: {
    readonly id: string;
    readonly name: string;
    readonly quantity: string;
    readonly unit: string;
  };
  readonly rate_hz: number | null;
  readonly rate_source: string | null;
  readonly expected: number | null;
  readonly received: number;
  readonly completeness: number | null;
  readonly hours: readonly HourShare[];
}
