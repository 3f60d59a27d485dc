/** Jobs, newest first, by the indexes on (created_at, id). */
import type { JobRecord, JobState } from "../../contract/job.ts";
import type { TimeRange } from "../../contract/query-range.ts";
import type { Reach } from "../../contract/reach.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import { amongSystems } from "./conditions.ts";
import type { QueryOptions, Reader } from "./reader.ts";

export interface JobKey {
  /** RFC 3339 with all its microseconds. */
  readonly created_at: string;
  readonly job_id: string;
}

export interface JobFilter {
  /** Null: jobs of all users. */
  readonly created_by: string | null;
  readonly status: JobState | null;
  readonly system_id: string | null;
  /** True: only those whose batch Redis lost, and that were not stored since. */
  readonly lost: boolean;
  /** Only of these systems. */
  readonly reach: Reach;
  readonly range: TimeRange;
  readonly limit: number;
  /** Last one seen. */
  readonly after: JobKey | null;
}

export interface JobPage {
  readonly jobs: readonly JobRecord[];
  /** Null at the end. */
  readonly next: JobKey | null;
}

interface JobRow extends Omit<JobRecord, "created_at_ms" | "started_at_ms" | "completed_at_ms"> {
  readonly created_at: string;
  readonly started_at: string | null;
  readonly completed_at: string | null;
}

export class JobListQueries {
  constructor(private readonly reader: Reader) {}

  /** Throws what `Reader.rows` throws. */
  async page(filter: JobFilter, options?: QueryOptions): Promise<JobPage> {
    const { range, after, limit } = filter;
    const values: unknown[] = [formatTimestamp(range.from_us), formatTimestamp(range.to_us), limit + 1];
    const conditions = ["created_at >= $1", "created_at < $2"];
    const demand = (value: unknown, condition: (parameter: string) => string) => {
      if (value === null) return;
      values.push(value);
      conditions.push(condition(`$${values.length}`));
    };
    demand(filter.created_by, (p) => `created_by = ${p}`);
    demand(filter.system_id, (p) => `system_id = ${p}`);
    if (filter.reach !== null) {
      const add = (value: string, type: string) => `$${values.push(value)}::${type}`;
      conditions.push(amongSystems("system_id", filter.reach, { add }));
    }
    demand(filter.status, (p) => `status = ${p}`);
    if (filter.lost) conditions.push("lost_at IS NOT NULL");
    if (after) {
      values.push(after.created_at, after.job_id);
      conditions.push(`(created_at, id) < ($${values.length - 1}::timestamptz, $${values.length}::uuid)`);
    }
    const rows = await this.reader.rows<JobRow>(
      {
        label: "list of jobs",
        text: `SELECT id AS job_id, system_id, created_by, status, total_readings, inserted_readings,
            duplicate_readings, quarantined_readings, created_at, started_at, completed_at, error_message
          FROM diagnostics_ingestion_job WHERE ${conditions.join(" AND ")}
          ORDER BY created_at DESC, id DESC LIMIT $3`,
        values,
      },
      options,
    );
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      jobs: shown.map(toRecord),
      next: last && rows.length > limit ? { created_at: last.created_at, job_id: last.job_id } : null,
    };
  }
}

const ms = (text: string | null) => (text === null ? null : Date.parse(text));

function toRecord({ created_at, started_at, completed_at, ...job }: JobRow): JobRecord {
  return {
    ...job,
    created_at_ms: Date.parse(created_at),
    started_at_ms: ms(started_at),
    completed_at_ms: ms(completed_at),
  };
}
