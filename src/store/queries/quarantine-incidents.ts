/** Incidents: refusals of one system, sensor and reason, each at most an hour after the one before. */
import { encodeIncidentKey } from "../../contract/incident-key.ts";
import type { Incident } from "../../contract/quarantine-review.ts";
import { REFUSAL_REASONS, type RefusalReason } from "../../contract/refusal.ts";
import { REVIEW_STATUSES, type ReviewStatus } from "../../contract/review-status.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import { INCIDENT_COLUMNS, mergeDefinitions } from "../incident-merge.ts";
import { amongSystems } from "./conditions.ts";
import { all, type QuarantineFilter, reachConditions, Values } from "./quarantine-filter.ts";
import { ITEM_COLUMNS, ITEM_SOURCE, NO_SENSOR } from "./quarantine-item.ts";
import type { QueryOptions, Reader } from "./reader.ts";
import { objectText } from "./table-text.ts";

/** Incidents that have a reading in one of the statuses; `from_us` and `to_us` are about the incident's own time. */
export type IncidentFilter = Omit<QuarantineFilter, "incident" | "job_id" | "q">;

export interface IncidentPosition {
  /** RFC 3339 with all its microseconds. */
  readonly last_at: string;
  readonly system_id: string;
  readonly sensor_id: string | null;
  readonly reason: RefusalReason;
}

export interface IncidentPage {
  readonly incidents: readonly Incident[];
  readonly next: IncidentPosition | null;
}

interface IncidentRow extends Readonly<Record<ReviewStatus, number>> {
  readonly system_id: string;
  readonly system_name: string | null;
  readonly sensor_id: string;
  readonly sensor_name: string | null;
  readonly unit: string | null;
  readonly reason: RefusalReason;
  readonly first_at: string;
  readonly last_at: string;
  readonly sample: string;
}

const ORDER = "ORDER BY last_at DESC, system_id DESC, sensor_id DESC, reason DESC";
const KEY = "system_id, sensor_id, reason, last_at";

export class IncidentQueries {
  constructor(private readonly reader: Reader) {}

  /**
   * Newest last refusal first. Throws what `Reader.rows` throws.
   * @param after last one seen
   */
  async page(
    filter: IncidentFilter,
    after: IncidentPosition | null,
    limit: number,
    options?: QueryOptions,
  ): Promise<IncidentPage> {
    const values = new Values();
    const text = statementText(filter, after, limit, values);
    const rows = await this.reader.rows<IncidentRow>(
      { label: "incidents", text, values: values.list },
      options,
    );
    const incidents = rows.slice(0, limit).map(toIncident);
    return { incidents, next: rows.length > limit ? (incidents.at(-1) ?? null) : null };
  }
}

/** Incidents that no change touches come from their table in its order; the few others are put together. */
function statementText(
  filter: IncidentFilter,
  after: IncidentPosition | null,
  limit: number,
  values: Values,
): string {
  const series = all(seriesConditions(filter, values));
  const shown = all(shownConditions(filter, after, values));
  const some = `${ORDER} LIMIT ${values.add(limit, "int")} + 1`;
  return `WITH changes AS MATERIALIZED (SELECT * FROM diagnostics_quarantine_change WHERE ${series}),
    ${mergeDefinitions("changes", { take: false })},
    untouched AS (
      SELECT ${INCIDENT_COLUMNS} FROM diagnostics_quarantine_incident
      WHERE ${series} AND ${shown} AND (${KEY}) NOT IN (SELECT ${KEY} FROM touched) ${some}),
    page AS MATERIALIZED (
      SELECT * FROM (
        SELECT * FROM untouched UNION ALL SELECT ${INCIDENT_COLUMNS} FROM merged WHERE ${shown}) i ${some})
    SELECT page.system_id, y.name AS system_name, page.sensor_id, s.name AS sensor_name, s.unit, page.reason,
      first_at, last_at, ${REVIEW_STATUSES.join(", ")}, sample.item AS sample
    FROM page LEFT JOIN diagnostics_system y ON y.id = page.system_id
    LEFT JOIN diagnostics_sensor s ON s.id = page.sensor_id AND ${all(reachConditions(filter.reach, values, "s"))}
    CROSS JOIN LATERAL (SELECT ${objectText(ITEM_COLUMNS)} AS item FROM (${ITEM_SOURCE} WHERE q.id = page.sample_id) i) sample
    ORDER BY last_at DESC, page.system_id DESC, page.sensor_id DESC, page.reason DESC`;
}

/** Conditions on the series of incidents and of changes. */
function seriesConditions(
  { reach, system_id, sensor_id, reasons }: IncidentFilter,
  values: Values,
): string[] {
  const one = (column: string, id: string | null) =>
    id === null ? [] : [`${column} = ${values.add(id, "uuid")}`];
  const some = reasons.length < REFUSAL_REASONS.length;
  return [
    ...(reach === null ? [] : [amongSystems("system_id", reach, values)]),
    ...one("system_id", system_id),
    ...one("sensor_id", sensor_id),
    ...(some ? [`reason = ANY(${values.add(reasons, "text[]")})`] : []),
  ];
}

/** Conditions on an incident as a whole: its statuses, its time, and its place after the page before. */
function shownConditions(
  { statuses, from_us, to_us }: IncidentFilter,
  after: IncidentPosition | null,
  values: Values,
): string[] {
  const conditions = [`(${statuses.map((status) => `${status} > 0`).join(" OR ")})`];
  if (from_us !== null) conditions.push(`last_at >= ${values.add(formatTimestamp(from_us), "timestamptz")}`);
  if (to_us !== null) conditions.push(`first_at < ${values.add(formatTimestamp(to_us), "timestamptz")}`);
  if (after) {
    const place = [
      values.add(after.last_at, "timestamptz"),
      values.add(after.system_id, "uuid"),
      values.add(after.sensor_id ?? NO_SENSOR, "uuid"),
      values.add(after.reason, "text"),
    ];
    conditions.push(`(last_at, system_id, sensor_id, reason) < (${place.join(", ")})`);
  }
  return conditions;
}

function toIncident(row: IncidentRow): Incident {
  const { system_id, system_name, sensor_name, unit, reason, first_at, last_at } = row;
  const { pending, approved, rejected, fixed } = row;
  const sensor_id = row.sensor_id === NO_SENSOR ? null : row.sensor_id;
  return {
    key: encodeIncidentKey({ system_id, sensor_id, reason, first_at, last_at }),
    system_id,
    system_name,
    sensor_id,
    sensor_name,
    unit,
    reason,
    first_at,
    last_at,
    count: pending + approved + rejected + fixed,
    statuses: { pending, approved, rejected, fixed },
    sample: JSON.parse(row.sample) as Incident["sample"],
  };
}
