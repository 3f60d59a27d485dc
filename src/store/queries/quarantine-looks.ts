/**
 * Quarantined readings in the order of the list, newest first, of whatever filter. Each branch of the statement is one
 * reason and one status, an equality prefix of an index that ends in that order; PostgreSQL merges the branches and
 * reads no further than it has to.
 *
 * A text within reason_details is no part of an index in that order. One that few readings have is found by the index
 * of trigrams, and what is found is sorted; for all others the readings are looked at one by one, newest first, up to
 * a bound. Which of the two reads less, PostgreSQL's own estimate says.
 */
import type { RefusalReason } from "../../contract/refusal.ts";
import type { ReviewStatus } from "../../contract/review-status.ts";
import {
  ASCII_ALONE,
  all,
  conditionsOf,
  eventAt,
  type FilterParts,
  mayBeIndexed,
  type QuarantineFilter,
  textCondition,
  Values,
} from "./quarantine-filter.ts";
import type { QueryOptions, Reader } from "./reader.ts";

export const TABLE = "diagnostics_quarantined_reading";
export const NEWEST_FIRST = "ORDER BY at DESC, id DESC";
/** Branches of one statement, where systems are read apart. */
const MAX_BRANCHES = 48;
/** Readings with a text that are found by its index and sorted, at most, by estimate: about 40 ms. */
const RARE_READINGS = 20_000;

/** What an order goes by: of an incident's readings the moment that the incident counts them at. */
export const momentOf = ({ incident }: Pick<QuarantineFilter, "incident">) =>
  incident === null ? `${TABLE}.quarantined_at` : eventAt(TABLE);

/** The readings of one batch, or of some ids, are few and found by an index of their own. */
export const isShort = ({ job_id, ids }: Pick<QuarantineFilter, "job_id" | "ids">) =>
  job_id !== null || ids !== null;

export interface Pair {
  readonly reason: RefusalReason;
  readonly status: ReviewStatus;
}

/** Each reason with each status. */
export function pairsOf({ reasons, statuses }: Pick<QuarantineFilter, "reasons" | "statuses">): Pair[] {
  return reasons.flatMap((reason) => statuses.map((status) => ({ reason, status })));
}

/**
 * A table (id, at and `columns`) of the newest readings, in order.
 * @param pairs of reason and status; at least one
 * @param common conditions on all
 * @param limit a parameter or number: readings of each branch, and so of the whole if it is limited, too
 * @param bySystem for a low limit: the systems of whoever reaches many are read apart, too
 */
export function branches(
  filter: FilterParts,
  pairs: readonly Pair[],
  common: readonly string[],
  { columns, limit, bySystem = false, values }: BranchOptions,
): string {
  const at = momentOf(filter);
  const shown = ["id", `${at} AS at`, ...columns].join(", ");
  const apart = systemsApart(filter, pairs.length);
  const systems = bySystem && apart === "many" ? values.add(filter.reach, "uuid[]") : null;
  const ofSystem = `${TABLE}.system_id`;
  return pairs
    .flatMap(({ reason, status }) => {
      const own = [`reason = ${values.add(reason, "text")}`, `review_status = ${values.add(status, "text")}`];
      const newest = (more: readonly string[]) =>
        `SELECT ${shown} FROM ${TABLE} WHERE ${all([...more, ...own, ...common])} ORDER BY ${at} DESC, id DESC LIMIT ${limit}`;
      if (Array.isArray(apart)) {
        return apart.map((system) => `(${newest([`${ofSystem} = ${values.add(system, "uuid")}`])})`);
      }
      if (systems === null) return `(${newest([])})`;
      return `(SELECT each.* FROM unnest(${systems}) AS within (system_id)
        CROSS JOIN LATERAL (${newest([`${ofSystem} = within.system_id`])}) each ${NEWEST_FIRST} LIMIT ${limit})`;
    })
    .join(" UNION ALL ");
}

/**
 * The systems that somebody reaches, to be read each by its own part of an index, so that what is out of reach is not
 * even looked at; "many" when that would be more branches than PostgreSQL plans in a few ms. Null where other conditions
 * are narrow already, or nothing is out of reach.
 */
function systemsApart(
  { reach, system_id, sensor_id, incident }: FilterParts,
  pairs: number,
): readonly string[] | "many" | null {
  const isNarrow = system_id !== null || sensor_id !== null || incident !== null;
  if (isNarrow || reach === null || reach.length < 2) return null;
  return reach.length * pairs <= MAX_BRANCHES ? reach : "many";
}

interface BranchOptions {
  readonly columns: readonly string[];
  readonly limit: string;
  readonly bySystem?: boolean;
  readonly values: Values;
}

/** Conditions on the reason and the status where no index needs them apart. */
export function anyPair({ reasons, statuses }: QuarantineFilter, values: Values): string[] {
  return [
    `reason = ANY(${values.add(reasons, "text[]")})`,
    `review_status = ANY(${values.add(statuses, "text[]")})`,
  ];
}

/** The condition on the text, where it is looked for reading by reading. */
export const hasText = (q: string, values: Values) => textCondition(q, "reason_details", values);

interface Explained {
  readonly "QUERY PLAN": string;
}

/**
 * Whether the index has the letters of a text: it takes what is a letter from the character type of libc, also where
 * another provider of locales folds cases. PostgreSQL's estimate does not know that.
 */
async function areTrigramsOf(reader: Reader, q: string, options?: QueryOptions): Promise<boolean> {
  if (ASCII_ALONE.test(q)) return true;
  const text = `SELECT datctype NOT IN ('C', 'POSIX') AS known FROM pg_database WHERE datname = current_database()`;
  const [row] = await reader.rows<{ known: boolean }>(
    { label: "letters that an index knows", text, values: [] },
    options,
  );
  return row?.known === true;
}

/** Whether the readings with a text are few and found by its index, by PostgreSQL's estimate. Throws what `Reader.rows` throws. */
export async function isRare(reader: Reader, q: string, options?: QueryOptions): Promise<boolean> {
  if (!mayBeIndexed(q) || !(await areTrigramsOf(reader, q, options))) return false;
  const values = new Values();
  const text = `EXPLAIN (FORMAT json) SELECT FROM ${TABLE} WHERE ${hasText(q, values)}`;
  const [row] = await reader.rows<Explained>(
    { label: "estimate of a text", text, values: values.list },
    options,
  );
  const [{ Plan }] = JSON.parse(row!["QUERY PLAN"]) as [
    { Plan: { "Node Type": string; "Plan Rows": number } },
  ];
  // Another plan means that there is no such index (text-search.ts), or that it would not help.
  return Plan["Node Type"] === "Bitmap Heap Scan" && Plan["Plan Rows"] <= RARE_READINGS;
}

/** Conditions of all parts of a filter but reason, status and text. */
export const withoutText = (filter: FilterParts, values: Values) =>
  conditionsOf(filter, ["ids", "incident", "job_id", "sensor_id", "system_id", "range"], values);
