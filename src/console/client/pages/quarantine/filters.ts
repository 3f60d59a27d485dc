/** The filters of quarantine as the address has them, and as the API takes them. */
import type { Selection } from "../../../../contract/review.ts";
import { REVIEW_STATUSES } from "../../../../contract/review-status.ts";
import { queryText } from "../../lib/router.ts";

const NAMES = [
  "incident",
  "job_id",
  "system_id",
  "sensor_id",
  "reason",
  "status",
  "from",
  "to",
  "q",
] as const;
type Name = (typeof NAMES)[number];

/** Filters that incidents do not have. */
export const ONLY_OF_READINGS: readonly Name[] = ["incident", "job_id", "q"];
/** Mean another time for incidents (measured) than for readings and counts (refused). */
export const OF_TIME: readonly Name[] = ["from", "to"];

/** For requests; without a status the API shows what is pending. */
export function apiQuery(query: URLSearchParams, without: readonly Name[] = []): string {
  const names = NAMES.filter((name) => !without.includes(name));
  return queryText(Object.fromEntries(names.map((name) => [name, query.get(name)])));
}

/** The choices of a filter that takes several. */
export const listOf = (query: URLSearchParams, name: "reason" | "status"): readonly string[] => {
  const text = query.get(name);
  if (name === "status" && text === null) return ["pending"];
  if (name === "status" && text === "any") return REVIEW_STATUSES;
  return text ? text.split(",") : [];
};

/** Everything that the filters show, for an action on all of it. States are always named: nothing is left to a default. */
export function selectionOf(query: URLSearchParams): Selection {
  const filter: Record<string, string | readonly string[]> = { status: listOf(query, "status") };
  const reasons = listOf(query, "reason");
  if (reasons.length > 0) filter.reason = reasons;
  for (const name of ["incident", "job_id", "system_id", "sensor_id", "from", "to", "q"] as const) {
    const value = query.get(name);
    if (value) filter[name] = value;
  }
  return { filter };
}
