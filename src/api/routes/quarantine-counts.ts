/** `GET /api/v1/quarantine/counts`: how many quarantined readings a filter would show. */
import { describeRoute } from "hono-openapi";
import { QuarantineCountsSchema } from "../../contract/quarantine-review.ts";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { answerJson } from "../formats/answer.ts";
import { QUERY_HEADERS } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { QUARANTINE_COUNTS_EXAMPLE } from "../openapi/quarantine-examples.ts";
import { notModified, ok, problems } from "../openapi/responses.ts";
import { onlyParameters } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { FILTER_NAMES, FILTER_PARAMETERS, filterOf, QUARANTINE_PROBLEMS } from "./quarantine-access.ts";
import { nowOf, queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/quarantine/counts";

const describe = describeRoute({
  tags: ["Quarantine"],
  summary: "Counts of quarantined readings",
  description:
    "By reason, status, system and sensor, each with the filters on the others but not its own. Exact without " +
    "`incident`, `q`, `from` and `to`, for one job, and for a text that few readings have; else they end at 10,000, or earlier where many readings would have to be " +
    "looked at, and `capped` says so. Systems and sensors: the 50 largest.",
  operationId: "countQuarantine",
  security: SECURITY,
  parameters: FILTER_PARAMETERS,
  responses: {
    200: ok("Counts of one moment", QuarantineCountsSchema, QUARANTINE_COUNTS_EXAMPLE, QUERY_HEADERS),
    304: notModified(QUERY_HEADERS),
    ...problems(PATH, QUARANTINE_PROBLEMS),
  },
});

export function mountQuarantineCounts(app: App, { queries, clock, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, FILTER_NAMES);
      const counts = await queries.quarantineCounts.counts(filterOf(c), { signal: c.req.raw.signal });
      const now_us = nowOf(clock);
      return answerJson(c, counts, { to_us: now_us, now_us });
    }),
  );
}
