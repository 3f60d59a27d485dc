/** What was asked for does not exist, or not for who asks. */
import type { ProblemKind } from "./kind.ts";

export const MISSING_PROBLEMS = {
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
} as const satisfies Record<string, ProblemKind>;
