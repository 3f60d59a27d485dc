/**
 * Incidents: refusals of one system, sensor and reason, each at most an hour after the one before. Within an hour of
 * the clock any two are as close, so the sums by hour are enough: hours whose first refusal comes at most an hour
 * after the last one before belong together.
 */
import { encodeIncidentKey } from "../../contract/incident-key.ts";
import type { Incident } from "../../contract/quarantine-review.ts";
import { DAY_US, MIN_TIME_US } from "../../contract/query-range.ts";
import type { RefusalReason } from "../../contract/refusal.ts";
import { REVIEW_STATUSES, type ReviewStatus } from "../../contract/review-status.ts";
import { formatTimestamp, parseTimestamp_us } from "../../contract/timestamp.ts";
import { SUMS } from "./quarantine-count-sources.ts";
import { all, conditionsOf, type QuarantineFilter, Values } from "./quarantine-filter.ts";
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

const SERIES = "PARTITION BY system_id, sensor_id, reason ORDER BY hour";
/** As float8, which is exact up to 2^53 as our integers are: sums of bigint are numeric, half of the time of a page. */
const STATUS_SUMS = REVIEW_STATUSES.map((status) => `sum(${status}::float8) AS ${status}`).join(", ");
const MEASURES = `min(first_at) AS first_at, max(last_at) AS last_at, max(sample_id) AS sample_id, ${STATUS_SUMS}`;
const ORDER = "ORDER BY last_at DESC, system_id DESC, sensor_id DESC, reason DESC";
const HOUR_US = 3_600_000_000;
/** How far back a page is looked for, first and then, days; after that without a bound. */
const HORIZONS_DAYS = [0.25, 2, 16] as const;

export class IncidentQueries {
  constructor(private readonly reader: Reader) {}

  /**
   * Newest last refusal first. Throws what `Reader.rows` throws.
   * @param after last one seen
   * @param now_us where to begin without `after`
   */
  async page(
    filter: IncidentFilter,
    after: IncidentPosition | null,
    limit: number,
    now_us: number,
    options?: QueryOptions,
  ): Promise<IncidentPage> {
    let rows: IncidentRow[] = [];
    for (const horizon_us of horizonsOf(filter, after ? parseTimestamp_us(after.last_at) : now_us)) {
      const values = new Values();
      const text = statementText(filter, after, limit, horizon_us, values);
      rows = await this.reader.rows<IncidentRow>({ label: "incidents", text, values: values.list }, options);
      if (rows.length > limit) break;
    }
    const incidents = rows.slice(0, limit).map(toIncident);
    return { incidents, next: rows.length > limit ? (incidents.at(-1) ?? null) : null };
  }
}

/**
 * Hours before which no hour is looked at, µs; null: all are. A page mostly lies in the last days of a history of years.
 * Every incident that ends after such an hour is found, so a page that is full is right.
 */
function horizonsOf({ from_us, sensor_id }: IncidentFilter, begin_us: number): (number | null)[] {
  const least_us = from_us === null ? null : hourOf(from_us);
  // All hours of one sensor are fewer than the last ones of all.
  if (sensor_id !== null) return [least_us];
  const steps = HORIZONS_DAYS.map((days) => hourOf(begin_us - days * DAY_US));
  return [...steps.filter((at_us) => at_us > (least_us ?? MIN_TIME_US)), least_us];
}
const hourOf = (at_us: number) => Math.floor(at_us / HOUR_US) * HOUR_US;

function statementText(
  filter: IncidentFilter,
  after: IncidentPosition | null,
  limit: number,
  horizon_us: number | null,
  values: Values,
): string {
  const wanted = `(${filter.statuses.map((status) => `${status} > 0`).join(" OR ")})`;
  const horizon = horizon_us === null ? null : values.add(formatTimestamp(horizon_us), "timestamptz");
  const hours = hoursLookedAt(filter, after, horizon, wanted, values);
  const exact = ["first_at", "sample_id", ...REVIEW_STATUSES];
  const begun =
    filter.to_us === null ? [] : [`first_at < ${values.add(formatTimestamp(filter.to_us), "timestamptz")}`];
  // An incident that may have begun before the horizon is made again from its whole series, but only for this page.
  return `WITH page AS MATERIALIZED (
      SELECT * FROM (
        SELECT late.system_id, late.sensor_id, late.reason, late.last_at,
          ${exact.map((name) => `coalesce(whole.${name}, late.${name}) AS ${name}`).join(", ")}
        FROM (SELECT * FROM (${islands(hours)}) i WHERE ${all(ends(filter, after, values))} ${ORDER}) late
        LEFT JOIN LATERAL (SELECT * FROM (${islands(
          ["system_id", "sensor_id", "reason"].map((name) => `${name} = late.${name}`),
        )}) i WHERE i.last_at = late.last_at) whole ON ${horizon ? `late.first_at <= ${horizon} + interval '1 hour'` : "FALSE"}
      ) incidents WHERE ${all([wanted, ...begun])} ${ORDER} LIMIT ${values.add(limit, "int")} + 1)
    SELECT page.system_id, y.name AS system_name, page.sensor_id, s.name AS sensor_name, s.unit, page.reason,
      first_at, last_at, ${REVIEW_STATUSES.join(", ")}, sample.item AS sample
    FROM page LEFT JOIN diagnostics_system y ON y.id = page.system_id
    LEFT JOIN diagnostics_sensor s ON s.id = page.sensor_id
    CROSS JOIN LATERAL (SELECT ${objectText(ITEM_COLUMNS)} AS item FROM (${ITEM_SOURCE} WHERE q.id = page.sample_id) i) sample
    ORDER BY last_at DESC, page.system_id DESC, page.sensor_id DESC, page.reason DESC`;
}

/** Conditions on the hours by system, sensor and reason that a page is looked for in. */
function hoursLookedAt(
  filter: IncidentFilter,
  after: IncidentPosition | null,
  horizon: string | null,
  wanted: string,
  values: Values,
): string[] {
  const conditions = conditionsOf(
    { ...filter, ids: null, incident: null, job_id: null, q: null },
    ["system_id", "sensor_id"],
    values,
    "sums",
  );
  conditions.push(`reason = ANY(${values.add(filter.reasons, "text[]")})`);
  if (horizon) conditions.push(`hour >= ${horizon}`);
  else if (filter.statuses.length < REVIEW_STATUSES.length) {
    conditions.push(
      `(system_id, sensor_id, reason) IN (SELECT system_id, sensor_id, reason FROM (${SUMS}) w WHERE ${wanted})`,
    );
  }
  if (after) {
    // What ends at `after` or before is cut by nothing later: it would go on within an hour.
    const end_us = hourOf(parseTimestamp_us(after.last_at)) + 2 * HOUR_US;
    conditions.push(`hour < ${values.add(formatTimestamp(end_us), "timestamptz")}`);
  }
  return conditions;
}

/** Incidents made from the hours that fulfil the conditions. */
function islands(conditions: readonly string[]): string {
  return `SELECT system_id, sensor_id, reason, ${MEASURES} FROM (
      SELECT *, count(*) FILTER (WHERE goes_on IS NOT TRUE) OVER (${SERIES} ROWS UNBOUNDED PRECEDING) AS nth FROM (
        SELECT *, first_at <= lag(last_at) OVER (${SERIES}) + interval '1 hour' AS goes_on FROM (
          SELECT system_id, sensor_id, reason, hour, ${MEASURES} FROM (${SUMS}) sums WHERE ${all(conditions)}
          GROUP BY system_id, sensor_id, reason, hour) cells) marked) numbered
    GROUP BY system_id, sensor_id, reason, nth`;
}

/** Conditions on the end of an incident. */
function ends({ from_us }: IncidentFilter, after: IncidentPosition | null, values: Values): string[] {
  const conditions =
    from_us === null ? [] : [`last_at >= ${values.add(formatTimestamp(from_us), "timestamptz")}`];
  if (after) {
    const key = [
      values.add(after.last_at, "timestamptz"),
      values.add(after.system_id, "uuid"),
      values.add(after.sensor_id ?? NO_SENSOR, "uuid"),
      values.add(after.reason, "text"),
    ];
    conditions.push(`(last_at, system_id, sensor_id, reason) < (${key.join(", ")})`);
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
