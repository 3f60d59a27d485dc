/** A reviewer's selection as conditions on diagnostics_quarantined_reading. */
import type { IncidentKey } from "../../contract/incident-key.ts";
import type { Reach } from "../../contract/reach.ts";
import type { QuarantineFilter } from "../../contract/review.ts";
import type { ReviewStatus } from "../../contract/review-status.ts";
import { parseTimestamp_us } from "../../contract/timestamp.ts";
import { conditionsOf, type FilterParts, Values } from "../queries/quarantine-filter.ts";
import { arrayOf } from "./ask.ts";

/** What is selected; the incident narrows the filter. */
export type Selected = (
  | { readonly ids: readonly number[] }
  | { readonly filter: Omit<QuarantineFilter, "incident">; readonly incident: IncidentKey | null }
) & {
  /** Readings of other systems are not part of it. */
  readonly reach: Reach;
};

/** With the placeholders $1, $2, … of its values. */
export interface SelectionConditions {
  /** On the table as `q`. */
  readonly text: string;
  readonly values: readonly (string | number)[];
}

const PARTS = ["ids", "incident", "job_id", "system_id", "sensor_id", "range", "q"] as const;

/** @param statuses of which the readings must have one */
export function selectionConditions(
  selected: Selected,
  statuses: readonly ReviewStatus[],
): SelectionConditions {
  const values = new Values<string | number>();
  const [only, ...more] = statuses;
  const conditions =
    more.length === 0
      ? [`q.review_status = ${values.add(only!, "text")}`]
      : [`q.review_status = ANY(${values.add(arrayOf(statuses), "text")}::text[])`];
  const isOneOf = (column: string, among: readonly (string | number)[] | undefined, type: string) => {
    if (among) conditions.push(`q.${column} = ANY(${values.add(arrayOf(among), "text")}::${type}[])`);
  };
  conditions.push(...conditionsOf(partsOf(selected), PARTS, values, "q"));
  if ("filter" in selected) {
    isOneOf("reason", selected.filter.reason, "text");
    isOneOf("review_status", selected.filter.status, "text");
  }
  return { text: conditions.join(" AND "), values: values.list };
}

function partsOf(selected: Selected): FilterParts {
  const isFilter = "filter" in selected;
  const { job_id, system_id, sensor_id, from, to, q }: QuarantineFilter = isFilter ? selected.filter : {};
  return {
    reach: selected.reach,
    ids: isFilter ? null : selected.ids,
    incident: isFilter ? selected.incident : null,
    job_id: job_id ?? null,
    system_id: system_id ?? null,
    sensor_id: sensor_id ?? null,
    from_us: from === undefined ? null : parseTimestamp_us(from),
    to_us: to === undefined ? null : parseTimestamp_us(to),
    q: q ?? null,
  };
}
