/** Pieces of a route's description: answers with their headers and, for problems, one example of each type. */
import type { TSchema } from "@sinclair/typebox";
import type { ResponsesWithResolver } from "hono-openapi";
import {
  PROBLEM_MEDIA_TYPE,
  PROBLEMS,
  type ProblemName,
  ProblemSchema,
  problemType,
} from "../../contract/problem.ts";
import { RETRY_MS } from "../event-stream.ts";
import { type SchemaObject, schemaOf } from "./components.ts";

export type ResponseObject = Extract<ResponsesWithResolver[string], { description: string }>;
type Headers = NonNullable<ResponseObject["headers"]>;
type Header = Headers[string];

const text = (description: string, example: string): Header => ({
  description,
  schema: { type: "string" },
  example,
});
const whole = (description: string, example: number): Header => ({
  description,
  schema: { type: "integer", minimum: 0 },
  example,
});

/** Headers by name, for `ok` and `problems`. */
const HEADERS = {
  "X-Request-Id": text("The request's own id, or a new one", "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"),
  Location: text("Address of what the request made", "/api/v1/jobs/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00/"),
  "Set-Cookie": text(
    "RFC 6265",
    "hydraulic_session=eyJhbGciOi…; Max-Age=3600; Path=/; HttpOnly; SameSite=Strict",
  ),
  ETag: text("Version or content of the answer, for If-Match or If-None-Match", '"3"'),
  Link: text("Other pages, RFC 8288", '</api/v1/jobs?after=WyI>; rel="next"'),
  Vary: text("RFC 9110", "Accept, Accept-Encoding, Authorization"),
  "X-Data-As-Of": text(
    "Of an answer of a read replica: readings stored until then are surely in it",
    "2026-01-31T12:00:00.250Z",
  ),
  "Cache-Control": text("RFC 9111", "private, max-age=300"),
  "Retry-After": whole("Seconds to wait before asking again", 1),
  "WWW-Authenticate": text("RFC 6750", 'Bearer realm="hydraulic-ingest", error="invalid_token"'),
  Allow: text("Methods of this resource", "POST"),
  Accept: text("Media types that are understood", "application/json"),
  "Accept-Encoding": text("Content encodings that are understood", "gzip, deflate, zstd"),
  "Idempotent-Replayed": text("`true` when this is the answer to an earlier request with this key", "true"),
  "Content-Location": text(
    "Address of what the body shows, RFC 9110",
    "/api/v1/jobs/0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a00/",
  ),
  "Content-Disposition": text("File name of an export, RFC 6266", 'attachment; filename="quarantine.csv"'),
  "Preference-Applied": text("The preference that was followed, RFC 7240", "wait=10"),
  "RateLimit-Policy": text("Budget and window in seconds", "15;w=60"),
  "RateLimit-Limit": whole("Budget of this window", 15),
  "RateLimit-Remaining": whole("What is left of it", 14),
  "RateLimit-Reset": whole("Seconds until the window ends", 60),
  "RateLimit-Readings-Limit": whole("Budget of readings of this minute", 150_000),
  "RateLimit-Readings-Remaining": whole("What is left of it", 149_900),
  "RateLimit-Readings-Reset": whole("Seconds until this minute ends", 60),
} as const satisfies Headers;
export type HeaderName = keyof typeof HEADERS;

/** Of answers that one limit touches. */
export const LIMIT_HEADERS: readonly HeaderName[] = [
  "RateLimit-Policy",
  "RateLimit-Limit",
  "RateLimit-Remaining",
  "RateLimit-Reset",
];
/** Of answers about batches, which are limited in requests and in readings. */
export const RATE_LIMIT_HEADERS: readonly HeaderName[] = [
  ...LIMIT_HEADERS,
  "RateLimit-Readings-Limit",
  "RateLimit-Readings-Remaining",
  "RateLimit-Readings-Reset",
];

/** The headers by these names, for a description. */
export function headersOf(names: readonly HeaderName[]): Headers {
  return Object.fromEntries((["X-Request-Id", ...names] as const).map((name) => [name, HEADERS[name]]));
}

/** A good answer. */
export function ok(
  description: string,
  schema: TSchema,
  example: unknown,
  headers: readonly HeaderName[] = [],
): ResponseObject {
  return {
    description,
    headers: headersOf(headers),
    content: { "application/json": { schema: schemaOf(schema), example } },
  };
}

/**
 * A good answer of server-sent events. The schema is that of one event, whose data is the text of a JSON value.
 * @param names of the events
 */
export function okEvents(
  description: string,
  names: readonly string[],
  data: TSchema,
  example: { readonly event: string; readonly id: string; readonly data: unknown },
): ResponseObject {
  const schema: SchemaObject = {
    type: "object",
    required: ["event", "data", "id", "retry"],
    properties: {
      event: { type: "string", enum: [...names] },
      // The types do not know contentSchema (JSON Schema 2020-12, validation section 8.5).
      data: {
        type: "string",
        contentMediaType: "application/json",
        contentSchema: schemaOf(data),
      } as SchemaObject,
      id: { type: "string", description: "For Last-Event-ID" },
      retry: {
        type: "integer",
        minimum: 1,
        description: "When to come back after the connection was lost, ms",
      },
    },
  };
  const value = { ...example, data: JSON.stringify(example.data), retry: RETRY_MS };
  return {
    description,
    headers: headersOf(["Cache-Control"]),
    content: { "text/event-stream": { schema, example: value } },
  };
}

/** A good answer without a body. */
export function done(description: string, headers: readonly HeaderName[] = []): ResponseObject {
  return { description, headers: headersOf(headers) };
}

/** The answer to If-None-Match with the tag of what would be sent. */
export function notModified(headers: readonly HeaderName[]): ResponseObject {
  return { description: "The client has this answer already", headers: headersOf(headers) };
}

/** Headers that problems of a status come with. */
const PROBLEM_HEADERS: Partial<Record<number, readonly HeaderName[]>> = {
  401: ["WWW-Authenticate"],
  403: ["WWW-Authenticate"],
  409: ["Retry-After"],
  412: ["ETag"],
  415: ["Accept", "Accept-Encoding"],
  429: ["Retry-After"],
  503: ["Retry-After"],
};

/**
 * The answers for these types of problem, grouped by status, and for the one that any route may come to.
 * @param headers those that any of these answers may carry
 */
export function problems(
  instance: string,
  names: readonly ProblemName[],
  headers: readonly HeaderName[] = [],
): ResponsesWithResolver {
  const different = new Set<ProblemName>([...names, "internal-error"]);
  const byStatus = Map.groupBy(different, (name) => PROBLEMS[name].status);
  const entries = [...byStatus].map(([status, group]) => {
    const examples = group.map((name) => [
      name,
      {
        value: {
          type: problemType(name),
          title: PROBLEMS[name].title,
          status,
          detail: PROBLEMS[name].about,
          instance,
        },
      },
    ]);
    const response: ResponseObject = {
      description: group.map((name) => PROBLEMS[name].title).join("; "),
      headers: headersOf([...(PROBLEM_HEADERS[status] ?? []), ...headers]),
      content: {
        [PROBLEM_MEDIA_TYPE]: { schema: schemaOf(ProblemSchema), examples: Object.fromEntries(examples) },
      },
    };
    return [String(status), response] as const;
  });
  return Object.fromEntries(entries);
}
