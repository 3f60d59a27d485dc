/** `GET /api/v1/systems/{system_id}/sensors/{sensor_id}/gaps`: the holes in a recording, as intervals. */
import { describeRoute } from "hono-openapi";
import { type Rate, rateOf } from "../../contract/completeness.ts";
import { GapsSchema } from "../../contract/query.ts";
import { HOUR_MS, type TimeRange, wholeBuckets } from "../../contract/query-range.ts";
import { parseTimestamp_us } from "../../contract/timestamp.ts";
import type { SensorSubject } from "../../store/queries/subjects.ts";
import type { App, AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { answerJson } from "../formats/answer.ts";
import { QUERY_HEADERS } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { queryParameter, SENSOR_ID_PARAMETER, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { GAPS_EXAMPLE } from "../openapi/query-examples.ts";
import { notModified, ok, problems } from "../openapi/responses.ts";
import { numberParameter, onlyParameters, pathUuid, wholeParameter } from "../parameters.ts";
import {
  linkHeader,
  linkTo,
  nowOf,
  queryAnswer,
  queryOptions,
  rangeOf,
  rangeParameters,
  rangeText,
  SENSOR_QUERY_PROBLEMS,
} from "./query-access.ts";

const PATH = "/api/v1/systems/:system_id/sensors/:sensor_id/gaps";
const DEFAULT_LIMIT = 1_000;
const MAX_LIMIT = 10_000;
const MAX_DAYS = 31;
/** Without `min_gap_s`: as many readings in a row are missing. */
const MISSING_READINGS = 10;
/** The same for a sensor whose rate is unknown, s. */
const FALLBACK_GAP_S = 60;
const GAP_S = { min: 0.001, max: MAX_DAYS * 86_400 };

const describe = describeRoute({
  tags: ["Queries"],
  summary: "Gaps in the readings of a sensor",
  description:
    `Times without readings of at least \`min_gap_s\`: without it, of ${MISSING_READINGS} readings at the sensor's rate ` +
    `(registered or learnt, see completeness), or ${FALLBACK_GAP_S} s when the rate is unknown. The edges of the range ` +
    "count as readings; a range that ends in the future ends now.",
  operationId: "getGaps",
  security: SECURITY,
  parameters: [
    SYSTEM_ID_PARAMETER,
    SENSOR_ID_PARAMETER,
    ...rangeParameters("24 hours", MAX_DAYS),
    queryParameter("min_gap_s", "Shortest gap, seconds", {
      type: "number",
      minimum: GAP_S.min,
      maximum: GAP_S.max,
    }),
    queryParameter("limit", "Gaps on the page", {
      type: "integer",
      minimum: 1,
      maximum: MAX_LIMIT,
      default: DEFAULT_LIMIT,
    }),
  ],
  responses: {
    200: ok("Gaps in order of time", GapsSchema, GAPS_EXAMPLE, QUERY_HEADERS),
    304: notModified(QUERY_HEADERS),
    ...problems("/api/v1/systems/x/sensors/y/gaps", SENSOR_QUERY_PROBLEMS),
  },
});

export function mountGaps(app: App, { queries, clock, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["from", "to", "min_gap_s", "limit"]);
      const [system_id, sensor_id] = [pathUuid(c, "system_id"), pathUuid(c, "sensor_id")];
      const now_us = nowOf(clock);
      const range = untilNow(rangeOf(c, now_us, { max_days: MAX_DAYS }), now_us);
      const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
      const asked_s = numberParameter(c, "min_gap_s", GAP_S);
      const options = queryOptions(c);
      const sensor = await queries.subjects.sensor(system_id, sensor_id, options);
      const rate = await rateIn(c, queries, system_id, sensor, range, now_us);
      const min_gap_s = asked_s ?? defaultGap_s(rate);
      const gaps = await queries.completeness.gaps({ sensor_id, range, min_gap_s, limit }, options);
      const last = gaps.length === limit ? gaps.at(-1) : undefined;
      // The gap's end is a reading: going on there finds no gap twice. At the end of the range there is nothing more.
      const more = last && parseTimestamp_us(last.to) < range.to_us;
      const next = more
        ? linkTo(c, { ...rangeText(range), from: last.to, min_gap_s: String(min_gap_s) })
        : null;
      const { id, name, quantity, unit } = sensor;
      const body = {
        sensor: { id, name, quantity, unit },
        ...rangeText(range),
        ...rate,
        min_gap_s,
        gaps,
        next,
      };
      return answerJson(c, body, { to_us: range.to_us, now_us, headers: linkHeader({ next }) });
    }),
  );
}

/** What has not happened yet is no gap; a range that lies wholly in the future is left as it is and empty. */
function untilNow({ from_us, to_us }: TimeRange, now_us: number): TimeRange {
  return { from_us, to_us: Math.max(from_us, Math.min(to_us, now_us)) };
}

const defaultGap_s = ({ rate_hz }: Rate) =>
  rate_hz === null ? FALLBACK_GAP_S : Math.min(GAP_S.max, Math.max(GAP_S.min, MISSING_READINGS / rate_hz));

async function rateIn(
  c: AppContext,
  { completeness }: RouteDeps["queries"],
  system_id: string,
  { id, expected_rate_hz }: SensorSubject,
  range: TimeRange,
  now_us: number,
): Promise<Rate> {
  if (expected_rate_hz !== null) return rateOf(expected_rate_hz, new Map(), now_us);
  const hours = await completeness.hours(system_id, [id], wholeBuckets(range, HOUR_MS), queryOptions(c));
  return rateOf(
    null,
    new Map(hours.map(({ hour, readings }) => [parseTimestamp_us(hour), readings])),
    now_us,
  );
}
