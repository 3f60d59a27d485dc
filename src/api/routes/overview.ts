/** `GET /api/v1/overview`: the whole service at one look. */
import { describeRoute } from "hono-openapi";
import { OverviewSchema } from "../../contract/oversight.ts";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { OVERVIEW_EXAMPLE } from "../openapi/oversight-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import type { OverviewSampler } from "../overview-sampler.ts";
import { onlyParameters } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { LIST_PROBLEMS } from "./oversight-access.ts";
import { queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/overview";

/** How each figure is made, for both ways to get them. */
export const FIGURES =
  "accepted_rows_per_s: difference of a counter in Redis that grows with each accepted batch. committed_rows_per_s " +
  "and quarantined_share: differences of the counters that each worker process writes to Redis every 2 s. All three " +
  "over the last 10 s, by this API process's own looks, which it takes every 2 s while nobody watches: null at the first one. backlog: lengths of the streams in " +
  "Redis. workers: as GET /api/v1/workers. pending and alerts: from the database, at most 5 s old. jobs: the list of " +
  "GET /api/v1/jobs. While the database is away these three are as it last told them, and database says so. Who is limited to systems gets pending, alerts and jobs of these; all else is of the whole " +
  "service. Not for producers.";

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "The service at one look",
  description: `At most a second old. ${FIGURES}`,
  operationId: "getOverview",
  security: SECURITY,
  responses: {
    200: ok("The overview", OverviewSchema, OVERVIEW_EXAMPLE),
    ...problems(PATH, LIST_PROBLEMS),
  },
});

export function mountOverview(app: App, { tokens }: RouteDeps, sampler: OverviewSampler): void {
  app.get(PATH, describe, authenticate(tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, []);
      return c.json(await sampler.latest(c.get("claims").systems));
    }),
  );
}
