/** The service cannot answer now, or has to refuse so that it can answer others. */
import type { ProblemKind } from "./kind.ts";

export const SERVICE_PROBLEMS = {
  "rate-limited": {
    status: 429,
    title: "Too many requests",
    about: "The budget of this minute is used up. Wait for the time in Retry-After. Nothing was stored.",
  },
  "too-many-at-once": {
    status: 429,
    title: "You have too many of these open",
    about:
      "A user may have so many downloads, and so many event streams, open at once; `detail` says how many. Let one " +
      "end, then ask again.",
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
