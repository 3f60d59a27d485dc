/** `GET` and `POST /api/v1/systems/{system_id}/sensors`: what a system measures. */
import { describeRoute } from "hono-openapi";
import { NewSensorSchema, SensorPageSchema, SensorSchema } from "../../contract/registry.ts";
import { toSensorView } from "../../contract/registry-records.ts";
import type { App } from "../app-env.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { canonicalUnit } from "../canonical-unit.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { NEW_SENSOR_EXAMPLE, SENSOR_EXAMPLE, SENSOR_PAGE_EXAMPLE } from "../openapi/registry-examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { limitsOf } from "../range-limits.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { REGISTRY_EDITORS, registryAnswer, systemIdOf } from "./registry-access.ts";
import { listParameters, listQuery } from "./registry-list.ts";

const PATH = "/api/v1/systems/:system_id/sensors";
const INSTANCE = "/api/v1/systems/x/sensors";

const describeList = describeRoute({
  tags: ["Registry"],
  summary: "List the sensors of a system",
  description: "By name, in pages.",
  operationId: "listSensors",
  security: SECURITY,
  parameters: [SYSTEM_ID_PARAMETER, ...listParameters("the name, the quantity, the unit or the id")],
  responses: {
    200: ok("Sensors, each with the range that judges it now", SensorPageSchema, SENSOR_PAGE_EXAMPLE),
    ...problems(INSTANCE, [...READ_PROBLEMS, "system-not-found"]),
  },
});

const describeCreate = describeRoute({
  tags: ["Registry"],
  summary: "Register a sensor",
  description:
    "`unit` is a canonical unit; aliases are for readings. A sensor that is not registered is by its first good " +
    "reading, unless the service is set to refuse it. Admins and engineers only.",
  operationId: "createSensor",
  security: SECURITY,
  parameters: [SYSTEM_ID_PARAMETER],
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(NewSensorSchema), example: NEW_SENSOR_EXAMPLE } },
  },
  responses: {
    201: ok("The sensor", SensorSchema, SENSOR_EXAMPLE, ["Location"]),
    ...problems(INSTANCE, [...CHANGE_PROBLEMS, "system-not-found", "archived", "id-taken", "name-taken"]),
  },
});

const checkNew = shapeCheck(NewSensorSchema);

export function mountSensors(app: App, deps: RegistryDeps): void {
  app.get(PATH, describeList, authenticate(deps.tokens), async (c) => {
    const system_id = systemIdOf(c);
    const query = listQuery(c);
    const [after = null] = cursorParameter(c, 1) ?? [];
    const sensors = await registryAnswer(deps.sensors.list(system_id, { ...query, after }));
    const last = sensors.at(-1);
    return c.json({
      items: sensors.map((sensor) => toSensorView(sensor, deps.units)),
      next: last && sensors.length === query.limit ? toCursor([last.name]) : null,
    });
  });

  const admit = [authenticate(deps.tokens, REGISTRY_EDITORS), requireEncodedJson] as const;
  app.post(PATH, describeCreate, ...admit, async (c) => {
    const system_id = systemIdOf(c);
    const given = checkNew(await deps.readJson(c));
    const { symbol, quantity } = canonicalUnit(deps.units, given.unit, given.quantity);
    const key = { system_id, sensor_id: (given.id ?? Bun.randomUUIDv7()).toLowerCase() };
    const sensor = {
      ...key,
      name: given.name,
      unit: symbol,
      quantity,
      expected_rate_hz: given.expected_rate_hz ?? null,
      created_by: c.get("claims").sub,
      range: given.range ? limitsOf(given.range, "/range") : null,
    };
    await registryAnswer(deps.sensors.register(sensor));
    c.header("Location", `/api/v1/systems/${system_id}/sensors/${key.sensor_id}`);
    return c.json(toSensorView(await registryAnswer(deps.sensors.get(key)), deps.units), 201);
  });
}
