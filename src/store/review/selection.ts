/** A reviewer's selection as conditions on diagnostics_quarantined_reading. */
import type { IncidentKey } from "../../contract/incident-key.ts";
import type { QuarantineFilter } from "../../contract/review.ts";
import type { ReviewStatus } from "../../contract/review-status.ts";
import { patternOf } from "../queries/quarantine-filter.ts";
import { arrayOf } from "./ask.ts";

/** What is selected, with an incident's key decoded. */
export type Selected =
  | { readonly ids: readonly number[] }
  | { readonly incident: IncidentKey }
  | { readonly filter: QuarantineFilter };

export interface Conditions {
  readonly text: string;
  readonly values: readonly (string | number | null)[];
}

const EVENT_AT = `diagnostics_event_at(q.reason, q."timestamp", q.quarantined_at)`;

/** @param status that the readings must have */
export function conditionsOf(selected: Selected, status: ReviewStatus): Conditions {
  const values: (string | number | null)[] = [status];
  const parts = ["q.review_status = $1"];
  const demand = (condition: (parameter: string) => string, value: string | null | undefined) => {
    if (value === undefined || value === null) return;
    values.push(value);
    parts.push(condition(`$${values.length}`));
  };
  if ("ids" in selected) demand((p) => `q.id = ANY(${p}::text::bigint[])`, arrayOf(selected.ids));
  else if ("incident" in selected) {
    const { system_id, sensor_id, reason, first_at, last_at } = selected.incident;
    demand((p) => `q.system_id = ${p}::uuid`, system_id);
    demand((p) => `q.sensor_id = ${p}::uuid`, sensor_id);
    if (sensor_id === null) parts.push("q.sensor_id IS NULL");
    demand((p) => `q.reason = ${p}`, reason);
    demand((p) => `${EVENT_AT} >= ${p}::timestamptz`, first_at);
    demand((p) => `${EVENT_AT} <= ${p}::timestamptz`, last_at);
  } else {
    const { job_id, system_id, sensor_id, reason, status: statuses, from, to, q } = selected.filter;
    demand((p) => `q.job_id = ${p}::uuid`, job_id);
    demand((p) => `q.system_id = ${p}::uuid`, system_id);
    demand((p) => `q.sensor_id = ${p}::uuid`, sensor_id);
    demand((p) => `q.reason = ANY(${p}::text::text[])`, reason && arrayOf(reason));
    demand((p) => `q.review_status = ANY(${p}::text::text[])`, statuses && arrayOf(statuses));
    demand((p) => `q.quarantined_at >= ${p}::timestamptz`, from);
    demand((p) => `q.quarantined_at < ${p}::timestamptz`, to);
    demand((p) => `q.reason_details ILIKE ${p}`, q && patternOf(q));
  }
  return { text: parts.join(" AND "), values };
}
