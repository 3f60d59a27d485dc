/**
 * `GET /api/v1/systems/{system_id}/hourly` and `…/sensors/{sensor_id}/hourly`: the hourly aggregate of a system's
 * sensors or of one.
 */
import { describeRoute } from "hono-openapi";
import { isUuid } from "../../contract/job-id.ts";
import { HourlyMetaSchema } from "../../contract/query.ts";
import { HOUR_MS, queryMoment, wholeBuckets } from "../../contract/query-range.ts";
import { HOURLY_COLUMNS, type HourlyKey } from "../../store/queries/hourly.ts";
import type { App, AppContext } from "../app-env.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import type { RouteDeps } from "../deps.ts";
import { answerWhole } from "../formats/answer.ts";
import { FORMAT_KINDS, formatOf } from "../formats/format.ts";
import { FORMAT_PARAMETER, okTable, QUERY_HEADERS, tableBody } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { SENSOR_ID_PARAMETER, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { HOURLY_EXAMPLE } from "../openapi/query-examples.ts";
import { notModified, problems } from "../openapi/responses.ts";
import { invalidParameter, onlyParameters, pathUuid, wholeParameter } from "../parameters.ts";
import {
  linkHeader,
  linkTo,
  nowOf,
  pagesOf,
  queryAnswer,
  queryOptions,
  rangeOf,
  rangeParameters,
  rangeText,
  SENSOR_QUERY_PROBLEMS,
  SENSORS_PARAMETER,
  sensorsParameter,
} from "./query-access.ts";

const SYSTEM_PATH = "/api/v1/systems/:system_id/hourly";
const SENSOR_PATH = "/api/v1/systems/:system_id/sensors/:sensor_id/hourly";
const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 50_000;
const PAGE_PARAMETERS = ["from", "to", "limit", "after", "format"];

const common = {
  tags: ["Queries"],
  description:
    "Whole hours in UTC that the range touches, by sensor and hour; right also for readings that came late or a " +
    "moment ago. stddev_value is the sample's standard deviation, null for one reading; last_value is the value at " +
    "the latest time.",
  security: SECURITY,
  responses: {
    200: okTable({
      description: "Hours with readings",
      meta: HourlyMetaSchema,
      columns: HOURLY_COLUMNS,
      example: HOURLY_EXAMPLE,
    }),
    304: notModified(QUERY_HEADERS),
    ...problems("/api/v1/systems/x/hourly", SENSOR_QUERY_PROBLEMS),
  },
};
const pages = [...rangeParameters(), ...pagesOf(DEFAULT_LIMIT, MAX_LIMIT), FORMAT_PARAMETER];
const describeSystem = describeRoute({
  ...common,
  summary: "Hourly aggregate of a system",
  operationId: "getSystemHourly",
  parameters: [SYSTEM_ID_PARAMETER, SENSORS_PARAMETER, ...pages],
});
const describeSensor = describeRoute({
  ...common,
  summary: "Hourly aggregate of a sensor",
  operationId: "getSensorHourly",
  parameters: [SYSTEM_ID_PARAMETER, SENSOR_ID_PARAMETER, ...pages],
});

export function mountHourly(app: App, deps: RouteDeps): void {
  const access = authenticate(deps.tokens);
  app.get(SYSTEM_PATH, describeSystem, access, (c) =>
    queryAnswer(c, () => {
      onlyParameters(c, ["sensors", ...PAGE_PARAMETERS]);
      return answer(c, deps, sensorsParameter(c));
    }),
  );
  app.get(SENSOR_PATH, describeSensor, access, (c) =>
    queryAnswer(c, () => {
      onlyParameters(c, PAGE_PARAMETERS);
      return answer(c, deps, [pathUuid(c, "sensor_id")]);
    }),
  );
}

async function answer(
  c: AppContext,
  { queries, clock }: RouteDeps,
  sensor_ids: readonly string[] | null,
): Promise<Response> {
  const system_id = pathUuid(c, "system_id");
  const now_us = nowOf(clock);
  const asked = rangeOf(c, now_us);
  const range = wholeBuckets(asked, HOUR_MS);
  const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
  const format = formatOf(c);
  const after = afterOf(c);
  const options = queryOptions(c);
  await queries.subjects.sensors(system_id, sensor_ids ?? [], options);
  const { style, content_type } = FORMAT_KINDS[format];
  const page = await queries.hourly.page({ system_id, sensor_ids, range, limit, after }, style, options);
  const next =
    page.last && page.count === limit
      ? linkTo(c, { ...rangeText(asked), after: toCursor([page.last.sensor_id, page.last.bucket]) })
      : null;
  return answerWhole(c, {
    body: tableBody(format, HOURLY_COLUMNS, { ...rangeText(range), next }, page.body),
    content_type,
    to_us: range.to_us,
    now_us,
    headers: linkHeader({ next }),
  });
}

/** @throws {ProblemError} invalid-request */
function afterOf(c: AppContext): HourlyKey | null {
  const key = cursorParameter(c, 2);
  if (key === null) return null;
  const [sensor_id = "", moment = ""] = key;
  const bucket = queryMoment(moment);
  if (isUuid(sensor_id) && bucket !== null) return { sensor_id, bucket };
  throw invalidParameter("after", "the one in `next` of the page before");
}
