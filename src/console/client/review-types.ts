/** What the API answers about quarantine and its review. */
import type { AuditEntry, Capped, SeriesPoint } from "./types.ts";

export type ReviewStatus = "pending" | "approved" | "rejected" | "fixed";
export const REVIEW_STATUSES: readonly ReviewStatus[] = ["pending", "approved", "fixed", "rejected"];
export const REASONS = [
  "out_of_range",
  "duplicate",
  "invalid_unit",
  "invalid_timestamp",
  "parse_error",
  "system_not_found",
] as const;

/** A reading in quarantine. */
export interface Refused {
  readonly id: number;
  readonly job_id: string;
  readonly ordinal: number;
  readonly system_id: string;
  readonly sensor_id: string | null;
  readonly timestamp: string | null;
  readonly value: number | null;
  readonly unit: string | null;
  readonly quality: number | null;
  readonly raw: unknown;
  readonly reason: string;
  readonly reason_details: string;
  readonly range_version: number | null;
  readonly quarantined_at: string;
  readonly review_status: ReviewStatus;
  readonly reviewed_by_name: string | null;
  readonly reviewed_at: string | null;
  readonly review_notes: string | null;
  readonly review_task_id: string | null;
  readonly stored_by_job: string | null;
}

export interface RefusedDetail extends Refused {
  readonly system: { readonly id: string; readonly name: string } | null;
  readonly sensor: {
    readonly id: string;
    readonly name: string;
    readonly quantity: string;
    readonly unit: string;
  } | null;
  readonly stored: {
    readonly timestamp: string;
    readonly value: number;
    readonly unit: string;
    readonly quality: number;
  } | null;
  readonly rule: {
    readonly version: number | null;
    readonly min: number | null;
    readonly max: number | null;
    readonly valid_from: string | null;
    readonly author_name: string | null;
  } | null;
  readonly around: {
    readonly from: string;
    readonly to: string;
    readonly items: readonly SeriesPoint[];
    readonly refused: readonly Pick<
      Refused,
      "id" | "timestamp" | "value" | "unit" | "reason" | "review_status"
    >[];
  } | null;
  readonly history: readonly AuditEntry[];
}

export interface Counts {
  readonly total: Capped;
  readonly reasons: Readonly<Record<string, Capped>>;
  readonly statuses: Readonly<Record<string, Capped>>;
  readonly systems: readonly (Capped & { readonly id: string; readonly name: string | null })[];
  readonly sensors: readonly (Capped & {
    readonly id: string;
    readonly name: string | null;
    readonly system_id: string;
  })[];
}

export interface Incident {
  readonly key: string;
  readonly system_id: string;
  readonly system_name: string | null;
  readonly sensor_id: string | null;
  readonly sensor_name: string | null;
  readonly unit: string | null;
  readonly reason: string;
  readonly first_at: string;
  readonly last_at: string;
  readonly count: number;
  readonly statuses: Readonly<Record<ReviewStatus, number>>;
  readonly sample: Refused;
}

export type ActionName = "approve" | "fix" | "reject" | "reopen" | "revalidate";
export type Selection =
  | { readonly ids: readonly number[] }
  | { readonly incident: string }
  | { readonly filter: Readonly<Record<string, string | readonly string[]>> };

export interface Change {
  readonly set?: Readonly<Record<string, string | number>>;
  readonly scale?: number;
  readonly offset?: number;
  readonly shift_ms?: number;
}

export interface ActionRequest {
  readonly action: ActionName;
  readonly selection: Selection;
  readonly change?: Change;
  readonly conflict?: "keep" | "replace";
  readonly note?: string;
  readonly dry_run?: boolean;
}

export interface DryRunSample {
  readonly id: number;
  readonly outcome: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly reason: string | null;
  readonly details: string | null;
  readonly stored: unknown;
}

export interface DryRun {
  readonly selected: number;
  readonly examined: number;
  readonly would: Readonly<Record<"store" | "identical" | "replace" | "keep" | "reject" | "reopen", number>>;
  readonly still_failing: Readonly<Record<string, number>>;
  readonly not_open: number;
  readonly samples: readonly DryRunSample[];
}

export interface Task {
  readonly id: string;
  readonly action: ActionName;
  readonly state: "queued" | "running" | "completed" | "failed" | "cancelled";
  readonly actor_name: string;
  readonly note: string | null;
  readonly selection: unknown;
  readonly change: unknown;
  readonly conflict: string | null;
  readonly selected: number;
  readonly done: number;
  readonly stored: number;
  readonly identical: number;
  readonly replaced: number;
  readonly changed: number;
  readonly failing: Readonly<Record<string, number>>;
  readonly not_open: number;
  readonly jobs: readonly string[];
  readonly created_at: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly error_message: string | null;
}
