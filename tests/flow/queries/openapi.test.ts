/** What the document says of the queries holds for their answers and for its own examples. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { FormatRegistry, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { columnsSchema, rowSchema } from "../../../src/api/formats/table.ts";
import { JobViewSchema } from "../../../src/contract/job.ts";
import { isUuid } from "../../../src/contract/job-id.ts";
import {
  CompletenessSchema,
  GapsSchema,
  HourlyMetaSchema,
  LatestMetaSchema,
  NextField,
  ReadingsMetaSchema,
  SeriesMetaSchema,
  SkewSchema,
  SubjectSchema,
} from "../../../src/contract/query.ts";
import { HOURLY_COLUMNS } from "../../../src/store/queries/hourly.ts";
import { LATEST_COLUMNS } from "../../../src/store/queries/latest.ts";
import { READING_COLUMNS } from "../../../src/store/queries/readings.ts";
import { SERIES_COLUMNS } from "../../../src/store/queries/series.ts";
import type { Column } from "../../../src/store/queries/table-text.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { at, Recording } from "./recording.ts";

FormatRegistry.Set("uuid", isUuid);
FormatRegistry.Set("date-time", (text) => !Number.isNaN(Date.parse(text)));
FormatRegistry.Set("uri-reference", (text) => URL.canParse(text, "http://x/"));

const SYSTEM = "/api/v1/systems/{system_id}";
const SENSOR = `${SYSTEM}/sensors/{sensor_id}`;
const RANGE = `from=${at(0)}&to=${at(7200)}`;

const items = (columns: readonly Column[]) => Type.Object({ items: Type.Array(rowSchema(columns)) });
const arrays = (columns: readonly Column[]) => Type.Object({ columns: columnsSchema(columns) });
const seriesOf = (body: TSchema) =>
  Type.Object({ series: Type.Array(Type.Intersect([Type.Object({ sensor: SubjectSchema }), body])) });

interface Case {
  readonly path: string;
  readonly query: string;
  readonly json: TSchema;
  readonly columns?: TSchema;
}
const table = (path: string, query: string, meta: TSchema, columns: readonly Column[]): Case => ({
  path,
  query,
  json: Type.Intersect([meta, items(columns)]),
  columns: Type.Intersect([meta, arrays(columns)]),
});
const CASES: readonly Case[] = [
  table(`${SENSOR}/readings`, RANGE, ReadingsMetaSchema, READING_COLUMNS),
  table(`${SENSOR}/hourly`, RANGE, HourlyMetaSchema, HOURLY_COLUMNS),
  table(`${SYSTEM}/hourly`, RANGE, HourlyMetaSchema, HOURLY_COLUMNS),
  table(`${SYSTEM}/latest`, "within_days=3660", LatestMetaSchema, LATEST_COLUMNS),
  {
    path: `${SYSTEM}/series`,
    query: `${RANGE}&sensors={sensor_id}`,
    json: Type.Intersect([SeriesMetaSchema, seriesOf(items(SERIES_COLUMNS))]),
    columns: Type.Intersect([SeriesMetaSchema, seriesOf(arrays(SERIES_COLUMNS))]),
  },
  { path: `${SYSTEM}/completeness`, query: RANGE, json: CompletenessSchema },
  { path: `${SENSOR}/gaps`, query: RANGE, json: GapsSchema },
  {
    path: "/api/v1/jobs",
    query: RANGE,
    json: Type.Object({ items: Type.Array(JobViewSchema), ...NextField }),
  },
  { path: "/api/v1/producers/skew", query: RANGE, json: SkewSchema },
];

interface Operation {
  readonly parameters: { name: string; in: string }[];
  readonly responses: Record<string, { headers?: object; content?: Record<string, { example?: unknown }> }>;
}

let bench: ApiBench;
let api: TestApi;
let token: string;
let document: { paths: Record<string, Record<string, Operation>> };
let filled: (template: string) => string;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start();
  const recording = await Recording.create(bench, api);
  const sensor = await recording.sensor("pump", { expected_rate_hz: 1 });
  await recording.sensor("silent");
  await recording.steady(sensor, 100, 60);
  token = (await api.tokenFor("admin")).token;
  await bench.database.sql`
    INSERT INTO diagnostics_ingestion_job (id, system_id, created_by, status, total_readings, created_at, newest_reading_at)
    VALUES (${crypto.randomUUID()}, ${recording.system_id}, ${crypto.randomUUID()}, 'queued', 1, ${at(60)}, ${at(59)})`;
  document = (await (await api.fetch("/openapi.json")).json()) as typeof document;
  filled = (template) =>
    template.replaceAll("{system_id}", recording.system_id).replaceAll("{sensor_id}", sensor.id);
});
afterAll(() => bench.close());

const operation = (path: string) => document.paths[path]?.get as Operation;
const get = (path: string) => api.fetch(path, { headers: { Authorization: `Bearer ${token}` } });
const faults = (schema: TSchema, value: unknown) =>
  [...Value.Errors(schema, value)].map((error) => `${error.path} ${error.message}`);

describe.each(CASES.map((c) => [c.path, c] as const))("GET %s", (path, { query, json, columns }) => {
  test("answers as described, and its example is such an answer", async () => {
    const response = await get(filled(`${path}?${query}`));
    const body = await response.json();
    expect(faults(json, body)).toEqual([]);
    expect(JSON.stringify(body)).not.toContain('"items":[]');
    expect(faults(json, operation(path).responses["200"]?.content?.["application/json"]?.example)).toEqual(
      [],
    );
    if (columns) {
      const answer = await get(filled(`${path}?${query}&format=columns`));
      const type = answer.headers.get("Content-Type") ?? "";
      expect(Object.keys(operation(path).responses["200"]?.content ?? {})).toContain(type);
      expect(faults(columns, await answer.json())).toEqual([]);
    }
  });

  test("lists each status it answers with, and each parameter it takes", async () => {
    const { responses, parameters } = operation(path);
    const expected = ["200", "304", "400", "401", "503", "504"];
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(expected));
    expect(Object.keys(responses["200"]?.headers ?? {})).toEqual(
      expect.arrayContaining(["ETag", "X-Request-Id"]),
    );
    const refusal = (await (await get(filled(`${path}?unknown=1`))).json()) as { detail: string };
    const listed = refusal.detail.split("there are: ")[1]?.replace(/\.$/, "").split(", ") ?? [];
    const described = parameters.filter((p) => p.in === "query").map((p) => p.name);
    expect(listed.sort()).toEqual(described.sort());
  });
});
