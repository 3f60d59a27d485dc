/** `GET /api/v1/alerts`: systems whose readings are refused too often. */
import { describeRoute } from "hono-openapi";
import { AlertPageSchema } from "../../contract/alert.ts";
import { ALERT_STATES } from "../../store/queries/alert-list.ts";
import type { App, RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { ALERT_EXAMPLE } from "../openapi/oversight-examples.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { choiceParameter, onlyParameters, uuidParameter, wholeParameter } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { idCursor, LIST_PROBLEMS, pageAnswer } from "./oversight-access.ts";
import { queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/alerts";
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "Alerts, newest first",
  description:
    "Raised when the share of quarantined readings of a system passes its limit among the batches received in its " +
    "window and judged since, with at least so many readings: QUARANTINE_ALERT_*, or the system's own (PUT " +
    "/api/v1/systems/{system_id}/alert-limits). Resolved when the share has been at the limit or below for 5 min, and " +
    "at once when no readings are left in the window or other limits judge it. What reviewers store does not count. " +
    "Judged every 15 s, while a worker runs. Not for producers.",
  operationId: "listAlerts",
  security: SECURITY,
  parameters: [
    queryParameter("state", "Only these", { type: "string", enum: [...ALERT_STATES], default: "open" }),
    queryParameter("system_id", "Only about this system", { type: "string", format: "uuid" }),
    ...pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
  ],
  responses: {
    200: ok("A page of alerts", AlertPageSchema, { items: [ALERT_EXAMPLE], next: null }, ["Link"]),
    ...problems(PATH, LIST_PROBLEMS),
  },
});

export function mountAlerts(app: App, { queries, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["state", "system_id", "limit", "after"]);
      const page = await queries.alerts.page(
        {
          state: choiceParameter(c, "state", ALERT_STATES, "open"),
          system_id: uuidParameter(c, "system_id"),
          reach: c.get("claims").systems,
          limit: wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT }),
          after: idCursor(c),
        },
        { signal: c.req.raw.signal },
      );
      return pageAnswer(c, page.items, page.next === null ? null : [String(page.next)]);
    }),
  );
}
