/** Which quarantined readings are meant, and the conditions that say so. */
import type { IncidentKey } from "../../contract/incident-key.ts";
import type { Reach } from "../../contract/reach.ts";
import type { RefusalReason } from "../../contract/refusal.ts";
import type { ReviewStatus } from "../../contract/review-status.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import { arrayOf } from "../review/ask.ts";
import { amongSystems, type TextValues } from "./conditions.ts";
import { NO_SENSOR } from "./quarantine-item.ts";

export interface QuarantineFilter {
  /** Only of these systems; null, here and below: any. */
  readonly reach: Reach;
  readonly ids: readonly number[] | null;
  readonly incident: IncidentKey | null;
  readonly job_id: string | null;
  readonly system_id: string | null;
  readonly sensor_id: string | null;
  readonly reasons: readonly RefusalReason[];
  readonly statuses: readonly ReviewStatus[];
  /** First moment of quarantined_at, µs. */
  readonly from_us: number | null;
  /** Its end, itself not included, µs. */
  readonly to_us: number | null;
  /** Text within reason_details, in any case. */
  readonly q: string | null;
}

/** Values of a statement, and the names that stand for them. */
export class Values<V = unknown> {
  readonly list: V[] = [];

  /** @returns the parameter, with its type */
  add(value: V, type: string): string {
    this.list.push(value);
    return `$${this.list.length}::${type}`;
  }
}

/** What can be a condition on the table, but reason and status, which each statement looks for in its own way. */
export type FilterParts = Omit<QuarantineFilter, "reasons" | "statuses">;
type Part = "ids" | "incident" | "job_id" | "system_id" | "sensor_id" | "range" | "q";

/** The moment of a refusal that incidents go by, of a row of the table `of`. */
export const eventAt = (of: string) =>
  `diagnostics_event_at(${of}.reason, ${of}."timestamp", ${of}.quarantined_at)`;

/**
 * Conditions on the table for some parts of a filter; a part that is not set makes none. What is out of reach is left
 * out whatever the parts.
 * @param of name of the table in the statement
 */
export function conditionsOf(
  filter: FilterParts,
  parts: readonly Part[],
  values: TextValues,
  of = "diagnostics_quarantined_reading",
): string[] {
  return [...reachConditions(filter.reach, values, of), ...parts.flatMap(conditionsOfPart)];

  function conditionsOfPart(part: Part): string[] {
    switch (part) {
      case "ids":
        return filter.ids === null
          ? []
          : [`${of}.id = ANY(${values.add(arrayOf(filter.ids), "text")}::bigint[])`];
      case "incident":
        return filter.incident === null ? [] : incidentConditions(filter.incident, values, of);
      case "range":
        return rangeConditions(filter, values, of);
      case "q":
        return filter.q === null ? [] : [textCondition(filter.q, `${of}.reason_details`, values)];
      default:
        return filter[part] === null ? [] : [`${of}.${part} = ${values.add(filter[part], "uuid")}`];
    }
  }
}

/** Conditions on the systems of the rows of a table. */
export const reachConditions = (reach: Reach, values: TextValues, of: string): string[] =>
  reach === null ? [] : [amongSystems(`${of}.system_id`, reach, values)];

function incidentConditions(incident: IncidentKey, values: TextValues, of: string): string[] {
  const { system_id, sensor_id, reason, first_at, last_at } = incident;
  return [
    `${of}.system_id = ${values.add(system_id, "uuid")}`,
    `coalesce(${of}.sensor_id, '${NO_SENSOR}') = ${values.add(sensor_id ?? NO_SENSOR, "uuid")}`,
    `${of}.reason = ${values.add(reason, "text")}`,
    `${eventAt(of)} >= ${values.add(first_at, "timestamptz")}`,
    `${eventAt(of)} <= ${values.add(last_at, "timestamptz")}`,
  ];
}

function rangeConditions({ from_us, to_us }: FilterParts, values: TextValues, of: string): string[] {
  const bound = (at_us: number | null, operator: string) =>
    at_us === null
      ? []
      : [`${of}.quarantined_at ${operator} ${values.add(formatTimestamp(at_us), "timestamptz")}`];
  return [...bound(from_us, ">="), ...bound(to_us, "<")];
}

/** Letters that every server knows. */
export const ASCII_ALONE = /^[\0-\x7f]*$/;
/** The index of trigrams knows words and parts of words, of three letters or digits and more. */
const INDEXED = /[\p{L}\p{N}]{3}/u;

/** Whether the index of trigrams may know a text; letters beyond ASCII it knows by the server's locale. */
export const mayBeIndexed = (q: string) => INDEXED.test(q);

/**
 * The condition that a column has a text, in any case. For a text without three letters or digits in a row the index
 * would be read as a whole, once for each branch: such a text is looked for reading by reading, newest first.
 */
export function textCondition(q: string, column: string, values: TextValues): string {
  // Text anywhere, none of its characters a wildcard.
  const pattern = values.add(`%${q.replace(/[\\%_]/g, "\\$&")}%`, "text");
  const searched = mayBeIndexed(q) ? column : `(${column} || '')`;
  return ASCII_ALONE.test(q)
    ? `${searched} ILIKE ${pattern}`
    : `diagnostics_text_like(${searched}, ${pattern})`;
}

/** Conditions between ANDs; TRUE without any. */
export function all(conditions: readonly string[]): string {
  return conditions.length === 0 ? "TRUE" : conditions.join(" AND ");
}
