/** `GET` and `PUT …/sensors/{sensor_id}/range`: the limits that judge a sensor's readings, in versions. */
import type { Context } from "hono";
import { describeRoute } from "hono-openapi";
import { RangeChangeSchema, RangeStateSchema } from "../../contract/registry.ts";
import { effectiveRange, type SensorKey } from "../../contract/registry-records.ts";
import { parseTimestamp_us } from "../../contract/timestamp.ts";
import type { App, AppEnv } from "../app-env.ts";
import { invalidField, shapeCheck } from "../body/check-shape.ts";
import { matchedVersions, versionTag } from "../etag.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { IF_MATCH, SENSOR_ID_PARAMETER, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { RANGE_CHANGE_EXAMPLE, RANGE_STATE_EXAMPLE } from "../openapi/registry-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { limitsOf } from "../range-limits.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { REGISTRY_EDITORS, registryAnswer, sensorKeyOf } from "./registry-access.ts";

const PATH = "/api/v1/systems/:system_id/sensors/:sensor_id/range";
const INSTANCE = "/api/v1/systems/x/sensors/y/range";
/** A client's clock may be behind by that much; an earlier time was meant to change the past. */
const PAST_TOLERANCE_MS = 60_000;
const MAX_AHEAD_MS = 10 * 366 * 86_400_000;

const shared = {
  tags: ["Registry"],
  security: SECURITY,
};
const parameters = [SYSTEM_ID_PARAMETER, SENSOR_ID_PARAMETER];

const describeGet = describeRoute({
  ...shared,
  summary: "The range of a sensor",
  description: "ETag is the number of the newest version, 0 when there is none.",
  operationId: "getSensorRange",
  parameters,
  responses: {
    200: ok("What judges now, and what was set last", RangeStateSchema, RANGE_STATE_EXAMPLE, ["ETag"]),
    ...problems(INSTANCE, [...READ_PROBLEMS, "system-not-found", "sensor-not-found"]),
  },
});

const describePut = describeRoute({
  ...shared,
  summary: "Set a sensor's own range",
  description:
    "In place of its unit's, wider or narrower; `{}` or `null` goes back to the unit's. Adds a version that judges " +
    "batches received from `valid_from` on (default: now); a running service knows it within 5 s. Versions never " +
    "change; one that was set for later is overruled by another with the same `valid_from`. Sending what the newest " +
    "version says changes nothing. With `If-Match` only if the newest version is the one named. Admins and engineers only.",
  operationId: "setSensorRange",
  parameters: [...parameters, IF_MATCH],
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: { anyOf: [schemaOf(RangeChangeSchema), { type: "null" }] },
        example: RANGE_CHANGE_EXAMPLE,
      },
    },
  },
  responses: {
    200: ok("What judges now, and what was set last", RangeStateSchema, RANGE_STATE_EXAMPLE, ["ETag"]),
    ...problems(INSTANCE, [
      ...CHANGE_PROBLEMS,
      "system-not-found",
      "sensor-not-found",
      "archived",
      "version-conflict",
    ]),
  },
});

const checkChange = shapeCheck(RangeChangeSchema);

export function mountSensorRange(app: App, deps: RegistryDeps): void {
  const state = async (c: Context<AppEnv>, key: SensorKey) => {
    const sensor = await registryAnswer(deps.sensors.get(key));
    const [newest = null] = await deps.ranges.versions(key.sensor_id, null, 1);
    c.header("ETag", versionTag(newest?.version ?? 0));
    return c.json({
      unit: sensor.unit,
      in_force: effectiveRange(sensor.unit, sensor.own_range, deps.units),
      newest,
    });
  };

  app.get(PATH, describeGet, authenticate(deps.tokens), (c) => state(c, sensorKeyOf(c)));

  const admit = [authenticate(deps.tokens, REGISTRY_EDITORS), requireEncodedJson] as const;
  app.put(PATH, describePut, ...admit, async (c) => {
    const key = sensorKeyOf(c);
    const expected = matchedVersions(c);
    const given = checkChange((await deps.readJson(c)) ?? {});
    const change = {
      range: limitsOf(given),
      valid_from_ms: validFrom_ms(given.valid_from, deps.clock.now_ms()),
      author: c.get("claims").sub,
      expected,
    };
    await registryAnswer(deps.ranges.set(key, change));
    return state(c, key);
  });
}

/** Null for now. @throws {ProblemError} invalid-request */
function validFrom_ms(text: string | undefined, now_ms: number): number | null {
  if (text === undefined) return null;
  const at_ms = Math.floor(parseTimestamp_us(text) / 1000);
  if (Number.isNaN(at_ms)) throw invalidField("/valid_from", "valid_from must be an RFC 3339 date-time.");
  if (at_ms < now_ms - PAST_TOLERANCE_MS) {
    throw invalidField(
      "/valid_from",
      "valid_from is past: what was judged is not judged again. Leave it out for now.",
    );
  }
  if (at_ms > now_ms + MAX_AHEAD_MS)
    throw invalidField("/valid_from", "valid_from is more than 10 years ahead.");
  return at_ms <= now_ms ? null : at_ms;
}
