/** `GET /api/v1/producers/skew`: how the clocks of producers stand against ours. */
import { describeRoute } from "hono-openapi";
import { SkewSchema } from "../../contract/query.ts";
import type { Role } from "../../contract/roles.ts";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { answerJson } from "../formats/answer.ts";
import { QUERY_HEADERS } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { SKEW_EXAMPLE } from "../openapi/query-examples.ts";
import { notModified, ok, problems } from "../openapi/responses.ts";
import { onlyParameters } from "../parameters.ts";
import { nowOf, QUERY_PROBLEMS, queryAnswer, rangeOf, rangeParameters, rangeText } from "./query-access.ts";

const PATH = "/api/v1/producers/skew";
const MAX_DAYS = 31;
const MAX_PRODUCERS = 1_000;
const MAY: readonly Role[] = ["admin", "engineer"];

const SKEW_EXPLANATION =
  "The delay of a batch is the time from its newest reading, by the producer's clock, to its receipt, by ours. It is " +
  "the producer's own waiting and the way here, less what the producer's clock is ahead. The least delayed batch has " +
  "the least of the former, so its delay is the best estimate of the skew, with its sign turned. A negative delay is " +
  "certain: the clock is ahead by at least that much. A positive one is an upper bound of how far it is behind, " +
  "because a producer that collects readings before it sends them looks the same.";

const describe = describeRoute({
  tags: ["Queries"],
  summary: "Clock skew of producers",
  description: `${SKEW_EXPLANATION} \`from\` and \`to\` are about the receipt. At most ${MAX_PRODUCERS} producers, least delay first.`,
  operationId: "getProducerSkew",
  security: SECURITY,
  parameters: rangeParameters("24 hours", MAX_DAYS),
  responses: {
    200: ok("Delay and estimated skew of each producer", SkewSchema, SKEW_EXAMPLE, QUERY_HEADERS),
    304: notModified(QUERY_HEADERS),
    ...problems(PATH, QUERY_PROBLEMS),
  },
});

const toTenths = (ms: number) => Math.round(ms * 10) / 10 + 0;

export function mountSkew(app: App, { queries, clock, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens, MAY), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["from", "to"]);
      const now_us = nowOf(clock);
      const range = rangeOf(c, now_us, { max_days: MAX_DAYS });
      const delays = await queries.skew.delays(range, c.get("claims").systems, MAX_PRODUCERS, {
        signal: c.req.raw.signal,
      });
      const producers = delays.map(
        ({ user_id, username, jobs, min_delay_ms, median_delay_ms, p95_delay_ms }) => ({
          user_id,
          username,
          jobs,
          min_delay_ms: toTenths(min_delay_ms),
          median_delay_ms: toTenths(median_delay_ms),
          p95_delay_ms: toTenths(p95_delay_ms),
          estimated_skew_ms: toTenths(-min_delay_ms),
          clock_ahead: min_delay_ms < 0,
        }),
      );
      const body = { ...rangeText(range), explanation: SKEW_EXPLANATION, producers };
      return answerJson(c, body, { to_us: range.to_us, now_us });
    }),
  );
}
