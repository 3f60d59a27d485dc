/** `/api/v1/systems/{system_id}/sensors/{sensor_id}`: one sensor, to read, change, archive and restore. */
import { describeRoute } from "hono-openapi";
import { SensorChangeSchema, SensorDetailSchema, SensorSchema } from "../../contract/registry.ts";
import { type SensorKey, toSensorView } from "../../contract/registry-records.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import type { App } from "../app-env.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { canonicalUnit } from "../canonical-unit.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { SENSOR_ID_PARAMETER, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import {
  SENSOR_CHANGE_EXAMPLE,
  SENSOR_DETAIL_EXAMPLE,
  SENSOR_EXAMPLE,
} from "../openapi/registry-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { REGISTRY_EDITORS, registryAnswer, sensorKeyOf } from "./registry-access.ts";

const PATH = "/api/v1/systems/:system_id/sensors/:sensor_id";
const INSTANCE = "/api/v1/systems/x/sensors/y";
const UNKNOWN = ["system-not-found", "sensor-not-found"] as const;
const shared = {
  tags: ["Registry"],
  security: SECURITY,
  parameters: [SYSTEM_ID_PARAMETER, SENSOR_ID_PARAMETER],
};
const answered = { 200: ok("The sensor", SensorSchema, SENSOR_EXAMPLE) };

const describeGet = describeRoute({
  ...shared,
  summary: "One sensor",
  description: "With the range that its readings are held against now. Archived ones too.",
  operationId: "getSensor",
  responses: {
    200: ok(
      "The sensor, with the time span of its readings and the range that judges it now",
      SensorDetailSchema,
      SENSOR_DETAIL_EXAMPLE,
    ),
    ...problems(INSTANCE, [...READ_PROBLEMS, ...UNKNOWN]),
  },
});
const describePatch = describeRoute({
  ...shared,
  summary: "Change a sensor",
  description:
    "What the body leaves out stays. The unit can be changed only while the sensor has neither readings nor a " +
    "range of its own. Admins and engineers only.",
  operationId: "changeSensor",
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(SensorChangeSchema), example: SENSOR_CHANGE_EXAMPLE } },
  },
  responses: {
    ...answered,
    ...problems(INSTANCE, [...CHANGE_PROBLEMS, ...UNKNOWN, "archived", "name-taken", "unit-in-use"]),
  },
});
const describeArchive = describeRoute({
  ...shared,
  summary: "Archive a sensor",
  description:
    "Its readings are quarantined from then on. What is stored stays, and so does its name. Archiving it again " +
    "changes nothing. Admins and engineers only.",
  operationId: "archiveSensor",
  responses: {
    ...answered,
    ...problems(INSTANCE, [...READ_PROBLEMS, "cross-site-request", ...UNKNOWN]),
  },
});
const describeRestore = describeRoute({
  ...shared,
  summary: "Restore an archived sensor",
  description: "Restoring a sensor that is in use changes nothing. Admins and engineers only.",
  operationId: "restoreSensor",
  responses: {
    ...answered,
    ...problems(`${INSTANCE}/restore`, [...READ_PROBLEMS, "cross-site-request", ...UNKNOWN]),
  },
});

const checkChange = shapeCheck(SensorChangeSchema);
const iso = (us: number | null) => (us === null ? null : formatTimestamp(us));

export function mountSensor(app: App, deps: RegistryDeps): void {
  const editors = authenticate(deps.tokens, REGISTRY_EDITORS);
  const view = async (key: SensorKey) =>
    toSensorView(await registryAnswer(deps.sensors.get(key)), deps.units);

  app.get(PATH, describeGet, authenticate(deps.tokens), async (c) => {
    const key = sensorKeyOf(c);
    const sensor = await view(key);
    const { first_us, last_us } = await deps.sensors.readingSpan(key.sensor_id);
    return c.json({ ...sensor, first_reading_at: iso(first_us), last_reading_at: iso(last_us) });
  });
  app.patch(PATH, describePatch, editors, requireEncodedJson, async (c) => {
    const key = sensorKeyOf(c);
    const { name, expected_rate_hz, unit } = checkChange(await deps.readJson(c));
    const change = {
      name,
      expected_rate_hz,
      unit: unit === undefined ? undefined : canonicalUnit(deps.units, unit),
    };
    await registryAnswer(deps.sensors.change(key, change));
    return c.json(await view(key));
  });
  app.delete(PATH, describeArchive, editors, async (c) => {
    const key = sensorKeyOf(c);
    await deps.sensors.archive(key);
    return c.json(await view(key));
  });
  app.post(`${PATH}/restore`, describeRestore, editors, async (c) => {
    const key = sensorKeyOf(c);
    await deps.sensors.restore(key);
    return c.json(await view(key));
  });
}
