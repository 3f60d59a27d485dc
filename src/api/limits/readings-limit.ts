/** Readings a minute, per user and per key: a batch that does not fit into what is left of the minute is refused whole. */
import type { Claims } from "../auth/claims.ts";
import type { RouteDeps } from "../deps.ts";
import { ProblemError } from "../problem-error.ts";
import { limitHeaders } from "./limit-headers.ts";

/**
 * Take a batch's readings out of the budget.
 * @throws {ProblemError} rate-limited, with the RateLimit-* headers of this budget
 * @throws {StreamUnavailableError}
 */
export async function takeReadings(
  deps: Pick<RouteDeps, "allowance" | "config">,
  claims: Claims,
  readings: number,
): Promise<void> {
  const limit = claims.readings_per_minute ?? deps.config.RATE_LIMIT_READINGS_PER_MINUTE;
  const budget = await deps.allowance.take(claims.budget, readings, limit);
  if (budget.allowed) return;
  const never = readings > limit ? " The batch is larger than a whole minute's budget: split it." : "";
  throw new ProblemError("rate-limited", {
    detail: `At most ${limit} readings a minute; ${budget.remaining} are left, the batch has ${readings}.${never}`,
    headers: {
      "Retry-After": String(budget.reset_s),
      ...limitHeaders(budget),
    },
  });
}
