/** `GET /api/v1/quarantine/incidents`: refusals that belong together, newest first. */
import { describeRoute } from "hono-openapi";
import { decodeIncidentKey, encodeIncidentKey } from "../../contract/incident-key.ts";
import { type Incident, IncidentPageSchema, IncidentSchema } from "../../contract/quarantine-review.ts";
import { REVIEW_STATUSES } from "../../contract/review-status.ts";
import type { IncidentPosition } from "../../store/queries/quarantine-incidents.ts";
import type { App, AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { answerJson } from "../formats/answer.ts";
import {
  answerList,
  EXPORTED,
  LIST_FORMAT_PARAMETER,
  type ListFile,
  members,
  okList,
} from "../formats/list.ts";
import { QUERY_HEADERS } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { INCIDENT_PAGE_EXAMPLE } from "../openapi/quarantine-examples.ts";
import { notModified, problems } from "../openapi/responses.ts";
import { invalidParameter, onlyParameters } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { filterOf, QUARANTINE_PROBLEMS, SERIES_NAMES, SERIES_PARAMETERS } from "./quarantine-access.ts";
import { nowOf, pagesOf, queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/quarantine/incidents";
const LIMITS = { fallback: 50, max: 200 };
const FILE: ListFile<Incident> = {
  name: "incidents",
  cells: {
    ...members<Incident>("key", "system_id", "system_name", "sensor_id", "sensor_name", "unit", "reason"),
    ...members<Incident>("first_at", "last_at", "count"),
    ...Object.fromEntries(
      REVIEW_STATUSES.map((status) => [status, ({ statuses }: Incident) => statuses[status]] as const),
    ),
    sample_id: ({ sample }) => sample.id,
    sample_value: ({ sample }) => sample.value,
    sample_unit: ({ sample }) => sample.unit,
    sample_reason_details: ({ sample }) => sample.reason_details,
  },
};

const describe = describeRoute({
  tags: ["Quarantine"],
  summary: "Incidents, newest first",
  description:
    "An incident is the refusals of one system, sensor and reason that each came at most an hour after the one " +
    "before. A refusal's moment is the reading's own time, or when it was quarantined if that time is missing or " +
    `what is wrong. An incident may grow between two pages; its \`key\` then changes. ${EXPORTED}`,
  operationId: "listIncidents",
  security: SECURITY,
  parameters: [
    ...SERIES_PARAMETERS("Incidents that end then or later", "Incidents that begin before"),
    ...pagesOf(LIMITS.fallback, LIMITS.max),
    LIST_FORMAT_PARAMETER,
  ],
  responses: {
    200: okList(
      "Incidents with at least one reading in one of the statuses",
      IncidentPageSchema,
      IncidentSchema,
      FILE,
      INCIDENT_PAGE_EXAMPLE,
      QUERY_HEADERS,
    ),
    304: notModified(QUERY_HEADERS),
    ...problems(PATH, [...QUARANTINE_PROBLEMS, "too-many-at-once"]),
  },
});

export function mountQuarantineIncidents(app: App, deps: RouteDeps): void {
  const { queries, clock, tokens } = deps;
  app.get(PATH, describe, authenticate(tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, [...SERIES_NAMES, "limit", "after", "format"]);
      const filter = filterOf(c);
      const now_us = nowOf(clock);
      return answerList<Incident, IncidentPosition>(c, deps.exports, FILE, {
        limits: LIMITS,
        after: afterOf(c),
        // A key has everything that the order of the list goes by.
        cursor: (last) => encodeIncidentKey({ ...last, first_at: last.last_at }),
        async page(after, limit, options) {
          const { incidents: items, next } = await queries.incidents.page(filter, after, limit, options);
          return { items, next };
        },
        answer: (body, headers) => answerJson(c, body, { to_us: now_us, now_us, headers }),
      });
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
