/** `GET /api/v1/systems/{system_id}/completeness`: readings expected against received, per sensor and hour. */
import { describeRoute } from "hono-openapi";
import { completenessOf, expectedSince, rateOf } from "../../contract/completeness.ts";
import { CompletenessSchema } from "../../contract/query.ts";
import { DAY_US, HOUR_MS, HOUR_US, type TimeRange, wholeBuckets } from "../../contract/query-range.ts";
import { parseTimestamp_us } from "../../contract/timestamp.ts";
import type { HourCount } from "../../store/queries/completeness.ts";
import type { SensorSubject } from "../../store/queries/subjects.ts";
import type { App, AppContext } from "../app-env.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import type { RouteDeps } from "../deps.ts";
import { answerJson } from "../formats/answer.ts";
import { QUERY_HEADERS } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { COMPLETENESS_EXAMPLE } from "../openapi/query-examples.ts";
import { notModified, ok, problems } from "../openapi/responses.ts";
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

const PATH = "/api/v1/systems/:system_id/completeness";
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;
const MAX_DAYS = 92;
/** Sensors times hours of one answer: about 8 MB of JSON. */
const MAX_HOURS = 100_000;

const describe = describeRoute({
  tags: ["Queries"],
  summary: "How complete recordings are",
  description:
    "Whole hours in UTC that the range touches. The rate is the one registered with the sensor (expected_rate_hz), else " +
    "the median of the sensor's own hours of the range that are over and have readings. The running hour is expected to " +
    "have what its elapsed share promises; nothing is expected of hours before the sensor was registered and before its " +
    `first reading of the range. Sensors in use, by name; sensors times hours at most ${MAX_HOURS}.`,
  operationId: "getCompleteness",
  security: SECURITY,
  parameters: [
    SYSTEM_ID_PARAMETER,
    SENSORS_PARAMETER,
    ...rangeParameters("24 hours", MAX_DAYS),
    ...pagesOf(DEFAULT_LIMIT, MAX_LIMIT),
  ],
  responses: {
    200: ok("Hours of each sensor", CompletenessSchema, COMPLETENESS_EXAMPLE, QUERY_HEADERS),
    304: notModified(QUERY_HEADERS),
    ...problems("/api/v1/systems/x/completeness", SENSOR_QUERY_PROBLEMS),
  },
});

export function mountCompleteness(app: App, { queries, clock, tokens }: RouteDeps): void {
  app.get(PATH, describe, authenticate(tokens), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, ["sensors", "from", "to", "limit", "after"]);
      const system_id = pathUuid(c, "system_id");
      const now_us = nowOf(clock);
      const asked = rangeOf(c, now_us, { fallback_us: DAY_US, max_days: MAX_DAYS });
      const range = wholeBuckets(asked, HOUR_MS);
      const { sensors, next } = await sensorsOf(c, queries, system_id, range, asked);
      const ids = sensors.map(({ id }) => id);
      const counts = await queries.completeness.hours(system_id, ids, range, queryOptions(c));
      const bySensor = hoursBySensor(counts);
      const rows = sensors.map(({ expected_rate_hz, registered_us, id, name, quantity, unit }) => {
        const hours = bySensor.get(id) ?? new Map<number, number>();
        const rate = rateOf(expected_rate_hz, hours, now_us);
        const since_us = expectedSince(registered_us, hours);
        return {
          sensor: { id, name, quantity, unit },
          ...completenessOf(rate, hours, range, now_us, since_us),
        };
      });
      const times = { to_us: range.to_us, now_us, headers: linkHeader({ next }) };
      return answerJson(c, { ...rangeText(range), sensors: rows, next }, times);
    }),
  );
}

/** @throws {ProblemError} invalid-request and what `Subjects` throws */
async function sensorsOf(
  c: AppContext,
  { subjects }: RouteDeps["queries"],
  system_id: string,
  range: TimeRange,
  asked: TimeRange,
): Promise<{ sensors: readonly SensorSubject[]; next: string | null }> {
  const options = queryOptions(c);
  const ids = sensorsParameter(c);
  const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
  const after = cursorParameter(c, 1)?.[0] ?? null;
  const hours = (range.to_us - range.from_us) / HOUR_US;
  if (hours * (ids?.length ?? limit) > MAX_HOURS) {
    const most = Math.floor(MAX_HOURS / hours);
    throw invalidParameter(ids ? "sensors" : "limit", `at most ${most} for a range of ${hours} hours`);
  }
  if (ids) return { sensors: await subjects.sensors(system_id, ids, options), next: null };
  const sensors = await subjects.inUse(system_id, limit, after, options);
  const last = sensors.at(-1);
  const next =
    last && sensors.length === limit
      ? linkTo(c, { ...rangeText(asked), after: toCursor([last.name]) })
      : null;
  return { sensors, next };
}

/** Readings of each sensor by the begin of their hour, µs. */
function hoursBySensor(counts: readonly HourCount[]): Map<string, Map<number, number>> {
  const bySensor = new Map<string, Map<number, number>>();
  for (const { sensor_id, hour, readings } of counts) {
    const hours = bySensor.get(sensor_id) ?? new Map<number, number>();
    bySensor.set(sensor_id, hours.set(parseTimestamp_us(hour), readings));
  }
  return bySensor;
}
