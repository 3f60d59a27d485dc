/** The request is good, and what it is about is not in the state that it needs. */
import type { ProblemKind } from "./kind.ts";

export const CONFLICT_PROBLEMS = {
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
    about:
      "It never was, or somebody else replayed or discarded it, or is doing so now. The record (audit), which admins read, says who.",
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
} as const satisfies Record<string, ProblemKind>;
