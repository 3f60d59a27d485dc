/**
 * Upkeep of the incidents and totals of quarantined readings; for the maintenance leader only.
 *
 * A writer's change rows commit together with its readings. Adding them up takes them from the log and puts them into
 * both tables in one statement, so readers, who read the log and a table in one statement, see each change exactly once.
 */
import { REVIEW_STATUSES } from "../contract/review-status.ts";
import { ADVISORY_LOCKS } from "./advisory-locks.ts";
import type { DedicatedSession } from "./dedicated-session.ts";
import { INCIDENT_COLUMNS, mergeDefinitions, SERIES } from "./incident-merge.ts";

/** Rows of the log that one statement takes; a log of any size is taken in bounded steps. */
const TAKE_ROWS = 50_000;

const STATUSES = REVIEW_STATUSES.join(", ");
const FOLD = `WITH gone AS (
    DELETE FROM diagnostics_quarantine_change
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM diagnostics_quarantine_change LIMIT ${TAKE_ROWS}))
    RETURNING *),
  ${mergeDefinitions("gone", { take: true })},
  totals AS (
    INSERT INTO diagnostics_quarantine_total AS t (${SERIES}, ${STATUSES})
    SELECT ${SERIES}, ${REVIEW_STATUSES.map((s) => `sum(${s})`).join(", ")} FROM cells GROUP BY ${SERIES}
    ON CONFLICT (${SERIES}) DO UPDATE SET ${REVIEW_STATUSES.map((s) => `${s} = t.${s} + EXCLUDED.${s}`).join(", ")}),
  incidents AS (
    INSERT INTO diagnostics_quarantine_incident (${INCIDENT_COLUMNS}) SELECT ${INCIDENT_COLUMNS} FROM merged)
  SELECT count(*)::int AS rows FROM gone`;

/** Add one step of the log. @returns log rows taken, and whether there are more */
export async function foldQuarantineChanges(
  session: Pick<DedicatedSession, "query" | "transaction">,
): Promise<{ rows: number; more: boolean }> {
  const [row] = await session.transaction(async () => {
    // Two who merge at once would each miss what the other has merged.
    await session.query("SELECT pg_advisory_xact_lock($1)", [ADVISORY_LOCKS.quarantine_fold]);
    return session.query<{ rows: number }>(FOLD);
  });
  const rows = row?.rows ?? 0;
  return { rows, more: rows === TAKE_ROWS };
}
