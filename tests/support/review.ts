/** Decisions about quarantined readings on a bench: what was refused, a desk to decide at, and what became of it. */
import { createUnitRegistry } from "../../src/contract/units.ts";
import { type OpenDesk, openDesk } from "../../src/review/open-desk.ts";
import { CHANGED_TOTALS } from "../../src/store/queries/quarantine-totals.ts";
import type { Decision } from "../../src/store/review/tasks.ts";
import { IngestBench } from "./ingest-bench.ts";

export const REVIEWER = "550e8400-e29b-41d4-a716-44665544eeee";

export interface ReviewedRow {
  readonly id: number;
  readonly reason: string;
  readonly review_status: string;
  readonly reviewed_by: string | null;
  readonly review_notes: string | null;
  readonly review_task_id: string | null;
  readonly stored_by_job: string | null;
}

export interface AuditRow {
  readonly actor: string;
  readonly actor_name: string;
  readonly action: string;
  readonly subject_id: string;
  readonly before: Record<string, unknown>;
  readonly after: Record<string, unknown>;
  readonly note: string | null;
}

export class ReviewBench {
  readonly #desks: OpenDesk[] = [];
  /** What the desks said of each reading that they committed. */
  readonly outcomes: string[] = [];

  private constructor(readonly ingest: IngestBench) {}

  static async create(): Promise<ReviewBench> {
    return new ReviewBench(await IngestBench.create());
  }

  /** A desk with a writer of its own, as another API or worker has. */
  desk(): OpenDesk {
    const rules = { units: createUnitRegistry(), registration: "auto" as const };
    const open = openDesk(this.ingest.database, `test:${this.#desks.length}`, rules, (outcome) =>
      this.outcomes.push(outcome),
    );
    this.#desks.push(open);
    return open;
  }

  /** Send readings and let them be judged. @returns the job */
  async send(readings: readonly unknown[], system_id?: string): Promise<string> {
    const job_id = await this.ingest.offer(readings, system_id);
    await this.ingest.work("w");
    return job_id;
  }

  async quarantined(): Promise<ReviewedRow[]> {
    const rows = await this.ingest.database.sql<ReviewedRow[]>`
      SELECT id::float8 AS id, reason, review_status, reviewed_by, review_notes, review_task_id, stored_by_job
      FROM diagnostics_quarantined_reading q ORDER BY q.id`;
    return [...rows];
  }

  async ids(): Promise<number[]> {
    return (await this.quarantined()).map(({ id }) => id);
  }

  /** The record of one reading, or of a task, oldest first. */
  async record(id: number | string, subject: "reading" | "task" = "reading"): Promise<AuditRow[]> {
    const rows = await this.ingest.database.sql<AuditRow[]>`
      SELECT actor, actor_name, action, subject_id, before, after, note FROM diagnostics_audit
      WHERE subject_type = ${subject} AND subject_id = ${String(id)} ORDER BY id`;
    return [...rows];
  }

  /** Quarantined readings by status, as the upkept counts say. */
  async keptCounts(): Promise<Record<string, number>> {
    const [row] = await this.ingest.database.sql<Record<string, number>[]>`
      SELECT coalesce(sum(pending), 0)::int AS pending, coalesce(sum(approved), 0)::int AS approved,
        coalesce(sum(rejected), 0)::int AS rejected, coalesce(sum(fixed), 0)::int AS fixed
      FROM (${this.ingest.database.sql.unsafe(CHANGED_TOTALS)}) c`;
    return { ...row };
  }

  async clear(): Promise<void> {
    await this.ingest.clear();
    await this.ingest.database.sql`
      TRUNCATE diagnostics_review_task, diagnostics_review_holding, diagnostics_quarantine_incident, diagnostics_quarantine_total,
        diagnostics_quarantine_change`;
  }

  async close(): Promise<void> {
    for (const { close } of this.#desks) await close();
    await this.ingest.close();
  }
}

/** A decision with an id of its own. */
export function decision(given: Pick<Decision, "action" | "selection"> & Partial<Decision>): Decision {
  return {
    id: Bun.randomUUIDv7(),
    change: null,
    conflict: null,
    note: null,
    systems: null,
    actor: REVIEWER,
    actor_name: "rita",
    ...given,
  };
}
