/** Is what reviewers decided exactly what is stored, and on record once? */
import type postgres from "postgres";
import { wrongReviews } from "../../tests/support/review-oracle.ts";
import type { DataShape } from "./batches.ts";
import type { Difference } from "./difference.ts";
import { heldBefore, keyOf, REVIEW_SYSTEM_ID, sentValue } from "./review-plan.ts";
import type { ReviewedBatch } from "./reviewers.ts";

export interface HeldDecision {
  readonly id: number;
  readonly job_id: string;
  readonly sensor_id: string;
  readonly at_ms: number;
  readonly status: string;
  /** Lines of the record about it. */
  readonly lines: number;
}

export interface HeldReviews {
  readonly decisions: readonly HeldDecision[];
  /** Stored values by sensor and ms since the epoch. */
  readonly stored: ReadonlyMap<string, number>;
  /** Tasks that are not over. */
  readonly open: number;
  /** What contradicts itself in the tables. */
  readonly wrong: readonly string[];
}

export async function heldReviews(sql: postgres.Sql): Promise<HeldReviews> {
  const decisions = await sql<HeldDecision[]>`
    SELECT id::float8 AS id, job_id, sensor_id, (extract(epoch FROM "timestamp") * 1000)::float8 AS at_ms,
      review_status AS status, (SELECT count(*)::int FROM diagnostics_audit a
        WHERE a.subject_type = 'reading' AND a.subject_id = q.id::text) AS lines
    FROM diagnostics_quarantined_reading q WHERE system_id = ${REVIEW_SYSTEM_ID}`;
  const rows = await sql<{ sensor_id: string; at_ms: number; value: number }[]>`
    SELECT sensor_id, (extract(epoch FROM "timestamp") * 1000)::float8 AS at_ms, value
    FROM diagnostics_sensordata WHERE system_id = ${REVIEW_SYSTEM_ID}`;
  const [open] = await sql<{ n: number }[]>`SELECT count(*)::int AS n FROM diagnostics_review_task
    WHERE state NOT IN ('completed', 'cancelled')`;
  const wrong = await wrongReviews(sql);
  return {
    decisions,
    stored: new Map(rows.map(({ sensor_id, at_ms, value }) => [`${sensor_id} ${at_ms}`, value])),
    open: open?.n ?? 0,
    wrong: wrong.map(({ what, cases }) => `${what}: ${JSON.stringify(cases)}`),
  };
}

export function judgeReviews(
  shape: DataShape,
  reviewed: readonly ReviewedBatch[],
  held: HeldReviews,
): Difference[] {
  const found: Difference[] = held.wrong.map((what) => differs(what));
  if (held.open > 0) found.push(differs(`${held.open} review tasks are not over, or have failed`));
  const byJob = Map.groupBy(held.decisions, ({ job_id }) => job_id);
  const keys = new Set<string>();
  for (const one of reviewed) {
    const wrong = judgeBatch(shape, one, byJob.get(one.job_id) ?? [], held.stored, keys);
    if (wrong !== null)
      found.push({ ...differs(wrong), lane: one.batch.lane, n: one.batch.n, job_id: one.job_id });
  }
  const others = [...held.stored.keys()].filter((key) => !keys.has(key));
  if (others.length > 0)
    found.push(differs(`${others.length} readings of reviewers are stored that must not be: ${others[0]}`));
  return found;
}

/** The first thing that is not as it has to be, null when all is. */
function judgeBatch(
  shape: DataShape,
  { batch, taken }: ReviewedBatch,
  decisions: readonly HeldDecision[],
  stored: ReadonlyMap<string, number>,
  keys: Set<string>,
): string | null {
  const name = `review of batch ${batch.n} of reviewer ${batch.lane} after ${taken} of ${batch.steps.map(({ action }) => action).join(", ")}`;
  const byKey = new Map(decisions.map((one) => [`${one.sensor_id} ${one.at_ms}`, one]));
  if (byKey.size !== batch.refused || decisions.length !== batch.refused)
    return `${name}: ${decisions.length} readings are refused, not ${batch.refused}`;
  const step = batch.steps[taken - 1];
  for (let i = 0; i < batch.refused; i += 1) {
    const { sensor_id, at_ms } = keyOf(shape, batch, i);
    const key = `${sensor_id} ${at_ms}`;
    const value = step ? step.stored(sentValue(batch, i)) : heldBefore(batch, i);
    if (value !== null) keys.add(key);
    const is = stored.get(key) ?? null;
    if (is !== value) return `${name}: ${key} is stored as ${is}, and must be ${value}`;
    const decision = byKey.get(key);
    const status = step?.status ?? "pending";
    if (decision?.status !== status || decision.lines !== taken)
      return `${name}: ${key} is ${decision?.status} with ${decision?.lines} lines of record, and must be ${status} with ${taken}`;
  }
  return null;
}

const differs = (what: string): Difference => ({ what, lane: null, n: null, job_id: null, at_ms: null });
