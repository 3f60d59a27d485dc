/** `GET /api/v1/systems/{system_id}/series`: min, average and max per bucket, for charts. */
import { Type } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import { SeriesMetaSchema, SubjectSchema } from "../../contract/query.ts";
import { bucketsIn } from "../../contract/query-range.ts";
import { emptySeries, SERIES_COLUMNS, SERIES_COLUMNS_WITH_SENSOR } from "../../store/queries/series.ts";
import type { SensorSubject } from "../../store/queries/subjects.ts";
import { csvHeader } from "../../store/queries/table-text.ts";
import type { App, AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { answerWhole } from "../formats/answer.ts";
import { FORMAT_KINDS, type Format, formatOf } from "../formats/format.ts";
import {
  columnsSchema,
  FORMAT_PARAMETER,
  okTable,
  QUERY_HEADERS,
  rowSchema,
  tableBody,
} from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { queryParameter, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { SERIES_EXAMPLE } from "../openapi/query-examples.ts";
import { notModified, problems } from "../openapi/responses.ts";
import {
  choiceParameter,
  invalidParameter,
  onlyParameters,
  pathUuid,
  wholeParameter,
} from "../parameters.ts";
import {
  nowOf,
  queryAnswer,
  queryOptions,
  rangeOf,
  rangeParameters,
  rangeText,
  SENSOR_QUERY_PROBLEMS,
  SENSORS_PARAMETER,
  sensorsParameter,
} from "./query-access.ts";
import { MAX_RAW_READINGS, planSeries, type SeriesAsked, type SeriesPlan } from "./series-source.ts";

const PATH = "/api/v1/systems/:system_id/series";
const DEFAULT_POINTS = 500;
/** Few enough to draw, enough for the widest bucket to cover the longest range. */
const POINTS = { min: 12, max: 5_000 };
/** Sensors times points: 100,000 rows are about 10 MB of JSON. */
const MAX_ROWS = 100_000;

const seriesOf = (member: "items" | "columns") =>
  Type.Composite([
    SeriesMetaSchema,
    Type.Object({
      series: Type.Array(
        Type.Object({
          sensor: SubjectSchema,
          ...(member === "items"
            ? { items: Type.Array(rowSchema(SERIES_COLUMNS)) }
            : { columns: columnsSchema(SERIES_COLUMNS) }),
        }),
      ),
    }),
  ]);

const describe = describeRoute({
  tags: ["Queries"],
  summary: "Downsampled series of one or many sensors",
  description:
    "The range is widened to whole buckets of an easy width, so a bucket is the same in every answer. `source=auto` " +
    `takes the readings when there are at most ${MAX_RAW_READINGS} of them, else the hourly aggregate with buckets of ` +
    "an hour or more: then there are fewer than `points`.",
  operationId: "getSeries",
  security: SECURITY,
  parameters: [
    SYSTEM_ID_PARAMETER,
    { ...SENSORS_PARAMETER, required: true },
    ...rangeParameters(),
    queryParameter("points", `Buckets at most; times sensors at most ${MAX_ROWS}`, {
      type: "integer",
      minimum: POINTS.min,
      maximum: POINTS.max,
      default: DEFAULT_POINTS,
    }),
    queryParameter("source", "What the buckets are made from", {
      type: "string",
      enum: ["auto", "raw", "hourly"],
      default: "auto",
    }),
    FORMAT_PARAMETER,
  ],
  responses: {
    200: okTable({
      description: "A series for each sensor, in the order asked for",
      meta: SeriesMetaSchema,
      columns: SERIES_COLUMNS,
      flatColumns: SERIES_COLUMNS_WITH_SENSOR,
      bodies: { json: seriesOf("items"), columns: seriesOf("columns") },
      example: SERIES_EXAMPLE,
    }),
    304: notModified(QUERY_HEADERS),
    ...problems("/api/v1/systems/x/series", SENSOR_QUERY_PROBLEMS),
  },
});

export function mountSeries(app: App, deps: RouteDeps): void {
  app.get(PATH, describe, authenticate(deps.tokens), (c) =>
    queryAnswer(c, async () => {
      const now_us = nowOf(deps.clock);
      const asked = askedOf(c, now_us);
      const format = formatOf(c);
      const options = queryOptions(c);
      const sensors = await deps.queries.subjects.sensors(asked.system_id, asked.sensor_ids, options);
      const plan = await planSeries(asked, deps.queries, options);
      return answerWhole(c, {
        body: await bodyOf(deps, c, format, sensors, asked, plan),
        content_type: FORMAT_KINDS[format].content_type,
        to_us: plan.range.to_us,
        now_us,
      });
    }),
  );
}

/** @throws {ProblemError} invalid-request */
function askedOf(c: AppContext, now_us: number): SeriesAsked {
  onlyParameters(c, ["sensors", "from", "to", "points", "source", "format"]);
  const sensor_ids = sensorsParameter(c);
  if (sensor_ids === null) throw invalidParameter("sensors", "given: UUIDs between commas");
  const points = wholeParameter(c, "points", { ...POINTS, fallback: DEFAULT_POINTS });
  if (points * sensor_ids.length > MAX_ROWS) {
    throw invalidParameter(
      "points",
      `at most ${Math.floor(MAX_ROWS / sensor_ids.length)} for that many sensors`,
    );
  }
  return {
    system_id: pathUuid(c, "system_id"),
    sensor_ids,
    points,
    range: rangeOf(c, now_us),
    source: choiceParameter(c, "source", ["auto", "raw", "hourly"], "auto"),
  };
}

async function bodyOf(
  { queries }: RouteDeps,
  c: AppContext,
  format: Format,
  sensors: readonly SensorSubject[],
  { system_id, sensor_ids }: SeriesAsked,
  plan: SeriesPlan,
): Promise<string> {
  const query = { system_id, sensor_ids, ...plan };
  const options = queryOptions(c);
  const { style } = FORMAT_KINDS[format];
  if (style === "csv" || style === "lines") {
    const text = await queries.series.joined(query, style, options);
    return style === "csv" ? csvHeader(SERIES_COLUMNS_WITH_SENSOR) + text : text;
  }
  const texts = await queries.series.bySensor(query, style, options);
  const series = sensors.map(({ id, name, quantity, unit }) =>
    tableBody(
      format,
      SERIES_COLUMNS,
      { sensor: { id, name, quantity, unit } },
      texts.get(id) ?? emptySeries(style),
    ),
  );
  const { source, bucket_ms, range } = plan;
  const meta = { ...rangeText(range), source, bucket_ms, points: bucketsIn(range, bucket_ms) };
  return `${JSON.stringify(meta).slice(0, -1)},"series":[${series.join(",")}]}`;
}
