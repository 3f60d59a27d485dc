/** Quarantined readings get their new status, and the record its lines, in the transaction that stores them. */
import type { ReviewStatus } from "../../contract/review-status.ts";
import type { WriterTransaction } from "../writer/connection.ts";
import type { Decision } from "./tasks.ts";

/** One reading's way. */
export interface ReviewChange {
  readonly id: number;
  readonly system_id: string;
  readonly from: ReviewStatus;
  readonly to: ReviewStatus;
  /** The job that stores it, or null. */
  readonly job_id: string | null;
  /** JSON values for the record. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Somebody else has decided on some of the readings, or stored their keys; nothing was written. */
export class ReviewRaceError extends Error {
  override readonly name = "ReviewRaceError";
}

/** In the order of the ids: reviews of overlapping selections wait for each other and do not deadlock. */
const LOCK = `SELECT q.id FROM diagnostics_quarantined_reading q
  JOIN unnest($1::bigint[], $2::text[]) AS c (id, status) ON c.id = q.id AND c.status = q.review_status
  ORDER BY q.id FOR UPDATE OF q`;
const UPDATE = `UPDATE diagnostics_quarantined_reading q SET review_status = c.status, reviewed_by = $4,
    reviewed_at = clock_timestamp(), review_notes = $5, review_task_id = $6, stored_by_job = c.job_id
  FROM unnest($1::bigint[], $2::text[], $3::uuid[]) AS c (id, status, job_id) WHERE q.id = c.id`;
const AUDIT = `INSERT INTO diagnostics_audit
    (actor, actor_name, action, subject_type, subject_id, system_id, task_id, before, after, note)
  SELECT $1::uuid, $2, $3, 'reading', c.id, c.system_id, $4::uuid, c.before::json, c.after::json, $5
  FROM unnest($6::text[], $7::text[], $8::text[], $9::uuid[]) AS c (id, before, after, system_id)`;

/** @throws {ReviewRaceError} */
export async function settleReview(
  tx: WriterTransaction,
  decision: Decision,
  changes: readonly ReviewChange[],
): Promise<void> {
  if (changes.length === 0) return;
  const ids = changes.map(({ id }) => id);
  const open = await tx.query(LOCK, [ids, changes.map(({ from }) => from)]);
  if (open.length !== changes.length) throw new ReviewRaceError("readings were decided on in the meantime");
  const { id: task_id, actor, actor_name, action, note } = decision;
  await tx.query(UPDATE, [
    ids,
    changes.map(({ to }) => to),
    changes.map(({ job_id }) => job_id),
    actor,
    note,
    task_id,
  ]);
  await tx.query(AUDIT, [
    actor,
    actor_name,
    action,
    task_id,
    note,
    ids.map(String),
    changes.map(({ before }) => JSON.stringify(before)),
    changes.map(({ after }) => JSON.stringify(after)),
    changes.map(({ system_id }) => system_id),
  ]);
}
