/** `GET /api/v1/quarantine/incidents`: refusals that belong together, newest first. */
import { describeRoute } from "hono-openapi";
import { decodeIncidentKey, encodeIncidentKey } from "../../contract/incident-key.ts";
import { IncidentPageSchema } from "../../contract/quarantine-review.ts";
import type { IncidentPosition } from "../../store/queries/quarantine-incidents.ts";
import type { App, AppContext, RouteDeps } from "../deps.ts";
import { answerJson } from "../formats/answer.ts";
import { QUERY_HEADERS } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { INCIDENT_PAGE_EXAMPLE } from "../openapi/quarantine-examples.ts";
import { notModified, ok, problems } from "../openapi/responses.ts";
import { invalidParameter, onlyParameters, wholeParameter } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { filterOf, QUARANTINE_PROBLEMS, SERIES_NAMES, SERIES_PARAMETERS } from "./quarantine-access.ts";
import { linkHeader, linkTo, nowOf, pagesOf, queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/quarantine/incidents";
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

const describe = describeRoute({
  tags: ["Quarantine"],
  summary: "Incidents, newest first",
  description:
    "An incident is the refusals of one system, sensor and reason that each came at most an hour after the one " +
    "before. A refusal's moment is the reading's own time, or when it was quarantined if that time is missing or " +
    "what is wrong. An incident may grow between two pages; its `key` then changes.",
  operationId: "listIncidents",
  security: SECURITY,
  parameters: [
    ...SERIES_PARAMETERS("Incidents that end then or later", "Incidents that begin before"),
    ...pagesOf(DEFAULT_LIMIT, MAX_LIMIT),
  ],
  responses: {
    200: ok(
      "Incidents with at least one reading in one of the statuses",
      IncidentPageSchema,
      INCIDENT_PAGE_EXAMPLE,
      QUERY_HEADERS,
    ),
    304: notModified(QUERY_HEADERS),
    ...problems(PATH, QUARANTINE_PROBLEMS),
  },
});

export function mountQuarantineIncidents(app: App, { queries, clock, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, [...SERIES_NAMES, "limit", "after"]);
      const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
      const now_us = nowOf(clock);
      const options = { signal: c.req.raw.signal };
      const page = await queries.incidents.page(filterOf(c), afterOf(c), limit, options);
      const last = page.next;
      // A key has everything that the order of the list goes by.
      const next = last && linkTo(c, { after: encodeIncidentKey({ ...last, first_at: last.last_at }) });
      return answerJson(
        c,
        { items: page.incidents, next },
        { to_us: now_us, now_us, headers: linkHeader({ next }) },
      );
    }),
  );
}

/** @throws {ProblemError} invalid-request */
function afterOf(c: AppContext): IncidentPosition | null {
  const text = c.req.query("after");
  if (text === undefined) return null;
  const position = decodeIncidentKey(text);
  if (position === null) throw invalidParameter("after", "the one in `next` of the page before");
  return position;
}
