/** Where a ramp bends: the last step before accept p95 or the backlog leave their bounds. */
import { Histogram } from "../../src/feed/histogram.ts";
import type { HeldJob } from "./held.ts";
import { fateOf, type SentBatch } from "./record.ts";

/** Bounds of a step. */
export const IN_BOUNDS = { accept_p95_ms: 100, stored_p95_ms: 1_000, sent_share: 0.95 } as const;

export interface Step {
  /** Wanted, and accepted; rows/s. */
  readonly wanted: number;
  readonly accepted: number;
  readonly not_accepted: number;
  readonly accept_p95_ms: number | null;
  /** From acceptance until the rows are stored. */
  readonly stored_p95_ms: number | null;
  /** null: in bounds; else what is not. */
  readonly beyond: string | null;
}

export interface Ramp {
  readonly steps: readonly Step[];
  /** Rows/s; null when not even the first step was in bounds. */
  readonly knee: number | null;
}

export interface RampShape {
  /** Rows/s of each step. */
  readonly pace: readonly number[];
  readonly step_s: number;
  readonly batch: number;
}

/** @param begin_ms when the first step began, ms since the epoch */
export function rampOf(shape: RampShape, sent: readonly SentBatch[], jobs: readonly HeldJob[]): Ramp {
  const begin_ms = sent.reduce((least, { at_ms }) => Math.min(least, at_ms), Number.POSITIVE_INFINITY);
  const known = new Map(jobs.map((job) => [job.job_id, job]));
  const steps = shape.pace.map((wanted, i) => {
    const from_ms = begin_ms + i * shape.step_s * 1000;
    const own = sent.filter(({ at_ms }) => at_ms >= from_ms && at_ms < from_ms + shape.step_s * 1000);
    return stepOf(wanted, shape, own, known);
  });
  const beyond = steps.findIndex((step) => step.beyond !== null);
  const within = beyond < 0 ? steps : steps.slice(0, beyond);
  return { steps, knee: within.at(-1)?.wanted ?? null };
}

function stepOf(
  wanted: number,
  { step_s, batch }: RampShape,
  sent: readonly SentBatch[],
  jobs: ReadonlyMap<string, HeldJob>,
): Step {
  const [accept, stored] = [new Histogram(), new Histogram()];
  for (const { took_ms, job_id } of sent) {
    if (job_id === null) continue;
    accept.add(took_ms);
    const job = jobs.get(job_id);
    if (job?.completed_at_ms) stored.add(Math.max(0, job.completed_at_ms - job.created_at_ms));
  }
  const step = {
    wanted,
    accepted: Math.round((accept.count * batch) / step_s),
    not_accepted: sent.filter((one) => fateOf(one) !== "accepted").length,
    accept_p95_ms: accept.quantile(0.95),
    stored_p95_ms: stored.quantile(0.95),
  };
  return { ...step, beyond: beyondOf(step) };
}

function beyondOf(step: Omit<Step, "beyond">): string | null {
  if (step.not_accepted > 0) return `${step.not_accepted} requests not accepted`;
  if ((step.accept_p95_ms ?? 0) > IN_BOUNDS.accept_p95_ms) return "accept p95";
  if ((step.stored_p95_ms ?? 0) > IN_BOUNDS.stored_p95_ms) return "backlog";
  return step.accepted < step.wanted * IN_BOUNDS.sent_share ? "k6 could not send more" : null;
}
