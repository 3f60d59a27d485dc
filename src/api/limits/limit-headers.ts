/** What a limit tells of itself (draft-ietf-httpapi-ratelimit-headers-06). */
import type { Allowance } from "../../stream/allowance.ts";

/** RateLimit headers of a budget, as its clients read them. */
export function limitHeaders({ limit, remaining, reset_s }: Allowance): Record<string, string> {
  return {
    "RateLimit-Policy": `${limit};w=60`,
    "RateLimit-Limit": String(limit),
    "RateLimit-Remaining": String(remaining),
    "RateLimit-Reset": String(reset_s),
  };
}

/** The same of readings, beside the headers of requests: a client that is limited by both can pace itself by both. */
export function readingsHeaders({ limit, remaining, reset_s }: Allowance): Record<string, string> {
  return {
    "RateLimit-Readings-Limit": String(limit),
    "RateLimit-Readings-Remaining": String(remaining),
    "RateLimit-Readings-Reset": String(reset_s),
  };
}
