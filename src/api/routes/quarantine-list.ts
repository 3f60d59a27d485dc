/** `GET /api/v1/quarantine`: quarantined readings, newest first, in pages or as one stream. */
import { Type } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import { QuarantineListSchema } from "../../contract/quarantine-review.ts";
import { NextField } from "../../contract/query.ts";
import { queryMoment } from "../../contract/query-range.ts";
import type { QuarantineFilter } from "../../store/queries/quarantine-filter.ts";
import { ITEM_COLUMNS } from "../../store/queries/quarantine-item.ts";
import type { QuarantineKey } from "../../store/queries/quarantine-list.ts";
import { csvHeader } from "../../store/queries/table-text.ts";
import type { App, AppContext } from "../app-env.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import type { RouteDeps } from "../deps.ts";
import { answerWhole } from "../formats/answer.ts";
import { FORMAT_KINDS, type Format, formatOf } from "../formats/format.ts";
import { columnsSchema, FORMAT_PARAMETER, okTable, QUERY_HEADERS, tableBody } from "../formats/table.ts";
import { answerWithFile, isWhole } from "../formats/whole.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { QUARANTINE_LIST_EXAMPLE } from "../openapi/quarantine-examples.ts";
import { notModified, problems } from "../openapi/responses.ts";
import { invalidParameter, onlyParameters, wholeParameter } from "../parameters.ts";
import { READERS } from "../roles.ts";
import {
  FILTER_NAMES,
  FILTER_PARAMETERS,
  filterOf,
  filtersOf,
  QUARANTINE_PROBLEMS,
} from "./quarantine-access.ts";
import { linkHeader, linkTo, nowOf, pagesOf, queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/quarantine";
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

const describe = describeRoute({
  tags: ["Quarantine"],
  summary: "Quarantined readings, newest first",
  description:
    "Pages are turned by `next`, which stays exact while readings arrive. With `incident` the order is that of the " +
    "moments that the incident goes by, the last first. With `q` a page may have fewer items than `limit`, even none, " +
    "and yet a next one: only so many readings are looked at for one page. CSV and NDJSON without `limit` and `after` " +
    "are the whole selection, streamed; a stream that fails is cut off without its last chunk.",
  operationId: "listQuarantine",
  security: SECURITY,
  parameters: [...FILTER_PARAMETERS, ...pagesOf(DEFAULT_LIMIT, MAX_LIMIT), FORMAT_PARAMETER],
  responses: {
    200: okTable({
      isExported: true,
      description: "Refused readings as they were sent, why, and what became of them",
      meta: Type.Object({ ...NextField }),
      columns: ITEM_COLUMNS,
      example: QUARANTINE_LIST_EXAMPLE,
      bodies: {
        json: QuarantineListSchema,
        columns: Type.Object({ ...NextField, columns: columnsSchema(ITEM_COLUMNS) }),
      },
    }),
    304: notModified(QUERY_HEADERS),
    ...problems(PATH, [...QUARANTINE_PROBLEMS, "too-many-at-once"]),
  },
});

export function mountQuarantineList(app: App, deps: RouteDeps): void {
  app.get(PATH, describe, authenticate(deps.tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, [...FILTER_NAMES, "limit", "after", "format"]);
      const format = formatOf(c);
      const after = afterOf(c);
      const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
      const { style } = FORMAT_KINDS[format];
      if (isWhole(c, format)) return exportOf(c, deps, filtersOf(c), format);
      const filter = filterOf(c);
      const options = { signal: c.req.raw.signal };
      const page = await deps.queries.quarantine.page(filter, after, limit, style, options);
      const now_us = nowOf(deps.clock);
      const next = page.next && linkTo(c, { after: toCursor([page.next.at, String(page.next.id)]) });
      return answerWhole(c, {
        body: tableBody(format, ITEM_COLUMNS, { next }, page.body),
        content_type: FORMAT_KINDS[format].content_type,
        // Never over: readings of any age are still decided on.
        to_us: now_us,
        now_us,
        headers: linkHeader({ next }),
      });
    }),
  );
}

/** @throws {ProblemError} invalid-request */
function afterOf(c: AppContext): QuarantineKey | null {
  const key = cursorParameter(c, 2);
  if (key === null) return null;
  const [moment = "", id = ""] = key;
  const at = queryMoment(moment);
  if (/^\d{1,15}$/.test(id) && at !== null) return { at, id: Number(id) };
  throw invalidParameter("after", "the one in `next` of the page before");
}

/** Where an export goes on: in which filter, and after which of its readings. */
interface ExportKey {
  readonly which: number;
  readonly after: QuarantineKey | null;
}

/** The whole selection, filter by filter and piece by piece: each piece goes on where the one before ended. */
const exportOf = (
  c: AppContext,
  { queries, exports }: RouteDeps,
  filters: readonly QuarantineFilter[],
  format: Format,
): Promise<Response> =>
  answerWithFile<ExportKey>(c, exports, {
    name: "quarantine",
    format,
    header: format === "csv" ? csvHeader(ITEM_COLUMNS) : "",
    async piece(key, rows, options) {
      const { which, after } = key ?? { which: 0, after: null };
      const { style } = FORMAT_KINDS[format];
      const { body, next } = await queries.quarantine.page(filters[which]!, after, rows, style, options);
      if (next) return { text: body, next: { which, after: next } };
      return { text: body, next: which + 1 < filters.length ? { which: which + 1, after: null } : null };
    },
  });
