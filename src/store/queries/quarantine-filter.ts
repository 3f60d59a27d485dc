/** Which quarantined readings are meant, and the conditions that say so. */
import type { RefusalReason } from "../../contract/refusal.ts";
import type { ReviewStatus } from "../../contract/review-status.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";

export interface QuarantineFilter {
  /** Null, here and below: any. */
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
export class Values {
  readonly list: unknown[] = [];

  /** @returns the parameter, with its type */
  add(value: unknown, type: string): string {
    this.list.push(value);
    return `$${this.list.length}::${type}`;
  }
}

type Part = "job_id" | "system_id" | "sensor_id" | "range" | "q";

/** Conditions on the table for some parts of a filter; a part that is not set makes none. */
export function conditionsOf(filter: QuarantineFilter, parts: readonly Part[], values: Values): string[] {
  return parts.flatMap((part) => {
    switch (part) {
      case "range":
        return rangeConditions(filter, values);
      case "q":
        return filter.q === null
          ? []
          : [`${searched(filter.q)} ILIKE ${values.add(patternOf(filter.q), "text")}`];
      default:
        return filter[part] === null ? [] : [`${part} = ${values.add(filter[part], "uuid")}`];
    }
  });
}

function rangeConditions({ from_us, to_us }: QuarantineFilter, values: Values): string[] {
  const bound = (at_us: number | null, operator: string) =>
    at_us === null ? [] : [`quarantined_at ${operator} ${values.add(formatTimestamp(at_us), "timestamptz")}`];
  return [...bound(from_us, ">="), ...bound(to_us, "<")];
}

/**
 * The index of trigrams finds words and parts of words; for a text without three letters or digits in a row it would
 * be read as a whole, once for each branch. Such a text is looked for reading by reading, newest first.
 */
function searched(q: string): string {
  return /[\p{L}\p{N}]{3}/u.test(q) ? "reason_details" : "(reason_details || '')";
}

/** Text anywhere, none of its characters a wildcard. */
export function patternOf(q: string): string {
  return `%${q.replace(/[\\%_]/g, "\\$&")}%`;
}

/** Each reason with each status: together they are an equality prefix of the indexes. */
export function pairsOf({ reasons, statuses }: Pick<QuarantineFilter, "reasons" | "statuses">) {
  return reasons.flatMap((reason) => statuses.map((status) => ({ reason, status })));
}

/** Conditions between ANDs; TRUE without any. */
export function all(conditions: readonly string[]): string {
  return conditions.length === 0 ? "TRUE" : conditions.join(" AND ");
}
