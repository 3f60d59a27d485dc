/** `GET /api/v1/systems/{system_id}/latest`: the latest reading of each sensor. */
import { describeRoute } from "hono-openapi";
import { LatestMetaSchema } from "../../contract/query.ts";
import { DAY_US } from "../../contract/query-range.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import { LATEST_COLUMNS } from "../../store/queries/latest.ts";
import type { App } from "../app-env.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import type { RouteDeps } from "../deps.ts";
import { answerWhole } from "../formats/answer.ts";
import { FORMAT_KINDS, formatOf } from "../formats/format.ts";
import { FORMAT_PARAMETER, okTable, QUERY_HEADERS, tableBody } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { queryParameter, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { LATEST_EXAMPLE } from "../openapi/query-examples.ts";
import { notModified, problems } from "../openapi/responses.ts";
import { onlyParameters, pathUuid, wholeParameter } from "../parameters.ts";
import {
  linkHeader,
  linkTo,
  MAX_RANGE_DAYS,
  nowOf,
  pagesOf,
  queryAnswer,
  queryOptions,
  SYSTEM_QUERY_PROBLEMS,
} from "./query-access.ts";

const PATH = "/api/v1/systems/:system_id/latest";
const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 1_000;
const DEFAULT_DAYS = 30;

const describe = describeRoute({
  tags: ["Queries"],
  summary: "Latest reading of each sensor",
  description:
    "Sensors in use, by name. A sensor without a reading in the last `within_days` has null for timestamp, value and " +
    "quality.",
  operationId: "getLatest",
  security: SECURITY,
  parameters: [
    SYSTEM_ID_PARAMETER,
    queryParameter("within_days", "How far back a reading is looked for", {
      type: "integer",
      minimum: 1,
      maximum: MAX_RANGE_DAYS,
      default: DEFAULT_DAYS,
    }),
    ...pagesOf(DEFAULT_LIMIT, MAX_LIMIT),
    FORMAT_PARAMETER,
  ],
  responses: {
    200: okTable({
      description: "One row for each sensor",
      meta: LatestMetaSchema,
      columns: LATEST_COLUMNS,
      example: LATEST_EXAMPLE,
    }),
    304: notModified(QUERY_HEADERS),
    ...problems("/api/v1/systems/x/latest", SYSTEM_QUERY_PROBLEMS),
  },
});

export function mountLatest(app: App, { queries, clock, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["within_days", "limit", "after", "format"]);
      const system_id = pathUuid(c, "system_id");
      const days = wholeParameter(c, "within_days", { min: 1, max: MAX_RANGE_DAYS, fallback: DEFAULT_DAYS });
      const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
      const after = cursorParameter(c, 1)?.[0] ?? null;
      const format = formatOf(c);
      const now_us = nowOf(clock);
      // Whole minutes, so that the tag does not change with every request.
      const since_us = Math.floor((now_us - days * DAY_US) / 60_000_000) * 60_000_000;
      const options = queryOptions(c);
      await queries.subjects.system(system_id, options);
      const { style, content_type } = FORMAT_KINDS[format];
      const page = await queries.latest.page({ system_id, since_us, limit, after }, style, options);
      const next =
        page.last_name !== null && page.count === limit
          ? linkTo(c, { after: toCursor([page.last_name]) })
          : null;
      return answerWhole(c, {
        body: tableBody(format, LATEST_COLUMNS, { since: formatTimestamp(since_us), next }, page.body),
        content_type,
        to_us: now_us,
        now_us,
        headers: linkHeader({ next }),
      });
    }),
  );
}
