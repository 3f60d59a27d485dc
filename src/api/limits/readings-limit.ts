/** Readings a minute, per user and per key: a batch that does not fit into what is left of the minute is refused whole. */
import type { BodyFormat } from "../../contract/formats/body-format.ts";
import type { Allowance } from "../../stream/allowance.ts";
import { StreamUnavailableError } from "../../stream/connection.ts";
import type { AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { ProblemError } from "../problem-error.ts";
import { limitHeaders, readingsHeaders } from "./limit-headers.ts";

/**
 * Take a batch's readings out of the budget. Whatever the answer will be, it tells from then on what is left.
 * @throws {ProblemError} rate-limited, with the RateLimit-* headers of this budget; body-too-large of line protocol that
 *   no minute's budget holds: Telegraf halves what is answered with 413, and sends 429 again for ever
 * @returns what `giveReadingsBack` wants when the batch is refused after all
 * @throws {StreamUnavailableError}
 */
export async function takeReadings(
  deps: Pick<RouteDeps, "allowances" | "config">,
  c: AppContext,
  readings: number,
  format: BodyFormat,
): Promise<Allowance> {
  const claims = c.get("claims");
  const limit = claims.readings_per_minute ?? deps.config.RATE_LIMIT_READINGS_PER_MINUTE;
  const budget = await deps.allowances.take("readings", claims.budget, readings, limit);
  for (const [name, value] of Object.entries(readingsHeaders(budget))) c.header(name, value);
  if (budget.allowed) return budget;
  if (readings > limit && format === "line") {
    throw new ProblemError("body-too-large", {
      detail: `The body has ${readings} readings; a whole minute's budget is ${limit}.`,
      headers: limitHeaders(budget),
    });
  }
  const never = readings > limit ? " The batch is larger than a whole minute's budget: split it." : "";
  throw new ProblemError("rate-limited", {
    detail: `At most ${limit} readings a minute; ${budget.remaining} are left, the batch has ${readings}.${never}`,
    headers: { ...limitHeaders(budget), "Retry-After": String(budget.reset_s) },
  });
}

/** Nothing of the batch was taken in: its readings are free again, and the answer says so. Never rejects. */
export async function giveReadingsBack(
  { allowances, log }: Pick<RouteDeps, "allowances" | "log">,
  c: AppContext,
  readings: number,
  taken: Allowance,
): Promise<void> {
  try {
    const budget = await allowances.giveBack("readings", c.get("claims").budget, readings, taken);
    for (const [name, value] of Object.entries(readingsHeaders(budget))) c.header(name, value);
  } catch (error) {
    if (!(error instanceof StreamUnavailableError)) throw error;
    log.debug({ err: error.message }, "readings of a refused batch stay taken until the minute ends");
  }
}
