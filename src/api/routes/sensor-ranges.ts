/** `GET …/sensors/{sensor_id}/ranges`: every version of a sensor's own range, newest first. */
import { describeRoute } from "hono-openapi";
import { RangeVersionPageSchema } from "../../contract/registry.ts";
import type { App } from "../app-env.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { queryParameter, SENSOR_ID_PARAMETER, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { RANGE_VERSION_PAGE_EXAMPLE } from "../openapi/registry-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { onlyParameters, wholeParameter } from "../parameters.ts";
import { READ_PROBLEMS } from "./common-problems.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { registryAnswer, sensorKeyOf } from "./registry-access.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
/** More than a sensor ever has; the largest value of the column. */
const MAX_VERSION = 2_147_483_647;

const describe = describeRoute({
  tags: ["Registry"],
  summary: "The versions of a sensor's own range",
  description:
    "Newest first. A batch is judged by the version with the latest `valid_from` that is not after the time it was " +
    "received; of equal ones by the one set last.",
  operationId: "listSensorRanges",
  security: SECURITY,
  parameters: [
    SYSTEM_ID_PARAMETER,
    SENSOR_ID_PARAMETER,
    queryParameter("limit", "Versions on the page", {
      type: "integer",
      minimum: 1,
      maximum: MAX_LIMIT,
      default: DEFAULT_LIMIT,
    }),
    queryParameter("after", "`next` of the page before: the version seen last", {
      type: "integer",
      minimum: 1,
      maximum: MAX_VERSION,
    }),
  ],
  responses: {
    200: ok("Versions", RangeVersionPageSchema, RANGE_VERSION_PAGE_EXAMPLE),
    ...problems("/api/v1/systems/x/sensors/y/ranges", [
      ...READ_PROBLEMS,
      "system-not-found",
      "sensor-not-found",
    ]),
  },
});

export function mountSensorRanges(app: App, deps: RegistryDeps): void {
  const path = "/api/v1/systems/:system_id/sensors/:sensor_id/ranges";
  app.get(path, describe, authenticate(deps.tokens), async (c) => {
    const key = sensorKeyOf(c);
    onlyParameters(c, ["limit", "after"]);
    const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
    const after = wholeParameter(c, "after", { min: 1, max: MAX_VERSION, fallback: Number.NaN });
    await registryAnswer(deps.sensors.get(key));
    const items = await deps.ranges.versions(key.sensor_id, Number.isNaN(after) ? null : after, limit);
    const last = items.at(-1);
    return c.json({ items, next: last && items.length === limit ? last.version : null });
  });
}
