/** Requests a minute, per user and per key: hono-rate-limiter with its Redis store. */
import type { MiddlewareHandler } from "hono";
import { type RateLimitInfo, rateLimiter } from "hono-rate-limiter";
import type { AppEnv, RouteDeps } from "../deps.ts";
import { ProblemError } from "../problem-error.ts";
import { RequestCounter, secondsUntil, WINDOW_MS } from "./request-counter.ts";

/**
 * After `authenticate`. Sets the RateLimit-* headers (draft-ietf-httpapi-ratelimit-headers-06) on every answer.
 * @throws {ProblemError} rate-limited
 * @throws {StreamUnavailableError} when Redis is away: without a count nobody is let through
 */
export function requestLimit(deps: Pick<RouteDeps, "redis" | "config" | "clock">): MiddlewareHandler<AppEnv> {
  return rateLimiter<AppEnv>({
    windowMs: WINDOW_MS,
    limit: (c) => c.get("claims").requests_per_minute ?? deps.config.RATE_LIMIT_REQUESTS_PER_MINUTE,
    keyGenerator: (c) => c.get("claims").budget,
    standardHeaders: "draft-6",
    store: new RequestCounter(deps.redis, "limit:requests:"),
    handler: (c) => {
      const info = c.get("rateLimit" as never) as RateLimitInfo;
      const wait_s = secondsUntil(info.resetTime, deps.clock.now_ms());
      throw new ProblemError("rate-limited", {
        detail: `At most ${info.limit} requests a minute; try again in ${wait_s} s.`,
        headers: { "Retry-After": String(wait_s), "RateLimit-Reset": String(wait_s) },
      });
    },
  });
}
