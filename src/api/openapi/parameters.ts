/** Parameters as the descriptions of routes write them. */
import { DEMO_SYSTEM_ID } from "../../contract/demo.ts";
import { TAG_LIST_OR_ANY } from "../etag.ts";
import { DEMO_SENSOR_ID, JOB_EXAMPLE } from "./examples.ts";

/** A UUID of the path. */
export const pathId = (name: string, description: string, example: string) => ({
  name,
  in: "path" as const,
  required: true,
  description,
  schema: { type: "string" as const, format: "uuid" },
  example,
});
export const SYSTEM_ID_PARAMETER = pathId("system_id", "Id of the system", DEMO_SYSTEM_ID);
export const SENSOR_ID_PARAMETER = pathId("sensor_id", "Id of the sensor", DEMO_SENSOR_ID);
export const JOB_ID_PARAMETER = pathId("job_id", "Id of the job", JOB_EXAMPLE.job_id);
export const TASK_ID_PARAMETER = pathId(
  "task_id",
  "Id of the decision",
  "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a20",
);

export const USER_ID_PARAMETER = pathId("user_id", "Id of the user", "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10");
export const KEY_ID_PARAMETER = pathId("key_id", "Id of the key", "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a30");

/** Of every route that takes batches. */
export const IDEMPOTENCY_KEY_PARAMETER = {
  name: "Idempotency-Key",
  in: "header" as const,
  description: "Makes it safe to send the batch again: one job for one key",
  schema: { type: "string" as const, minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
};

/** Of every route that takes batches. Anything may be sent: what is no trace is left alone. */
export const TRACEPARENT_PARAMETER = {
  name: "traceparent",
  in: "header" as const,
  description:
    "Trace of the sender (W3C Trace Context): the batch belongs to it up to its end in the database, and log lines name " +
    "it. One that is not valid is ignored",
  schema: { type: "string" as const },
};

interface QuerySchema {
  readonly type: "string" | "integer" | "number";
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: string[];
  readonly default?: string | number;
}

/** A parameter of the query. */
export const queryParameter = (
  name: string,
  description: string,
  schema: QuerySchema,
  { required = false, example }: { readonly required?: boolean; readonly example?: string | number } = {},
) => ({
  name,
  in: "query" as const,
  required,
  description,
  schema,
  ...(example === undefined ? {} : { example }),
});

const UUID = "[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}";
/** One or more of something between commas. */
const listOf = (one: string) => `^ *${one} *(, *${one} *)*$`;
export const UUIDS = { type: "string", pattern: listOf(UUID) } as const;
/** Ids that the database counts. */
export const COUNTED_IDS = { type: "string", pattern: listOf("[1-9][0-9]{0,14}") } as const;
export const wordsBetweenCommas = (words: readonly string[]) =>
  ({ type: "string", pattern: listOf(`(${words.join("|")})`) }) as const;
/** What `toCursor` makes (base64url). */
export const CURSOR = {
  type: "string",
  minLength: 1,
  maxLength: 4_000,
  pattern: "^[A-Za-z0-9_-]+$",
} as const;

/** One of them or several. */
export const CURSORS = { type: "string", minLength: 1, pattern: listOf("[A-Za-z0-9_-]+") } as const;

/** `limit` and `after` of a list in pages. */
export const pageParameters = (fallback: number, maximum: number) => [
  queryParameter("limit", "Items on the page", { type: "integer", minimum: 1, maximum, default: fallback }),
  queryParameter("after", "`next` of the page before", CURSOR),
];

/** Of a change that is meant to follow a version; see `matchedVersions`. */
export const IF_MATCH = {
  name: "If-Match",
  in: "header",
  required: false,
  description: "ETag of the version that the change is meant to follow",
  schema: { type: "string", pattern: TAG_LIST_OR_ANY },
} as const;
