/** What was sent, what must have become of it, and what the service says became of it. */
import type { Acceptance, Job } from "../../client/index.ts";
import { REFUSAL_REASONS, type RefusalReason } from "../../contract/refusal.ts";
import { Histogram } from "../histogram.ts";
import type { PlannedBatch } from "./batches.ts";

/** One count held against what it must be. */
export interface Check {
  readonly name: string;
  readonly expected: number;
  readonly actual: number;
}

type ByReason = Record<RefusalReason, number>;
const zeroByReason = () => Object.fromEntries(REFUSAL_REASONS.map((r) => [r, 0])) as ByReason;

/** Problems that are listed one by one; the rest is only counted. */
const LISTED_PROBLEMS = 20;

export class Tally {
  sent_batches = 0;
  sent_readings = 0;
  accepted_batches = 0;
  accepted_readings = 0;
  ended_batches = 0;
  total = 0;
  inserted = 0;
  duplicate = 0;
  /** As the jobs count it. */
  quarantined = 0;
  failed_jobs = 0;
  /** Jobs that ended with inserted + duplicate + quarantined other than total, or total other than sent. */
  unbalanced_jobs = 0;
  readonly by_reason = zeroByReason();
  readonly expected_by_reason = zeroByReason();
  expected_inserted = 0;
  expected_duplicate = 0;
  expected_failed = 0;
  /** How late batches were sent, ms behind the schedule. */
  readonly lateness = new Histogram();
  /** From sending a batch to its 202, retries included, ms. */
  readonly accept = new Histogram();
  /** From the acceptance of a batch to the end of its job, by the service's own times, ms. */
  readonly commit = new Histogram();
  readonly problems: string[] = [];
  more_problems = 0;
  #first_created_ms = Number.POSITIVE_INFINITY;
  #last_completed_ms = Number.NEGATIVE_INFINITY;

  /** @param late_ms behind the plan */
  sent(batch: PlannedBatch, late_ms: number): void {
    this.sent_batches += 1;
    this.sent_readings += batch.readings;
    this.lateness.add(late_ms);
  }

  /** From now on the batch counts among what is expected. */
  accepted(batch: PlannedBatch, acceptance: Acceptance): void {
    this.accepted_batches += 1;
    this.accepted_readings += batch.readings;
    this.accept.add(acceptance.took_ms);
    const { inserted, duplicate, quarantined, fails } = batch.expected;
    this.expected_inserted += inserted;
    this.expected_duplicate += duplicate;
    this.expected_failed += fails ? 1 : 0;
    for (const [reason, n] of Object.entries(quarantined)) {
      this.expected_by_reason[reason as RefusalReason] += n;
    }
  }

  /** @param reasons counts of the job's quarantine by reason */
  ended(batch: PlannedBatch, job: Job, reasons: Partial<ByReason>): void {
    this.ended_batches += 1;
    this.total += job.total_readings;
    this.inserted += job.inserted_readings;
    this.duplicate += job.duplicate_readings;
    this.quarantined += job.quarantined_readings;
    for (const reason of REFUSAL_REASONS) this.by_reason[reason] += reasons[reason] ?? 0;
    const accounted = job.inserted_readings + job.duplicate_readings + job.quarantined_readings;
    if (accounted !== job.total_readings || job.total_readings !== batch.readings) this.unbalanced_jobs += 1;
    if (job.status === "failed") {
      this.failed_jobs += 1;
      if (!batch.expected.fails) this.problem(`batch ${batch.number}: job failed: ${job.error_message}`);
    }
    const created_ms = Date.parse(job.created_at);
    const completed_ms = Date.parse(job.completed_at ?? "");
    if (Number.isNaN(created_ms) || Number.isNaN(completed_ms)) return;
    this.commit.add(Math.max(0, completed_ms - created_ms));
    this.#first_created_ms = Math.min(this.#first_created_ms, created_ms);
    this.#last_completed_ms = Math.max(this.#last_completed_ms, completed_ms);
  }

  /** Something that must not be; beyond the first ones they are only counted. */
  problem(text: string): void {
    if (this.problems.length < LISTED_PROBLEMS) this.problems.push(text);
    else this.more_problems += 1;
  }

  /** Rows stored per second, from the first acceptance to the last commit; null when nothing was stored. */
  rowsPerSecond(): number | null {
    const took_ms = this.#last_completed_ms - this.#first_created_ms;
    return this.inserted > 0 && took_ms > 0 ? (this.inserted / took_ms) * 1000 : null;
  }

  /** Every count of the run against what it must be. */
  checks(): Check[] {
    return [
      { name: "batches accepted", expected: this.sent_batches, actual: this.accepted_batches },
      { name: "readings accepted", expected: this.sent_readings, actual: this.accepted_readings },
      { name: "jobs ended", expected: this.accepted_batches, actual: this.ended_batches },
      { name: "readings in jobs", expected: this.accepted_readings, actual: this.total },
      { name: "jobs that do not add up", expected: 0, actual: this.unbalanced_jobs },
      { name: "jobs failed", expected: this.expected_failed, actual: this.failed_jobs },
      { name: "inserted", expected: this.expected_inserted, actual: this.inserted },
      { name: "duplicate", expected: this.expected_duplicate, actual: this.duplicate },
      { name: "quarantined", expected: sum(this.expected_by_reason), actual: this.quarantined },
      ...REFUSAL_REASONS.map((reason) => ({
        name: `quarantined: ${reason}`,
        expected: this.expected_by_reason[reason],
        actual: this.by_reason[reason],
      })),
    ];
  }
}

function sum(counts: ByReason): number {
  return Object.values(counts).reduce((total, n) => total + n, 0);
}
