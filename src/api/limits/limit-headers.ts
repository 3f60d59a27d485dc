/** What a limit tells of itself (draft-ietf-httpapi-ratelimit-headers-06). */

/** A budget of the running minute. */
export interface Budget {
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends, at least 1. */
  readonly reset_s: number;
}

export function limitHeaders({ limit, remaining, reset_s }: Budget): Record<string, string> {
  return {
    "RateLimit-Policy": `${limit};w=60`,
    "RateLimit-Limit": String(limit),
    "RateLimit-Remaining": String(remaining),
    "RateLimit-Reset": String(reset_s),
  };
}

/** The same of readings, beside the headers of requests: a client that is limited by both can pace itself by both. */
export function readingsHeaders({ limit, remaining, reset_s }: Budget): Record<string, string> {
  return {
    "RateLimit-Readings-Limit": String(limit),
    "RateLimit-Readings-Remaining": String(remaining),
    "RateLimit-Readings-Reset": String(reset_s),
  };
}
