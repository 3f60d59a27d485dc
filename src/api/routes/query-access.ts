/** What the routes of queries share: range, sensors, links between pages, and what went wrong. */
import type { Context } from "hono";
import { isUuid } from "../../contract/job-id.ts";
import type { ProblemName } from "../../contract/problem.ts";
import { DAY_US, MAX_TIME_US, MIN_TIME_US, type TimeRange } from "../../contract/query-range.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import { QueryAbortedError, QueryBusyError, QueryTimeoutError } from "../../store/queries/query-errors.ts";
import type { QueryOptions } from "../../store/queries/reader.ts";
import { UnknownSensorsError, UnknownSystemError } from "../../store/queries/subjects.ts";
import type { AppContext } from "../app-env.ts";
import { CURSOR, queryParameter, UUIDS } from "../openapi/parameters.ts";
import { invalidParameter, timeParameter_us } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";

/** Seconds after which a client may try again when too many queries are in work. */
const RETRY_AFTER_BUSY_S = 2;
/** What nginx logs for a client that went away; nobody reads it but the metrics. */
const CLIENT_CLOSED_REQUEST = 499;
const MINUTE_US = 60_000_000;
const MAX_SENSORS = 64;
/** Longer ranges are not asked for, days: ten years. */
export const MAX_RANGE_DAYS = 3_660;

/** Problems of every query. */
export const QUERY_PROBLEMS = [
  "invalid-request",
  "authentication-required",
  "invalid-token",
  "forbidden",
  "query-timeout",
  "server-busy",
  "service-unavailable",
] as const satisfies readonly ProblemName[];
export const SYSTEM_QUERY_PROBLEMS = [
  ...QUERY_PROBLEMS,
  "system-not-found",
] as const satisfies readonly ProblemName[];
export const SENSOR_QUERY_PROBLEMS = [
  ...SYSTEM_QUERY_PROBLEMS,
  "sensor-not-found",
] as const satisfies readonly ProblemName[];

/** `from` and `to` of a description. */
export const rangeParameters = (fallback = "24 hours", max_days = MAX_RANGE_DAYS) => [
  queryParameter(
    "from",
    `First moment; ${fallback} before \`to\` without it; at most ${max_days} days before \`to\``,
    {
      type: "string",
      format: "date-time",
    },
  ),
  queryParameter("to", "End, itself not included; the end of this minute without it", {
    type: "string",
    format: "date-time",
  }),
];

export interface RangeRule {
  /** Length of the range without `from`, µs. */
  readonly fallback_us?: number;
  readonly max_days?: number;
}

/** The time up to which a read replica surely had everything, in answers that come from one. */
const AS_OF = "X-Data-As-Of";

/**
 * How a question about stored readings is asked: it ends with its request, and a read replica may answer it unless the
 * client wants no copy (`Cache-Control: no-cache`, RFC 9111 section 5.2.1.4). An answer of the replica says so.
 */
export function queryOptions(c: Context): QueryOptions & { readonly isFresh: boolean } {
  let oldest_ms = Number.POSITIVE_INFINITY;
  return {
    signal: c.req.raw.signal,
    isFresh: /(^|,)\s*no-cache\s*(,|$)/i.test(c.req.header("Cache-Control") ?? ""),
    onReplica(asOf_ms) {
      // Of several statements the oldest counts.
      oldest_ms = Math.min(oldest_ms, asOf_ms);
      c.header(AS_OF, new Date(oldest_ms).toISOString());
    },
  };
}

/** Now, µs since the epoch. */
export const nowOf = (clock: { now_ms(): number }) => Math.round(clock.now_ms() * 1000);

/** The range of `from` and `to`. @throws {ProblemError} invalid-request */
export function rangeOf(
  c: Context,
  now_us: number,
  { fallback_us = DAY_US, max_days = MAX_RANGE_DAYS }: RangeRule = {},
): TimeRange {
  const to_us = timeWithin(c, "to") ?? minuteAfter(now_us);
  const from_us = timeWithin(c, "from") ?? Math.max(MIN_TIME_US, to_us - fallback_us);
  refuseEmpty(from_us, to_us);
  if (to_us - from_us > max_days * DAY_US) {
    throw invalidParameter(
      "from",
      `at most ${max_days} days before \`to\`, which is ${formatTimestamp(to_us)}`,
    );
  }
  return { from_us, to_us };
}

/** @param from_us and its end; null: none is asked for. @throws {ProblemError} invalid-request */
export function refuseEmpty(from_us: number | null, to_us: number | null): void {
  if (from_us === null || to_us === null || from_us < to_us) return;
  throw invalidParameter("from", `before \`to\`, which is ${formatTimestamp(to_us)}`);
}

/**
 * The end of a range that names none: a whole minute, so that an answer keeps its tag while nothing new comes, and
 * so that readings of a clock that is a little ahead are in it.
 */
const minuteAfter = (now_us: number) => Math.ceil(now_us / MINUTE_US) * MINUTE_US;

/** A moment of the query that the database can hold; undefined when it is absent. @throws {ProblemError} invalid-request */
export function timeWithin(c: Context, name: string): number | undefined {
  const value = timeParameter_us(c, name);
  if (value === undefined || (value >= MIN_TIME_US && value <= MAX_TIME_US)) return value;
  throw invalidParameter(name, "a moment of the years 1970 to 2200");
}

/** The range as the answer and its links name it. */
export function rangeText({ from_us, to_us }: TimeRange): { readonly from: string; readonly to: string } {
  return { from: formatTimestamp(from_us), to: formatTimestamp(to_us) };
}

/** `limit` and `after` of a description. */
export const pagesOf = (fallback: number, maximum: number) => [
  queryParameter("limit", "Rows on the page", { type: "integer", minimum: 1, maximum, default: fallback }),
  queryParameter("after", "Where the page begins: as `next` of the page before has it", CURSOR),
];

export const SENSORS_PARAMETER = queryParameter(
  "sensors",
  `Ids of sensors between commas, at most ${MAX_SENSORS}`,
  UUIDS,
);

/** Ids in `sensors`, in lower case; null when it is absent. @throws {ProblemError} invalid-request */
export function sensorsParameter(c: Context): readonly string[] | null {
  const text = c.req.query("sensors");
  if (text === undefined) return null;
  const ids = text.split(",").map((id) => id.trim().toLowerCase());
  if (!ids.every(isUuid)) throw invalidParameter("sensors", "UUIDs between commas");
  const different = [...new Set(ids)];
  if (different.length > MAX_SENSORS) throw invalidParameter("sensors", `at most ${MAX_SENSORS} UUIDs`);
  return different;
}

/** Address of this operation with other parameters; null takes one away. Path and query only. */
export function linkTo(c: Context, changes: Readonly<Record<string, string | null>>): string {
  const url = new URL(c.req.url);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url.pathname + url.search;
}

/** A Link header (RFC 8288) for pages; empty without any. */
export function linkHeader(links: Readonly<Record<string, string | null>>): Record<string, string> {
  const parts = Object.entries(links).flatMap(([rel, to]) => (to === null ? [] : [`<${to}>; rel="${rel}"`]));
  return parts.length > 0 ? { Link: parts.join(", ") } : {};
}

/**
 * The answer of a handler, its faults as problems. A client that went away gets nothing.
 * @throws {ProblemError}
 */
export async function queryAnswer(c: AppContext, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof QueryAbortedError) return c.body(null, CLIENT_CLOSED_REQUEST as 400);
    throw toProblem(error);
  }
}

function toProblem(error: unknown): unknown {
  if (error instanceof QueryTimeoutError) {
    return new ProblemError("query-timeout", {
      detail: `The database was given ${error.deadline_ms / 1000} s. Ask for a shorter range, fewer sensors or wider buckets.`,
      cause: error,
    });
  }
  if (error instanceof QueryBusyError) {
    return new ProblemError("server-busy", {
      detail: "Too many queries at once.",
      headers: { "Retry-After": String(RETRY_AFTER_BUSY_S) },
      cause: error,
    });
  }
  if (error instanceof UnknownSystemError) return new ProblemError("system-not-found", { cause: error });
  if (error instanceof UnknownSensorsError) {
    const [first = ""] = error.sensor_ids;
    return new ProblemError("sensor-not-found", {
      detail: `This system has no sensor ${first}.`,
      cause: error,
    });
  }
  return error;
}
