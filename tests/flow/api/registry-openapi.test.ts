/** The registry's part of the OpenAPI document holds: its examples are taken, and answers are as described. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FormatRegistry, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { DEMO_SENSOR_ID } from "../../../src/api/openapi/examples.ts";
import { DEMO_SYSTEM_ID } from "../../../src/contract/demo.ts";
import { isUuid } from "../../../src/contract/job-id.ts";
import { MappingPageSchema, MappingSchema } from "../../../src/contract/mapping.ts";
import * as registry from "../../../src/contract/registry.ts";
import { parseTimestamp_us } from "../../../src/contract/timestamp.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { newSensor, newSystem } from "../../support/registry.ts";

FormatRegistry.Set("uuid", isUuid);
FormatRegistry.Set("date-time", (text) => !Number.isNaN(parseTimestamp_us(text)));

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly example?: string | number;
}
interface Operation {
  readonly operationId: string;
  readonly tags: string[];
  readonly security?: unknown[];
  readonly parameters?: Parameter[];
  readonly requestBody?: { content: Record<string, { example?: unknown }> };
  readonly responses: Record<string, { content?: Record<string, { example?: unknown }> }>;
}

let bench: ApiBench;
let api: TestApi;
let token: string;
let operations: Map<string, { method: string; path: string; operation: Operation }>;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  token = (await api.tokenFor("admin")).token;
  await newSystem(api, token, { id: DEMO_SYSTEM_ID });
  await newSensor(api, token, DEMO_SYSTEM_ID, { id: DEMO_SENSOR_ID });
  const document = (await (await api.fetch("/openapi.json")).json()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  operations = new Map(
    Object.entries(document.paths)
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
      )
      .filter(({ operation }) => operation.tags.includes("Registry"))
      .map((entry) => [entry.operation.operationId, entry]),
  );
});
afterAll(() => bench.close());

/** The schema, with no property beyond those that it names. */
function closed(schema: TSchema): TSchema {
  if (schema.type === "object" && schema.properties) {
    const properties = Object.entries(schema.properties as Record<string, TSchema>);
    const inner = Object.fromEntries(properties.map(([name, value]) => [name, closed(value)]));
    return { ...schema, properties: inner, additionalProperties: false };
  }
  if (schema.type === "array") return { ...schema, items: closed(schema.items) };
  if (schema.anyOf) return Type.Union((schema.anyOf as TSchema[]).map(closed));
  return schema;
}

/** The operation with its parameters and its body as the document's examples have them. */
async function tried({ method, path, operation }: { method: string; path: string; operation: Operation }) {
  const parameters = operation.parameters ?? [];
  const required = parameters.filter((p) => p.required);
  const filled = required
    .filter((p) => p.in === "path")
    .reduce((text, { name, example }) => text.replace(`{${name}}`, String(example)), path);
  const query = required.filter((p) => p.in === "query").map(({ name, example }) => `${name}=${example}`);
  const body = operation.requestBody?.content["application/json"]?.example;
  return api.call(token, method.toUpperCase(), `${filled}?${query.join("&")}`, body);
}

/** In an order that works: what is archived is restored. */
const EXPECTED: readonly [string, number, TSchema][] = [
  ["listSystems", 200, registry.SystemPageSchema],
  ["createSystem", 201, registry.SystemSchema],
  ["getSystem", 200, registry.SystemSchema],
  ["changeSystem", 200, registry.SystemSchema],
  ["archiveSystem", 200, registry.SystemSchema],
  ["restoreSystem", 200, registry.SystemSchema],
  ["listSensors", 200, registry.SensorPageSchema],
  ["createSensor", 201, registry.SensorSchema],
  ["getSensor", 200, registry.SensorDetailSchema],
  ["changeSensor", 200, registry.SensorSchema],
  ["archiveSensor", 200, registry.SensorSchema],
  ["restoreSensor", 200, registry.SensorSchema],
  ["getSensorRange", 200, registry.RangeStateSchema],
  ["setSensorRange", 200, registry.RangeStateSchema],
  ["getSensorRange", 200, registry.RangeStateSchema],
  ["listSensorRanges", 200, registry.RangeVersionPageSchema],
  ["previewSensorRange", 200, registry.RangePreviewSchema],
  ["listUnits", 200, registry.UnitListSchema],
  ["setMapping", 201, MappingSchema],
  ["setMapping", 200, MappingSchema],
  ["listMappings", 200, MappingPageSchema],
  ["deleteMapping", 204, Type.Null()],
];

describe("the registry in the OpenAPI document", () => {
  test("has these operations and no others, each for bearers of a token and for keys", () => {
    expect([...operations.keys()].sort()).toEqual([...new Set(EXPECTED.map(([id]) => id))].sort());
    for (const { operation } of operations.values())
      expect(operation.security).toEqual([{ bearer: [] }, { session: [] }, { key: [] }]);
  });

  test.each(EXPECTED)(
    "%s: its examples are taken with %d, and the answer is as described",
    async (id, status, schema) => {
      const found = operations.get(id)!;
      const response = await tried(found);
      const text = await response.text();
      const body = text === "" ? null : JSON.parse(text);
      expect(response.status, JSON.stringify(body)).toBe(status);
      expect([...Value.Errors(closed(schema), body)]).toEqual([]);
      const example = found.operation.responses[status]?.content?.["application/json"]?.example ?? null;
      expect([...Value.Errors(closed(schema), example)]).toEqual([]);
    },
  );

  test("names for each operation the problems that its kind has", () => {
    for (const { operation, path } of operations.values()) {
      const statuses = Object.keys(operation.responses);
      expect(statuses, operation.operationId).toContain("401");
      // Also where every role may: a key may lack the scope.
      expect(statuses, operation.operationId).toContain("403");
      expect(statuses.includes("413"), operation.operationId).toBe(operation.requestBody !== undefined);
      expect(statuses.includes("404"), operation.operationId).toBe(path.includes("{"));
      expect(statuses, operation.operationId).toContain("503");
    }
  });
});
