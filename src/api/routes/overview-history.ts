/** `GET /api/v1/overview/history`: the rates of the last five minutes, for a chart that begins full. */
import { describeRoute } from "hono-openapi";
import { OverviewHistorySchema } from "../../contract/oversight.ts";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { OVERVIEW_HISTORY_EXAMPLE } from "../openapi/oversight-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { onlyParameters } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { READ_PROBLEMS } from "./common-problems.ts";

const PATH = "/api/v1/overview/history";

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "The rates of the last minutes",
  description:
    "A point every 2 s of the last 5 minutes, the oldest first, with the rates of GET /api/v1/overview, as this API " +
    "process has seen them: less after its start, and none while Redis was away. Not for producers.",
  operationId: "getOverviewHistory",
  security: SECURITY,
  responses: {
    200: ok("The rates", OverviewHistorySchema, OVERVIEW_HISTORY_EXAMPLE),
    ...problems(PATH, READ_PROBLEMS),
  },
});

export function mountOverviewHistory(app: App, { tokens, overviewHistory }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens, READERS), (c) => {
    onlyParameters(c, []);
    return c.json({ points: overviewHistory.points });
  });
}
