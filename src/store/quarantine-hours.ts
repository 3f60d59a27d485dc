/**
 * Upkeep of the sums of quarantined readings by hour; for the maintenance leader only.
 *
 * A writer's change rows commit together with its readings. Adding them up takes them from the log and puts them into
 * the sums in one statement, so readers, who read both in one statement, see each change exactly once. A sum may be
 * below zero while the row that it was taken from still waits in the log.
 */
import { REVIEW_STATUSES } from "../contract/review-status.ts";
import type { DedicatedSession } from "./dedicated-session.ts";

/** Rows of the log that one statement takes; a log of any size is taken in bounded steps. */
const TAKE_ROWS = 50_000;

const KEY = "system_id, sensor_id, reason, hour";
const STATUSES = REVIEW_STATUSES.join(", ");
const FOLD = `WITH gone AS (
    DELETE FROM diagnostics_quarantine_change
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM diagnostics_quarantine_change LIMIT ${TAKE_ROWS}))
    RETURNING *),
  added AS (
    INSERT INTO diagnostics_quarantine_hour AS h (${KEY}, first_at, last_at, sample_id, ${STATUSES})
    SELECT ${KEY}, min(first_at), max(last_at), max(sample_id), ${REVIEW_STATUSES.map((s) => `sum(${s})`).join(", ")}
    FROM gone GROUP BY ${KEY} ORDER BY ${KEY}
    ON CONFLICT (${KEY}) DO UPDATE SET first_at = least(h.first_at, EXCLUDED.first_at),
      last_at = greatest(h.last_at, EXCLUDED.last_at), sample_id = greatest(h.sample_id, EXCLUDED.sample_id),
      ${REVIEW_STATUSES.map((s) => `${s} = h.${s} + EXCLUDED.${s}`).join(", ")})
  SELECT count(*)::int AS rows FROM gone`;

/** Add one step of the log to the sums. @returns log rows taken, and whether there are more */
export async function foldQuarantineChanges(
  session: Pick<DedicatedSession, "query">,
): Promise<{ rows: number; more: boolean }> {
  const rows = (await session.query<{ rows: number }>(FOLD))[0]?.rows ?? 0;
  return { rows, more: rows === TAKE_ROWS };
}
