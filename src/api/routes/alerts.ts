/** `GET /api/v1/alerts`: systems whose readings are refused too often. */
import { describeRoute } from "hono-openapi";
import { AlertPageSchema, AlertSchema, type AlertView } from "../../contract/alert.ts";
import { ALERT_STATES } from "../../store/queries/alert-list.ts";
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import {
  answerList,
  EXPORTED,
  everyMember,
  LIST_FORMAT_PARAMETER,
  type ListFile,
  okList,
} from "../formats/list.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { ALERT_EXAMPLE } from "../openapi/oversight-examples.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { problems } from "../openapi/responses.ts";
import { choiceParameter, onlyParameters, uuidParameter } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { idCursor, LIST_PROBLEMS } from "./oversight-access.ts";
import { queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/alerts";
const LIMITS = { fallback: 50, max: 500 };
const FILE: ListFile<AlertView> = {
  name: "alerts",
  cells: everyMember(AlertSchema),
};

const describe = describeRoute({
  tags: ["Oversight"],
  summary: "Alerts, newest first",
  description:
    "Raised when the share of quarantined readings of a system passes its limit among the batches received in its " +
    "window and judged since, with at least so many readings: QUARANTINE_ALERT_*, or the system's own (PUT " +
    "/api/v1/systems/{system_id}/alert-limits). Resolved when the share has been at the limit or below for 5 min, and " +
    "at once when no readings are left in the window or other limits judge it. What reviewers store does not count. " +
    `Judged every 15 s, while a worker runs. Not for producers. ${EXPORTED}`,
  operationId: "listAlerts",
  security: SECURITY,
  parameters: [
    queryParameter("state", "Only these", { type: "string", enum: [...ALERT_STATES], default: "open" }),
    queryParameter("system_id", "Only about this system", { type: "string", format: "uuid" }),
    ...pageParameters(LIMITS.fallback, LIMITS.max),
    LIST_FORMAT_PARAMETER,
  ],
  responses: {
    200: okList("A page of alerts", AlertPageSchema, AlertSchema, FILE, {
      items: [ALERT_EXAMPLE],
      next: null,
    }),
    ...problems(PATH, [...LIST_PROBLEMS, "too-many-at-once"]),
  },
});

export function mountAlerts(app: App, deps: RouteDeps): void {
  const { queries, tokens } = deps;
  app.get(PATH, describe, authenticate(tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["state", "system_id", "limit", "after", "format"]);
      const filter = {
        state: choiceParameter(c, "state", ALERT_STATES, "open"),
        system_id: uuidParameter(c, "system_id"),
        reach: c.get("claims").systems,
      };
      return answerList<AlertView, number>(c, deps.exports, FILE, {
        limits: LIMITS,
        after: idCursor(c),
        cursor: (id) => [String(id)],
        page: (after, limit, options) => queries.alerts.page({ ...filter, after, limit }, options),
      });
    }),
  );
}
