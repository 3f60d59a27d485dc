/** `GET /api/v1/systems/{system_id}/sensors/{sensor_id}/readings`: raw readings, in pages or as one stream. */
import { describeRoute } from "hono-openapi";
import { ReadingsMetaSchema } from "../../contract/query.ts";
import type { TimeRange } from "../../contract/query-range.ts";
import {
  columnsFor,
  type PageStart,
  READING_COLUMNS,
  READING_COLUMNS_WITH_UNIT,
  type ReadingsPage,
  type ReadingsText,
} from "../../store/queries/readings.ts";
import type { SensorSubject } from "../../store/queries/subjects.ts";
import { csvHeader } from "../../store/queries/table-text.ts";
import type { App, AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { answerWhole } from "../formats/answer.ts";
import { FORMAT_KINDS, type Format, formatOf } from "../formats/format.ts";
import { FORMAT_PARAMETER, okTable, QUERY_HEADERS, tableBody } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { queryParameter, SENSOR_ID_PARAMETER, SYSTEM_ID_PARAMETER } from "../openapi/parameters.ts";
import { READINGS_EXAMPLE } from "../openapi/query-examples.ts";
import { notModified, problems } from "../openapi/responses.ts";
import {
  choiceParameter,
  invalidParameter,
  onlyParameters,
  pathUuid,
  wholeParameter,
} from "../parameters.ts";
import {
  linkHeader,
  linkTo,
  nowOf,
  queryAnswer,
  queryOptions,
  rangeOf,
  rangeParameters,
  rangeText,
  SENSOR_QUERY_PROBLEMS,
} from "./query-access.ts";

const PATH = "/api/v1/systems/:system_id/sensors/:sensor_id/readings";
const PARAMETERS = ["from", "to", "limit", "after", "before", "order", "format"];
const DEFAULT_LIMIT = 1_000;
/** A day at 1 Hz fits. */
const MAX_LIMIT = 100_000;
/** Rows of one piece of an export: some 300 kB of text. */
const PIECE_ROWS = 5_000;
/** Longest wait of an export's next piece for a slot: it has waited its turn already, ms. */
const PIECE_WAIT_MS = 30_000;

const describe = describeRoute({
  tags: ["Queries"],
  summary: "Raw readings of a sensor",
  description:
    "In order of time. Pages are turned by `next` and `previous`, which stay exact while readings arrive. CSV and " +
    "NDJSON without `limit`, `after` and `before` are the whole range, streamed; a stream that fails, that takes longer " +
    "than 15 minutes, or that gets no further for a minute (a client slower than 100 kB/s) is cut off without its last chunk.",
  operationId: "getReadings",
  security: SECURITY,
  parameters: [
    SYSTEM_ID_PARAMETER,
    SENSOR_ID_PARAMETER,
    ...rangeParameters(),
    queryParameter("limit", "Readings on the page", {
      type: "integer",
      minimum: 1,
      maximum: MAX_LIMIT,
      default: DEFAULT_LIMIT,
    }),
    queryParameter("after", "Go on after the reading of this time, µs since the epoch", { type: "integer" }),
    queryParameter("before", "Go back from the reading of this time, µs since the epoch", {
      type: "integer",
    }),
    queryParameter("order", "By time", { type: "string", enum: ["asc", "desc"], default: "asc" }),
    FORMAT_PARAMETER,
  ],
  responses: {
    200: okTable({
      isExported: true,
      description: "Readings in the sensor's canonical unit",
      meta: ReadingsMetaSchema,
      columns: READING_COLUMNS,
      flatColumns: READING_COLUMNS_WITH_UNIT,
      example: READINGS_EXAMPLE,
    }),
    304: notModified(QUERY_HEADERS),
    ...problems("/api/v1/systems/x/sensors/y/readings", [...SENSOR_QUERY_PROBLEMS, "too-many-at-once"]),
  },
});

interface Asked extends Omit<ReadingsPage, "sensor_id"> {
  readonly format: Format;
  readonly now_us: number;
  /** The whole range instead of a page. */
  readonly whole: boolean;
}

export function mountReadings(app: App, deps: RouteDeps): void {
  app.get(PATH, describe, authenticate(deps.tokens), (c) =>
    queryAnswer(c, async () => {
      const asked = askedOf(c, nowOf(deps.clock));
      const options = queryOptions(c);
      const [system_id, sensor_id] = [pathUuid(c, "system_id"), pathUuid(c, "sensor_id")];
      const sensor = await deps.queries.subjects.sensor(system_id, sensor_id, options);
      if (asked.whole) return exportOf(c, deps, asked, sensor);
      const { style } = FORMAT_KINDS[asked.format];
      const page = await deps.queries.readings.page({ ...asked, sensor_id }, style, options);
      return pageAnswer(c, asked, sensor, page);
    }),
  );
}

/** @throws {ProblemError} invalid-request */
function askedOf(c: AppContext, now_us: number): Asked {
  onlyParameters(c, PARAMETERS);
  const format = formatOf(c);
  const start = startOf(c);
  const paged = c.req.query("limit") !== undefined || start !== null;
  return {
    format,
    now_us,
    start,
    range: rangeOf(c, now_us),
    order: choiceParameter(c, "order", ["asc", "desc"], "asc"),
    limit: wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT }),
    whole: !paged && !FORMAT_KINDS[format].envelope,
  };
}

/** @throws {ProblemError} invalid-request */
function startOf(c: AppContext): PageStart | null {
  const [after, before] = (["after", "before"] as const).map((name) => {
    const text = c.req.query(name);
    if (text === undefined || /^-?\d{1,16}$/.test(text)) return text === undefined ? undefined : Number(text);
    throw invalidParameter(name, "a time in µs since the epoch");
  });
  if (after !== undefined && before !== undefined) throw invalidParameter("before", "absent beside `after`");
  if (after !== undefined) return { side: "after", timestamp_us: after };
  return before === undefined ? null : { side: "before", timestamp_us: before };
}

/** Links on both sides; a page that is empty leads back to where it was come from. */
function linksOf(c: AppContext, asked: Asked, page: ReadingsText) {
  const { start, limit, order } = asked;
  const full = page.count === limit;
  const forward = start?.side !== "before";
  const step = order === "asc" ? 1 : -1;
  const next_us = page.last_us ?? (forward ? null : start.timestamp_us - step);
  const previous_us = page.first_us ?? (start?.side === "after" ? start.timestamp_us + step : null);
  const link = (side: "after" | "before", at_us: number | null, there: boolean) =>
    at_us === null || !there
      ? null
      : linkTo(c, {
          ...rangeText(asked.range),
          limit: String(limit),
          after: null,
          before: null,
          [side]: String(at_us),
        });
  return {
    next: link("after", next_us, forward ? full : true),
    previous: link("before", previous_us, forward ? start !== null : full),
  };
}

function pageAnswer(
  c: AppContext,
  asked: Asked,
  sensor: SensorSubject,
  page: ReadingsText,
): Promise<Response> {
  const { next, previous } = linksOf(c, asked, page);
  const { id, name, quantity, unit } = sensor;
  const { content_type, style } = FORMAT_KINDS[asked.format];
  const meta = {
    sensor: { id, name, quantity, unit },
    ...rangeText(asked.range),
    order: asked.order,
    next,
    previous,
  };
  return answerWhole(c, {
    body: tableBody(asked.format, columnsFor(style), meta, page.body),
    content_type,
    to_us: asked.range.to_us,
    now_us: asked.now_us,
    headers: linkHeader({ next, prev: previous }),
  });
}

/** The whole range, piece by piece: each piece goes on where the one before ended. */
function exportOf(
  c: AppContext,
  { queries, exports }: RouteDeps,
  asked: Asked,
  { id: sensor_id }: SensorSubject,
): Promise<Response> {
  const { content_type, style } = FORMAT_KINDS[asked.format];
  const range: TimeRange = asked.range;
  let header = asked.format === "csv" ? csvHeader(columnsFor(style)) : "";
  const options = queryOptions(c);
  let start: PageStart | null = null;
  let ended = false;
  return exports.answer(
    c,
    async (signal) => {
      if (ended) return null;
      const page: ReadingsText = await queries.readings.page(
        { sensor_id, range, order: asked.order, limit: PIECE_ROWS, start },
        style,
        // Headers leave with the first piece; only that one can say what it comes from.
        start === null
          ? { ...options, signal }
          : { signal, isFresh: options.isFresh, wait_ms: PIECE_WAIT_MS },
      );
      ended = page.count < PIECE_ROWS;
      if (page.last_us !== null) start = { side: "after", timestamp_us: page.last_us };
      const text = header + page.body;
      header = "";
      return text === "" ? null : text;
    },
    {
      "Content-Type": content_type,
      "Content-Disposition": `attachment; filename="${sensor_id}.${asked.format}"`,
    },
  );
}
