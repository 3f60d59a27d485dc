/** Counts of quarantined readings from the totals that are kept of them, exactly. */
import { REVIEW_STATUSES } from "../../contract/review-status.ts";
import type { Sources } from "./quarantine-count-sources.ts";
import { all, type QuarantineFilter, reachConditions, type Values } from "./quarantine-filter.ts";

const TOTAL_COLUMNS = ["system_id, sensor_id, reason", ...REVIEW_STATUSES].join(", ");
/** The totals, and what was not added to them yet; in one statement they are of one moment. */
export const CHANGED_TOTALS = `SELECT ${TOTAL_COLUMNS} FROM diagnostics_quarantine_total
  UNION ALL SELECT ${TOTAL_COLUMNS} FROM diagnostics_quarantine_change`;

/** For filters without a text, an incident and a time: the totals know of no single reading. */
export function totalsSource(filter: QuarantineFilter, values: Values): Sources {
  const { system_id, sensor_id } = filter;
  const one = (column: string, id: string | null) =>
    id === null ? [] : [`${column} = ${values.add(id, "uuid")}`];
  const ofSystem = one("system_id", system_id);
  const ofSensor = one("sensor_id", sensor_id);
  const ofReason = `reason = ANY(${values.add(filter.reasons, "text[]")})`;
  const sums = REVIEW_STATUSES.map((status) => `sum(${status})::bigint AS ${status}`).join(", ");
  const turned = REVIEW_STATUSES.map((status) => `('${status}', ${status})`).join(", ");
  const chosen = `${filter.statuses.join(" + ")} AS n, false AS cut FROM totals`;
  return {
    name: "totals",
    // Read where it is used: 100,000 rows are more than work_mem takes, and a system's own are found by the key.
    tables: `totals AS NOT MATERIALIZED (
        SELECT * FROM (${CHANGED_TOTALS}) s WHERE ${all(reachConditions(filter.reach, values, "s"))}),
      cells AS MATERIALIZED (
        SELECT reason, t.status, t.n, false AS cut
        FROM (SELECT reason, ${sums} FROM totals WHERE ${all([...ofSystem, ...ofSensor])} GROUP BY reason) s
        CROSS JOIN LATERAL (VALUES ${turned}) t (status, n)),
      systems AS (
        SELECT system_id, NULL::uuid AS sensor_id, ${chosen} WHERE ${all([ofReason, ...ofSensor])}),
      sensors AS (
        SELECT system_id, sensor_id, ${chosen} WHERE ${all([ofReason, ...ofSystem])})`,
    cells: "cells",
    bySystem: "systems",
    bySensor: "sensors",
    narrowed: true,
    chosen: true,
    cutsAll: "FALSE",
    exact: true,
  };
}
