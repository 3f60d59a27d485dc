/**
 * Incidents and what is not added to them yet, put together: for the leader, who adds it, and for readers, who see
 * each change exactly once whether it was added or not.
 *
 * The log has refusals by hour of the clock, within which any two are close enough to belong together. So a row of it
 * is a short incident, and what is at most an hour apart becomes one.
 */
import { REVIEW_STATUSES } from "../contract/review-status.ts";

export const SERIES = "system_id, sensor_id, reason";
export const INCIDENT_COLUMNS = [SERIES, "first_at, last_at, sample_id", ...REVIEW_STATUSES].join(", ");
const MEASURES = `min(first_at) AS first_at, max(last_at) AS last_at, max(sample_id) AS sample_id, ${REVIEW_STATUSES.map(
  (status) => `sum(${status})::bigint AS ${status}`,
).join(", ")}`;
const HOUR = "interval '1 hour'";
const KEY = ["system_id", "sensor_id", "reason"];
/** Incidents are more than an hour apart, so no more than three are within an hour of an hour. */
const NEAREST = 4;

/**
 * Definitions for WITH: `cells` (the changes by series and hour), `near` (the incidents that they touch) and `merged`
 * (those and the changes together: what takes the place of `near`).
 * @param changes name of the table of changes
 * @param take delete `near` while reading it; what comes after sees it deleted
 */
export function mergeDefinitions(changes: string, { take }: { readonly take: boolean }): string {
  const [how, end] = take ? ["DELETE", "RETURNING i.*"] : ["SELECT i.*", ""];
  const [from, other] = take ? ["FROM", "USING"] : ["FROM", ","];
  return `cells AS MATERIALIZED (SELECT ${SERIES}, hour, ${MEASURES} FROM ${changes} GROUP BY ${SERIES}, hour),
    touched AS MATERIALIZED (
      SELECT DISTINCT ${KEY.map((name) => `c.${name}`).join(", ")}, i.last_at FROM cells c CROSS JOIN LATERAL (
        SELECT first_at, last_at FROM diagnostics_quarantine_incident
        WHERE ${KEY.map((name) => `${name} = c.${name}`).join(" AND ")} AND last_at >= c.first_at - ${HOUR}
        ORDER BY last_at LIMIT ${NEAREST}) i
      WHERE i.first_at <= c.last_at + ${HOUR}),
    near AS (${how} ${from} diagnostics_quarantine_incident i ${other} touched t
      WHERE ${[...KEY, "last_at"].map((name) => `i.${name} = t.${name}`).join(" AND ")} ${end}),
    merged AS (
      SELECT ${SERIES}, ${MEASURES} FROM (
        SELECT *, count(*) FILTER (WHERE goes_on IS NOT TRUE)
          OVER (PARTITION BY ${SERIES} ORDER BY first_at, last_at ROWS UNBOUNDED PRECEDING) AS nth
        FROM (
          SELECT *, first_at <= ${HOUR} + max(last_at) OVER (PARTITION BY ${SERIES} ORDER BY first_at, last_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS goes_on
          FROM (SELECT ${INCIDENT_COLUMNS} FROM cells UNION ALL SELECT ${INCIDENT_COLUMNS} FROM near) parts
        ) marked) numbered
      GROUP BY ${SERIES}, nth)`;
}
