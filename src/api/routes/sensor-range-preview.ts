/** `GET …/sensors/{sensor_id}/range/preview`: what a range would have done to the readings that are stored. */
import type { Context } from "hono";
import { describeRoute } from "hono-openapi";
import { DAY_US } from "../../contract/query-range.ts";
import { RangePreviewSchema } from "../../contract/registry.ts";
import { MAX_MAGNITUDE } from "../../contract/unit-definitions.ts";
import type { Range } from "../../contract/units.ts";
import type { App } from "../app-env.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { queryParameter, SENSOR_ID_PARAMETER, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { RANGE_PREVIEW_EXAMPLE } from "../openapi/registry-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { invalidParameter, numberParameter, onlyParameters } from "../parameters.ts";
import {
  nowOf,
  queryAnswer,
  queryOptions,
  rangeOf,
  rangeParameters,
  rangeText,
  SENSOR_QUERY_PROBLEMS,
} from "./query-access.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { sensorKeyOf } from "./registry-access.ts";

const DEFAULT_DAYS = 7;
/** A month at 1 Hz is 2.7 million readings; every one is looked at. */
const MAX_DAYS = 31;

const limitParameter = (name: string, description: string, example: number) =>
  queryParameter(
    name,
    description,
    { type: "number", minimum: -MAX_MAGNITUDE, maximum: MAX_MAGNITUDE },
    { required: true, example },
  );

const describe = describeRoute({
  tags: ["Registry"],
  summary: "What a range would have refused",
  description:
    "Counts the stored readings of the sensor that lie outside the limits. Nothing is changed, and what is in " +
    "quarantine is not counted.",
  operationId: "previewSensorRange",
  security: SECURITY,
  parameters: [
    SYSTEM_ID_PARAMETER,
    SENSOR_ID_PARAMETER,
    limitParameter("min", "Lowest good value, in the unit of the sensor", 0),
    limitParameter("max", "Highest good value, above min", 120),
    ...rangeParameters(`${DEFAULT_DAYS} days`, MAX_DAYS),
  ],
  responses: {
    200: ok("Counts and extremes", RangePreviewSchema, RANGE_PREVIEW_EXAMPLE),
    ...problems("/api/v1/systems/x/sensors/y/range/preview", SENSOR_QUERY_PROBLEMS),
  },
});

export function mountSensorRangePreview(app: App, deps: RegistryDeps): void {
  const path = "/api/v1/systems/:system_id/sensors/:sensor_id/range/preview";
  app.get(path, describe, authenticate(deps.tokens), (c) =>
    queryAnswer(c, async () => {
      const { system_id, sensor_id } = sensorKeyOf(c);
      onlyParameters(c, ["min", "max", "from", "to"]);
      const limits = limitsOf(c);
      const range = rangeOf(c, nowOf(deps.clock), {
        fallback_us: DEFAULT_DAYS * DAY_US,
        max_days: MAX_DAYS,
      });
      const options = queryOptions(c);
      const { unit } = await deps.queries.subjects.sensor(system_id, sensor_id, options);
      const asked = { sensor_id, unit, limits, range };
      const { readings, below, above, lowest, highest } = await deps.queries.rangePreview.count(
        asked,
        options,
      );
      const counts = { readings, refused: below + above, below, above, lowest, highest };
      return c.json({ unit, ...limits, ...rangeText(range), ...counts });
    }),
  );
}

/** Both limits. @throws {ProblemError} invalid-request */
function limitsOf(c: Context): Range {
  const bounds = { min: -MAX_MAGNITUDE, max: MAX_MAGNITUDE };
  const min = numberParameter(c, "min", bounds);
  const max = numberParameter(c, "max", bounds);
  if (min === undefined) throw invalidParameter("min", "given: the lowest good value");
  if (max === undefined) throw invalidParameter("max", "given: the highest good value");
  if (min >= max) throw invalidParameter("min", `below max, which is ${max}`);
  return { min, max };
}
