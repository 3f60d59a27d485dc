/** Where counts of quarantined readings come from: tables of (system_id, sensor_id, reason, status, n, cut). */
import { REFUSAL_REASONS } from "../../contract/refusal.ts";
import { REVIEW_STATUSES } from "../../contract/review-status.ts";
import {
  all,
  conditionsOf,
  type QuarantineFilter,
  reachConditions,
  type Values,
} from "./quarantine-filter.ts";
import { NO_SENSOR } from "./quarantine-item.ts";
import {
  branches,
  hasText,
  NEWEST_FIRST,
  type Pair,
  pairsOf,
  TABLE,
  withoutText,
} from "./quarantine-looks.ts";

/** Counts that are bounded end here. */
export const COUNT_CAP = 10_000;
/** Readings of the chosen reasons and statuses that are counted, all together. */
const COUNTED = 60_000;
/** Readings of another reason or another status that are counted, each. */
const OF_OTHERS = 1_500;
/** Readings that are told apart by system and sensor: they are read from the table itself, which costs more. */
const TOLD_APART = 10_000;
/** Readings of an incident that are looked at. */
const LOOKED_AT = 50_000;
/** Readings that are looked at for a text: as they lie in the table, and where an index picks them, which costs more. */
const WITH_TEXT = 16_000;
const PICKED_WITH_TEXT = 5_000;

export interface Sources {
  /** For metrics. */
  readonly name: string;
  /** Definitions of the tables below, for WITH. */
  readonly tables: string;
  readonly cells: string;
  readonly bySystem: string;
  readonly bySensor: string;
  /** `cells` hold only what the filter's system and sensor let through. */
  readonly narrowed: boolean;
  /** `bySystem` and `bySensor` hold only what the whole filter lets through, in place of its reasons and statuses. */
  readonly chosen?: true;
  /** Whether a row of `cells` that was cut speaks for all values, also those without rows. */
  readonly cutsAll: "TRUE" | "FALSE";
  readonly exact: boolean;
}

const one = (cells: string) => ({ cells, bySystem: cells, bySensor: cells });

/** Of one job or some ids, whose readings are few. */
export function jobSource(filter: QuarantineFilter, values: Values): Sources {
  const conditions = all(conditionsOf(filter, ["ids", "job_id", "incident", "range", "q"], values));
  return { ...rowsSource(conditions, null), name: "job", exact: true };
}

/** Of the readings of an incident, as far as they are looked at. */
export function incidentSource(filter: QuarantineFilter, values: Values): Sources {
  const conditions = all(conditionsOf(filter, ["incident", "range"], values));
  return { ...rowsSource(conditions, LOOKED_AT), name: "incident", exact: false };
}

/** Of a text that few readings have, all of which are found by its index. */
export function rareTextSource(filter: QuarantineFilter, values: Values): Sources {
  const conditions = all(conditionsOf(filter, ["q", "incident", "range"], values));
  return { ...rowsSource(conditions, LOOKED_AT), name: "rare text", exact: false };
}

/**
 * Of a text that many may have: the newest readings are looked at one by one, as far as may be in the order in which
 * they lie in the table. What the filter picks is looked at apart from all others, or it would hardly be among them.
 */
export function textSource(filter: QuarantineFilter & { readonly q: string }, values: Values): Sources {
  const { incident, from_us, to_us } = filter;
  const narrowed = filter.system_id !== null || filter.sensor_id !== null;
  const anyPlace = { ...filter, system_id: null, sensor_id: null };
  const isPicked = incident !== null || from_us !== null || to_us !== null;
  const faceted = facetedPairs(filter);
  const most = narrowed ? WITH_TEXT / 2 : WITH_TEXT;
  const look = (name: string, from: QuarantineFilter, pairs: readonly Pair[] | null) =>
    pairs === null
      ? lookedAt(name, filter, newest(most), most, values)
      : lookedAt(name, filter, picked(from, pairs, values), PICKED_WITH_TEXT, values);
  const cells = look("own", filter, narrowed || isPicked || faceted.length < ALL_PAIRS ? faceted : null);
  const others = narrowed ? look("others", anyPlace, isPicked ? pairsOf(filter) : null) : null;
  return {
    name: "text",
    tables: [cells, ...(others ? [others] : [])].join(", "),
    cells: "own",
    bySystem: others ? "others" : "own",
    bySensor: others ? "others" : "own",
    narrowed,
    cutsAll: "TRUE",
    exact: false,
  };
}

const LOOKED_COLUMNS = ["system_id", "sensor_id", "reason", "review_status", "reason_details"];
/** The newest readings of all, in the order of their ids. */
const newest = (limit: number) =>
  `SELECT ${LOOKED_COLUMNS.join(", ")} FROM ${TABLE} ORDER BY id DESC LIMIT ${limit}`;
/** The newest readings of a filter, by indexes. */
const picked = (filter: QuarantineFilter, pairs: readonly Pair[], values: Values) => {
  const limit = String(PICKED_WITH_TEXT);
  const merged = branches(filter, pairs, withoutText(filter, values), {
    columns: LOOKED_COLUMNS,
    limit,
    values,
  });
  return `SELECT * FROM (${merged}) merged ${NEWEST_FIRST} LIMIT ${limit}`;
};

/** Cells, with this name, of those readings among the `limit` of a table that have the text. */
function lookedAt(
  name: string,
  { q, reach }: QuarantineFilter & { readonly q: string },
  table: string,
  limit: number,
  values: Values,
): string {
  const hit = all([hasText(q, values), ...reachConditions(reach, values, "newest")]);
  return `${name}_looked AS MATERIALIZED (
      SELECT system_id, coalesce(sensor_id, '${NO_SENSOR}') AS sensor_id, reason, review_status AS status, ${hit} AS hit
      FROM (${table}) newest),
    ${name} AS MATERIALIZED (
      SELECT system_id, sensor_id, reason, status, count(*) FILTER (WHERE hit) AS n,
        (SELECT count(*) FROM ${name}_looked) = ${limit} AS cut
      FROM ${name}_looked GROUP BY 1, 2, 3, 4)`;
}

function rowsSource(conditions: string, limit: number | null): Omit<Sources, "name" | "exact"> {
  return {
    ...one("cells"),
    tables: `looked AS MATERIALIZED (
        SELECT system_id, coalesce(sensor_id, '${NO_SENSOR}') AS sensor_id, reason, review_status AS status
        FROM diagnostics_quarantined_reading WHERE ${conditions} ${limit === null ? "" : `LIMIT ${limit + 1}`}),
      cells AS MATERIALIZED (
        SELECT *, count(*) AS n, ${limit === null ? "false" : `(SELECT count(*) FROM looked) > ${limit}`} AS cut
        FROM looked GROUP BY 1, 2, 3, 4)`,
    narrowed: false,
    cutsAll: "TRUE",
  };
}

/**
 * Each reason and status by its part of an index: first only counted, for the filter's system and sensor; then told
 * apart by system and sensor, each without its own filter.
 */
export function rangeSource(filter: QuarantineFilter, values: Values): Sources {
  const narrow = conditionsOf(filter, ["system_id", "sensor_id", "range"], values);
  const otherSystems = conditionsOf(filter, ["sensor_id", "range"], values);
  const apart = filter.system_id !== null || filter.sensor_id !== null;
  const otherSensors = apart ? conditionsOf(filter, ["system_id", "range"], values) : otherSystems;
  const faceted = facetedPairs(filter);
  const chosen = pairsOf(filter);
  const each = Math.floor(TOLD_APART / chosen.length);
  const most = ({ reason, status }: Pair) =>
    filter.reasons.includes(reason) && filter.statuses.includes(status)
      ? Math.min(COUNT_CAP, Math.floor(COUNTED / chosen.length))
      : OF_OTHERS;
  return {
    name: "range",
    tables: `cells AS MATERIALIZED (
        SELECT p.reason, p.status, c.n, c.n > p.most AS cut FROM ${pairsTable(faceted, values, most)}
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM (SELECT FROM diagnostics_quarantined_reading
          WHERE reason = p.reason AND review_status = p.status AND ${all(narrow)} LIMIT p.most + 1) r) c),
      systems AS MATERIALIZED (${toldApart(
        pairsTable(chosen, values, () => each),
        otherSystems,
      )})${
        apart
          ? `, sensors AS (${toldApart(
              pairsTable(chosen, values, () => each),
              otherSensors,
            )})`
          : ""
      }`,
    cells: "cells",
    bySystem: "systems",
    bySensor: apart ? "sensors" : "systems",
    narrowed: true,
    cutsAll: "FALSE",
    exact: false,
  };
}

const ALL_PAIRS = REFUSAL_REASONS.length * REVIEW_STATUSES.length;

/** Pairs that some count is about: each count leaves its own filter out. */
const facetedPairs = (filter: QuarantineFilter) =>
  pairsOf({ reasons: REFUSAL_REASONS, statuses: REVIEW_STATUSES }).filter(
    ({ reason, status }) => filter.reasons.includes(reason) || filter.statuses.includes(status),
  );

/** @param most readings of a pair that are counted */
function pairsTable(pairs: readonly Pair[], values: Values, most: (pair: Pair) => number): string {
  const column = (type: string, pick: (pair: Pair) => unknown) => values.add(pairs.map(pick), type);
  const columns = [
    column("text[]", ({ reason }) => reason),
    column("text[]", ({ status }) => status),
    column("int[]", most),
  ];
  return `unnest(${columns.join(", ")}) AS p (reason, status, most)`;
}

const toldApart = (pairs: string, conditions: readonly string[]) => `
  SELECT p.reason, p.status, c.system_id, c.sensor_id, c.n,
    sum(c.n) OVER (PARTITION BY p.reason, p.status) > p.most AS cut
  FROM ${pairs} CROSS JOIN LATERAL (
    SELECT system_id, coalesce(sensor_id, '${NO_SENSOR}') AS sensor_id, count(*) AS n
    FROM (SELECT system_id, sensor_id FROM diagnostics_quarantined_reading
      WHERE reason = p.reason AND review_status = p.status AND ${all(conditions)} LIMIT p.most + 1) r
    GROUP BY 1, 2) c`;
