/** `/api/v1/systems/{system_id}/mappings`: which sensors the names in readings mean. */
import { describeRoute } from "hono-openapi";
import {
  MAX_LABEL_LENGTH,
  MappingPageSchema,
  MappingSchema,
  type NewMappingBody,
  NewMappingSchema,
} from "../../contract/mapping.ts";
import { mappingText, type SeriesKey } from "../../contract/series.ts";
import type { App } from "../app-env.ts";
import { invalidField, shapeCheck } from "../body/check-shape.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY } from "../openapi/document.ts";
import { pageParameters, pathId, queryParameter, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { MAPPING_EXAMPLE, MAPPING_ID_EXAMPLE, NEW_MAPPING_EXAMPLE } from "../openapi/registry-examples.ts";
import { done, ok, problems } from "../openapi/responses.ts";
import { onlyParameters, pathUuid, textParameter, uuidParameter, wholeParameter } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { CHANGE_PROBLEMS, READ_PROBLEMS } from "./common-problems.ts";
import { actorOf } from "./oversight-access.ts";
import type { RegistryDeps } from "./registry-access.ts";
import { REGISTRY_EDITORS, registryAnswer, systemIdOf } from "./registry-access.ts";

const PATH = "/api/v1/systems/:system_id/mappings";
const INSTANCE = "/api/v1/systems/x/mappings";
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const MAX_TEXT_LENGTH = 200;
const shared = { tags: ["Registry"], security: SECURITY };

const describeList = describeRoute({
  ...shared,
  summary: "List the mappings of a system",
  description: "By label, in pages.",
  operationId: "listMappings",
  parameters: [
    SYSTEM_ID_PARAMETER,
    ...pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
    queryParameter("sensor_id", "Of one sensor only", { type: "string", format: "uuid" }),
    queryParameter("text", "Part of the label, the unit or the sensor's name; capitals do not matter", {
      type: "string",
      minLength: 1,
      maxLength: MAX_TEXT_LENGTH,
    }),
  ],
  responses: {
    200: ok("Mappings", MappingPageSchema, { items: [MAPPING_EXAMPLE], next: null }),
    ...problems(INSTANCE, [...READ_PROBLEMS, "system-not-found"]),
  },
});

const described = {
  200: ok("The mapping; there was one of this key before", MappingSchema, MAPPING_EXAMPLE),
  201: ok("The mapping, which is new", MappingSchema, MAPPING_EXAMPLE),
};
const describePut = describeRoute({
  ...shared,
  summary: "Map a name, or a field of line protocol, to a sensor",
  description:
    "Of each `name`, and of each `measurement`, `field` and set of `tags`, there is one mapping: this one takes its " +
    "place. Of several that fit a field, that with the most tags counts. Batches that are processed later than 5 s " +
    "after the answer go by it. Recorded. Admins and engineers only.",
  operationId: "setMapping",
  parameters: [SYSTEM_ID_PARAMETER],
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(NewMappingSchema), example: NEW_MAPPING_EXAMPLE } },
  },
  responses: {
    ...described,
    ...problems(INSTANCE, [
      ...CHANGE_PROBLEMS,
      "system-not-found",
      "sensor-not-found",
      "archived",
      "mappings-full",
    ]),
  },
});

const describeDelete = describeRoute({
  ...shared,
  summary: "Remove a mapping",
  description:
    "What was stored by it stays. Its name then stands for a sensor of its own again. Recorded. Admins and " +
    "engineers only.",
  operationId: "deleteMapping",
  parameters: [SYSTEM_ID_PARAMETER, pathId("mapping_id", "Id of the mapping", MAPPING_ID_EXAMPLE)],
  responses: {
    204: done("It is removed"),
    ...problems(`${INSTANCE}/y`, [
      ...READ_PROBLEMS,
      "forbidden",
      "cross-site-request",
      "system-not-found",
      "mapping-not-found",
    ]),
  },
});

const checkNew = shapeCheck(NewMappingSchema);

export function mountMappings(app: App, deps: RegistryDeps): void {
  mountList(app, deps);
  mountChanges(app, deps);
}

function mountList(app: App, deps: RegistryDeps): void {
  app.get(PATH, describeList, authenticate(deps.tokens), async (c) => {
    const system_id = systemIdOf(c);
    onlyParameters(c, ["limit", "after", "sensor_id", "text"]);
    const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
    const [label, id] = cursorParameter(c, 2) ?? [];
    const items = await registryAnswer(
      deps.mappings.list(system_id, {
        sensor_id: uuidParameter(c, "sensor_id"),
        text: textParameter(c, "text", MAX_TEXT_LENGTH),
        after: label === undefined || id === undefined ? null : { label, id },
        limit,
      }),
    );
    const last = items.at(-1);
    return c.json({
      items,
      next: last && items.length === limit ? toCursor([last.label, last.id]) : null,
    });
  });
}

function mountChanges(app: App, deps: RegistryDeps): void {
  const editors = authenticate(deps.tokens, REGISTRY_EDITORS);
  app.put(PATH, describePut, editors, requireEncodedJson, async (c) => {
    const system_id = systemIdOf(c);
    const given = checkNew(await deps.readJson(c));
    const sensor_id = given.sensor_id.toLowerCase();
    const key = keyOf(given);
    const { unit: measured } = await registryAnswer(deps.sensors.get({ system_id, sensor_id }));
    const unit = given.unit ?? null;
    if (unit !== null && deps.units.lookup(unit)?.unit.symbol !== measured) {
      throw invalidField(
        "/unit",
        `unit must be ${measured}, in which the sensor measures, or an alias of it.`,
      );
    }
    const { id, created } = await registryAnswer(
      deps.mappings.set({ system_id, sensor_id, key, unit, actor: actorOf(c) }),
    );
    const mapping = await deps.mappings.get(system_id, id);
    if (mapping === null) throw new ProblemError("mapping-not-found");
    return c.json(mapping, created ? 201 : 200);
  });

  app.delete(`${PATH}/:mapping_id`, describeDelete, editors, async (c) => {
    const id = pathUuid(c, "mapping_id");
    if (!(await deps.mappings.remove(systemIdOf(c), id, actorOf(c))))
      throw new ProblemError("mapping-not-found");
    return c.body(null, 204);
  });
}

/** What is mapped: a name, or a field. @throws {ProblemError} invalid-request */
function keyOf({ name, measurement, field, tags }: NewMappingBody): SeriesKey {
  if (name !== undefined) {
    const other = Object.entries({ measurement, field, tags }).find(([, value]) => value !== undefined);
    if (other) throw invalidField(`/${other[0]}`, `${other[0]} is for a field; leave it out with a name.`);
    return { name };
  }
  if (measurement === undefined)
    throw invalidField("/measurement", "measurement is required without a name.");
  if (field === undefined) throw invalidField("/field", "field is required without a name.");
  const key = { measurement, field, tags: tags ?? {} };
  if (mappingText(key).length > MAX_LABEL_LENGTH) {
    throw invalidField(
      "/tags",
      `measurement, tags and field together must have at most ${MAX_LABEL_LENGTH} characters.`,
    );
  }
  return key;
}
