/** Requests a minute, per user and per key: hono-rate-limiter on our budgets. */
import type { MiddlewareHandler } from "hono";
import { type ClientRateLimitInfo, type RateLimitInfo, rateLimiter, type Store } from "hono-rate-limiter";
import { type Allowances, WINDOW_MS } from "../../stream/allowance.ts";
import type { AppEnv } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { ProblemError } from "../problem-error.ts";

/** The limiter asks its store before it asks for the limit, and a lease depends on it: so the key brings it along. */
const keyOf = (limit: number, budget: string) => `${limit} ${budget}`;

class RequestStore implements Store<AppEnv> {
  constructor(private readonly allowances: Pick<Allowances, "take">) {}

  async increment(key: string): Promise<ClientRateLimitInfo> {
    const space = key.indexOf(" ");
    const limit = Number(key.slice(0, space));
    const budget = await this.allowances.take("requests", key.slice(space + 1), 1, limit);
    const totalHits = budget.allowed ? limit - budget.remaining : limit + 1;
    // Of the system's clock: the limiter compares it with that.
    return { totalHits, resetTime: new Date(Date.now() + budget.reset_ms) };
  }

  decrement(): void {
    // Asked for only when some answers are not to count; here all do.
  }

  resetKey(): void {
    // Nothing is ever given back.
  }
}

/**
 * After `authenticate`. Sets the RateLimit-* headers (draft-ietf-httpapi-ratelimit-headers-06) on every answer.
 * @throws {ProblemError} rate-limited
 * @throws {StreamUnavailableError} when Redis is away: without a count nobody is let through
 */
export function requestLimit(deps: Pick<RouteDeps, "allowances" | "config">): MiddlewareHandler<AppEnv> {
  const { allowances, config } = deps;
  const limitOf = ({ requests_per_minute }: AppEnv["Variables"]["claims"]) =>
    requests_per_minute ?? config.RATE_LIMIT_REQUESTS_PER_MINUTE;
  return rateLimiter<AppEnv>({
    windowMs: WINDOW_MS,
    limit: (c) => limitOf(c.get("claims")),
    keyGenerator: (c) => keyOf(limitOf(c.get("claims")), c.get("claims").budget),
    standardHeaders: "draft-6",
    store: new RequestStore(allowances),
    handler: (c) => {
      const info = c.get("rateLimit" as never) as RateLimitInfo;
      const left_ms = (info.resetTime?.getTime() ?? 0) - Date.now();
      const wait_s = Math.max(1, Math.ceil(left_ms / 1000));
      throw new ProblemError("rate-limited", {
        detail: `At most ${info.limit} requests a minute; try again in ${wait_s} s.`,
        headers: { "Retry-After": String(wait_s), "RateLimit-Reset": String(wait_s) },
      });
    },
  });
}
