/**
 * Errors as clients see them: problem details (RFC 9457) and the catalogue of their types. A type's URI is the
 * relative reference `/problems/{name}`; it is stable, and it resolves to the explanation below.
 */
import { type Static, Type } from "@sinclair/typebox";
import { REVIEW_STATUSES } from "./review-status.ts";

interface ProblemKind {
  /** HTTP status it comes with. */
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 503 | 504;
  readonly title: string;
  /** What happened and what a client can do about it. */
  readonly about: string;
}

/** Every type of problem this service answers with. */
export const PROBLEMS = {
  "malformed-json": {
    status: 400,
    title: "The body is not JSON",
    about: "The body must be one JSON value (RFC 8259) in UTF-8. Nothing was stored.",
  },
  "malformed-encoding": {
    status: 400,
    title: "The body could not be decoded",
    about: "The body does not match its Content-Encoding, is cut short, or is not UTF-8. Nothing was stored.",
  },
  "invalid-request": {
    status: 400,
    title: "The request does not have the expected shape",
    about: "`errors` lists what is wrong, each with a JSON pointer (RFC 6901). Nothing was stored.",
  },
  "invalid-idempotency-key": {
    status: 400,
    title: "The Idempotency-Key cannot be used",
    about: "An Idempotency-Key has 1 to 255 visible ASCII characters. Nothing was stored.",
  },
  "invalid-job-id": {
    status: 400,
    title: "The job id is malformed",
    about: "A job id is a UUID, as the answer to the ingest request gave it.",
  },
  "authentication-required": {
    status: 401,
    title: "An access token or an API key is required",
    about:
      "Log in at POST /api/v1/auth/login and send the token as `Authorization: Bearer TOKEN`, or send an API key the " +
      "same way or as `X-Api-Key`; browsers log in at POST /api/v1/auth/session.",
  },
  "invalid-token": {
    status: 401,
    title: "The access token or API key is not valid",
    about:
      "It is malformed, forged, expired, ended or revoked; `detail` says which. Log in again, or get a new key.",
  },
  "invalid-credentials": {
    status: 401,
    title: "User name or password is wrong",
    about: "No active user has this name and this password.",
  },
  forbidden: {
    status: 403,
    title: "Your role does not allow this",
    about: "You are known, but your role, or the scopes of your API key, do not allow this operation.",
  },
  "cross-site-request": {
    status: 403,
    title: "The request comes from another site",
    about:
      "A session cookie counts for a change only when a page of this service sends it: with `Sec-Fetch-Site: " +
      "same-origin` or its own Origin. Programs send `Authorization: Bearer TOKEN` instead.",
  },
  "not-found": { status: 404, title: "There is nothing here", about: "No resource has this address." },
  "job-not-found": {
    status: 404,
    title: "No such job",
    about: "The job does not exist, or it belongs to another user.",
  },
  "system-not-found": {
    status: 404,
    title: "No such system",
    about: "No system is registered under this id. GET /api/v1/systems lists them.",
  },
  "sensor-not-found": {
    status: 404,
    title: "No such sensor",
    about: "This system has no sensor with this id. GET /api/v1/systems/{system_id}/sensors lists them.",
  },
  "user-not-found": {
    status: 404,
    title: "No such user",
    about: "No account has this id. GET /api/v1/users lists them.",
  },
  "key-not-found": {
    status: 404,
    title: "No such API key",
    about: "No key has this id, or it belongs to somebody else. GET /api/v1/keys lists yours.",
  },
  "mapping-not-found": {
    status: 404,
    title: "No such mapping",
    about: "This system has no mapping with this id. GET /api/v1/systems/{system_id}/mappings lists them.",
  },
  "quarantined-reading-not-found": {
    status: 404,
    title: "No such quarantined reading",
    about: "No reading was quarantined under this id. GET /api/v1/quarantine lists them.",
  },
  "review-task-not-found": {
    status: 404,
    title: "No such review task",
    about: "No decision was taken under this id. GET /api/v1/quarantine/actions lists them.",
  },
  "dead-letter-not-found": {
    status: 404,
    title: "No such dead letter",
    about: "It never was, or it was replayed or discarded. GET /api/v1/dead-letters lists those there are.",
  },
  "alert-not-found": {
    status: 404,
    title: "No such alert",
    about:
      "There is no alert with this id, or it is about a system out of reach. GET /api/v1/alerts lists them.",
  },
  "webhook-not-found": {
    status: 404,
    title: "No such webhook",
    about:
      "The webhook does not exist, or it belongs to another user. GET /api/v1/webhooks lists those there are.",
  },
  "webhook-delivery-not-found": {
    status: 404,
    title: "No such delivery",
    about:
      "This webhook has no delivery with this id, or it was long ago. GET /api/v1/webhooks/{webhook_id}/deliveries " +
      "lists those there are.",
  },
  "method-not-allowed": {
    status: 405,
    title: "This method is not allowed here",
    about: "The Allow header lists the methods of this resource.",
  },
  "body-timeout": {
    status: 408,
    title: "The body took too long to arrive",
    about: "The connection was closed before the whole body had come. Nothing was stored. Send it again.",
  },
  "idempotency-in-flight": {
    status: 409,
    title: "A request with this Idempotency-Key is being processed",
    about: "Wait for the time in Retry-After and send the same request again to learn its outcome.",
  },
  "id-taken": {
    status: 409,
    title: "The id is taken",
    about: "Another system or sensor is registered under this id. Leave `id` out to get a new one.",
  },
  "mappings-full": {
    status: 409,
    title: "The system has no room for another mapping",
    about:
      "A system has at most 10,000 mappings. Delete those that are not needed, or map fields with fewer tags.",
  },
  "name-taken": {
    status: 409,
    title: "The name is taken",
    about:
      "Names of sensors are unique within their system, those of archived sensors included; names of users within " +
      "the service.",
  },
  "too-many-webhooks": {
    status: 409,
    title: "There are too many webhooks",
    about: "A user has as many webhooks as may be. Change one of them, or delete one first.",
  },
  "dead-letter-gone": {
    status: 409,
    title: "The dead letter is gone",
    about: "Somebody else replayed or discarded it, or is doing so now. The record (audit) says who.",
  },
  "last-admin": {
    status: 409,
    title: "Nobody else could do everything",
    about: "One active admin without a limit to systems must remain. Make another one first.",
  },
  "outside-identity": {
    status: 409,
    title: "An identity provider decides this",
    about: "The account comes from an outside provider; its role and password are changed there.",
  },
  "key-over": {
    status: 409,
    title: "The API key is over",
    about: "It was revoked or has expired, and takes no changes. Make a new one.",
  },
  "too-many-keys": {
    status: 409,
    title: "Too many API keys",
    about: "The owner has as many keys as one may have. Revoke those that are not used any more.",
  },
  archived: {
    status: 409,
    title: "It is archived",
    about: "What is archived takes no readings and no changes. Restore it first (POST …/restore).",
  },
  "unit-in-use": {
    status: 409,
    title: "The unit is in use",
    about:
      "The unit of a sensor can be changed only while it has no readings and no range of its own. " +
      "Register another sensor for another unit.",
  },
  "review-conflict": {
    status: 409,
    title: "Somebody else has decided already",
    about:
      "Some of the readings are not in the status that the action needs; `readings` says what they are now. " +
      "Nothing was changed.",
  },
  "review-over": {
    status: 409,
    title: "The review task is over",
    about: "It is completed, failed or cancelled already; what it has done stays.",
  },
  "version-conflict": {
    status: 412,
    title: "Somebody else has changed it",
    about:
      "The version in If-Match is no longer the newest. Read it again, and decide whether to change it still.",
  },
  "body-too-large": {
    status: 413,
    title: "The body is too large",
    about: "The bound holds for the body as sent and decompressed. Split the batch. Nothing was stored.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The media type is not supported",
    about: "Send `Content-Type: application/json`; its only charset is UTF-8.",
  },
  "unsupported-content-encoding": {
    status: 415,
    title: "The content encoding is not supported",
    about: "Send the body as it is, or with one of the encodings in the Accept-Encoding header.",
  },
  "selection-too-large": {
    status: 422,
    title: "The selection is too large",
    about: "A decision is about at most 1,000,000 readings. Narrow the filter. Nothing was changed.",
  },
  "idempotency-mismatch": {
    status: 422,
    title: "This Idempotency-Key was used for another body",
    about: "A key stands for one body. Use a new key for a new batch. Nothing was stored.",
  },
  "rate-limited": {
    status: 429,
    title: "Too many requests",
    about: "The budget of this minute is used up. Wait for the time in Retry-After. Nothing was stored.",
  },
  "internal-error": {
    status: 500,
    title: "Something went wrong on our side",
    about: "The fault is logged under the X-Request-Id of the answer.",
  },
  "backlog-full": {
    status: 503,
    title: "Too many batches are waiting",
    about:
      "Batches arrive faster than they are stored. Wait for the time in Retry-After. Nothing was stored.",
  },
  "service-unavailable": {
    status: 503,
    title: "A service we depend on is away",
    about: "Send the request again after the time in Retry-After, best with an Idempotency-Key.",
  },
  "server-busy": {
    status: 503,
    title: "The server is busy",
    about: "Too many requests of this kind are in work. Wait for the time in Retry-After.",
  },
  "query-timeout": {
    status: 504,
    title: "The query took too long",
    about: "The database ended it at its deadline. Ask for a shorter range, fewer sensors or wider buckets.",
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemName = keyof typeof PROBLEMS;
export type ProblemStatus = ProblemKind["status"];

/** The `type` member of a problem: a relative reference that this service resolves. */
export function problemType(name: ProblemName): string {
  return `/problems/${name}`;
}

/** Media type of every error answer (RFC 9457 section 3). */
export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** One thing that is wrong with a request. */
export const ProblemItemSchema = Type.Object({
  pointer: Type.String({ description: "JSON pointer (RFC 6901) into the body" }),
  detail: Type.String(),
});

/** The body of every error answer. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ format: "uri-reference", description: "Stable; resolves to an explanation" }),
    title: Type.String({ description: "The same for every problem of this type" }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: "What happened this time" }),
    instance: Type.String({ format: "uri-reference", description: "Path of the request" }),
    errors: Type.Optional(Type.Array(ProblemItemSchema)),
    line: Type.Optional(
      Type.Integer({ minimum: 1, description: "Only of bodies in lines: the line that is at fault" }),
    ),
    readings: Type.Optional(
      Type.Array(
        Type.Object({
          id: Type.Integer(),
          review_status: Type.Union(REVIEW_STATUSES.map((status) => Type.Literal(status))),
          reviewed_by_name: Type.Union([Type.String(), Type.Null()]),
          reviewed_at: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
        }),
        {
          description: "Only of review-conflict: the present state of the readings that were decided already",
        },
      ),
    ),
  },
  { $id: "Problem" },
);
export type ProblemItem = Static<typeof ProblemItemSchema>;
export type ProblemDetails = Static<typeof ProblemSchema>;
