/** What the routes of the quarantine share: who may read it, and which readings are meant. */
import { decodeIncidentKey, type IncidentKey } from "../../contract/incident-key.ts";
import { MAX_TIME_US, MIN_TIME_US } from "../../contract/query-range.ts";
import { REFUSAL_REASONS } from "../../contract/refusal.ts";
import { MAX_INCIDENTS, MAX_REVIEW_IDS, REVIEW_STATUSES } from "../../contract/review-status.ts";
import type { QuarantineFilter } from "../../store/queries/quarantine-filter.ts";
import type { AppContext } from "../app-env.ts";
import { COUNTED_IDS, CURSORS, queryParameter, wordsBetweenCommas } from "../openapi/parameters.ts";
import { invalidParameter, textParameter, timeParameter_us, uuidParameter } from "../parameters.ts";
import { QUERY_PROBLEMS, refuseEmpty } from "./query-access.ts";

export const QUARANTINE_PROBLEMS = QUERY_PROBLEMS;
const MAX_TEXT = 200;

const uuidFilter = (name: string, description: string) =>
  queryParameter(name, description, { type: "string", format: "uuid" });
const timeFilter = (name: string, description: string) =>
  queryParameter(name, description, { type: "string", format: "date-time" });

/** Filters of every list of the quarantine. */
export const SERIES_PARAMETERS = (from: string, to: string) => [
  uuidFilter("system_id", "Only of this system"),
  uuidFilter("sensor_id", "Only of this sensor"),
  queryParameter(
    "reason",
    `Only these, between commas: ${REFUSAL_REASONS.join(", ")}`,
    wordsBetweenCommas(REFUSAL_REASONS),
  ),
  queryParameter("status", `Only these, between commas: ${REVIEW_STATUSES.join(", ")}; or any`, {
    ...wordsBetweenCommas([...REVIEW_STATUSES, "any"]),
    default: "pending",
  }),
  timeFilter("from", from),
  timeFilter("to", to),
];
export const FILTER_PARAMETERS = [
  queryParameter("ids", `Only these, at most ${MAX_REVIEW_IDS} between commas`, COUNTED_IDS),
  queryParameter(
    "incident",
    "Only the readings of this incident: a `key` of the incidents. A whole file of CSV or NDJSON takes up to " +
      `${MAX_INCIDENTS} keys between commas, one after another`,
    CURSORS,
  ),
  uuidFilter("job_id", "Only of this batch"),
  ...SERIES_PARAMETERS("Quarantined then or later", "Quarantined before"),
  queryParameter("q", "Text within reason_details, in any case", {
    type: "string",
    minLength: 1,
    maxLength: MAX_TEXT,
  }),
];
export const SERIES_NAMES = ["system_id", "sensor_id", "reason", "status", "from", "to"] as const;
export const FILTER_NAMES = ["ids", "incident", "job_id", ...SERIES_NAMES, "q"] as const;

/** The filter of the query. @throws {ProblemError} invalid-request */
export function filterOf(c: AppContext): QuarantineFilter {
  const [first, ...others] = filtersOf(c);
  if (first && others.length === 0) return first;
  throw invalidParameter("incident", "one key: only a whole file of CSV or NDJSON takes several");
}

/** The filters of a query that may name several incidents, one for each. @throws {ProblemError} invalid-request */
export function filtersOf(c: AppContext): QuarantineFilter[] {
  const [from_us, to_us] = [momentOf(c, "from"), momentOf(c, "to")];
  refuseEmpty(from_us, to_us);
  const common = {
    reach: c.get("claims").systems,
    ids: idsOf(c),
    job_id: uuidParameter(c, "job_id"),
    system_id: uuidParameter(c, "system_id"),
    sensor_id: uuidParameter(c, "sensor_id"),
    reasons: wordsOf(c, "reason", REFUSAL_REASONS) ?? REFUSAL_REASONS,
    statuses:
      c.req.query("status") === "any"
        ? REVIEW_STATUSES
        : (wordsOf(c, "status", REVIEW_STATUSES, ", or any") ?? ["pending"]),
    from_us,
    to_us,
    q: textParameter(c, "q", MAX_TEXT) ?? null,
  };
  return incidentsOf(c).map((incident) => ({ ...common, incident }));
}

function idsOf(c: AppContext): readonly number[] | null {
  const text = c.req.query("ids");
  if (text === undefined) return null;
  const ids = new Set(text.split(",").map((id) => (/^\d{1,15}$/.test(id.trim()) ? Number(id) : 0)));
  if (ids.size <= MAX_REVIEW_IDS && !ids.has(0)) return [...ids];
  throw invalidParameter("ids", `1 to ${MAX_REVIEW_IDS} ids of quarantined readings between commas`);
}

/** Each key once; one null without any. */
function incidentsOf(c: AppContext): (IncidentKey | null)[] {
  const text = c.req.query("incident");
  if (text === undefined) return [null];
  const keys = [...new Set(text.split(","))].map(decodeIncidentKey);
  if (keys.length <= MAX_INCIDENTS && !keys.includes(null)) return keys;
  throw invalidParameter(
    "incident",
    `a key that GET /api/v1/quarantine/incidents gave, or at most ${MAX_INCIDENTS}`,
  );
}

function momentOf(c: AppContext, name: string): number | null {
  const at_us = timeParameter_us(c, name);
  if (at_us === undefined) return null;
  if (at_us >= MIN_TIME_US && at_us <= MAX_TIME_US) return at_us;
  throw invalidParameter(name, "a moment of the years 1970 to 2200");
}

/** Words between commas, each once, in the order of `known`; null when the parameter is absent. */
function wordsOf<const T extends string>(
  c: AppContext,
  name: string,
  known: readonly T[],
  others = "",
): readonly T[] | null {
  const text = c.req.query(name);
  if (text === undefined) return null;
  const words = new Set(text.split(",").map((word) => word.trim()));
  const chosen = known.filter((word) => words.has(word));
  if (chosen.length === words.size) return chosen;
  throw invalidParameter(name, `of ${known.join(", ")} between commas${others}`);
}
