/** `GET /api/v1/quarantine`: quarantined readings, newest first, in pages or as one stream. */

import { Type } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import { QuarantineListSchema } from "../../contract/quarantine-review.ts";
import { NextField } from "../../contract/query.ts";
import { queryMoment } from "../../contract/query-range.ts";
import type { QuarantineFilter } from "../../store/queries/quarantine-filter.ts";
import { ITEM_COLUMNS } from "../../store/queries/quarantine-item.ts";
import type { QuarantineKey, QuarantineText } from "../../store/queries/quarantine-list.ts";
import { csvHeader } from "../../store/queries/table-text.ts";
import { cursorParameter, toCursor } from "../cursor.ts";
import type { App, AppContext, RouteDeps } from "../deps.ts";
import { answerWhole } from "../formats/answer.ts";
import { Exports } from "../formats/export.ts";
import { FORMAT_KINDS, type Format, formatOf } from "../formats/format.ts";
import { columnsSchema, FORMAT_PARAMETER, okTable, QUERY_HEADERS, tableBody } from "../formats/table.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { SECURITY } from "../openapi/document.ts";
import { QUARANTINE_LIST_EXAMPLE } from "../openapi/quarantine-examples.ts";
import { notModified, problems } from "../openapi/responses.ts";
import { invalidParameter, onlyParameters, wholeParameter } from "../parameters.ts";
import { READERS } from "../roles.ts";
import { FILTER_NAMES, FILTER_PARAMETERS, filterOf, QUARANTINE_PROBLEMS } from "./quarantine-access.ts";
import { linkHeader, linkTo, nowOf, pagesOf, queryAnswer } from "./query-access.ts";

const PATH = "/api/v1/quarantine";
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;
/** Rows of one piece of an export: about 1 MB of text; of the first one fewer, so that the answer begins. */
const PIECE_ROWS = 2_000;
const FIRST_ROWS = 50;
/** Longest wait of an export's next piece for a slot: it has waited its turn already, ms. */
const PIECE_WAIT_MS = 30_000;

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
    ...problems(PATH, QUARANTINE_PROBLEMS),
  },
});

export function mountQuarantineList(app: App, deps: RouteDeps): void {
  const exports = new Exports(deps);
  app.get(PATH, describe, authenticate(deps.tokens, READERS), (c) =>
    queryAnswer(c, async () => {
      onlyParameters(c, [...FILTER_NAMES, "limit", "after", "format"]);
      const filter = filterOf(c);
      const format = formatOf(c);
      const after = afterOf(c);
      const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
      const { envelope, style } = FORMAT_KINDS[format];
      if (!envelope && after === null && c.req.query("limit") === undefined) {
        return exportOf(c, deps, exports, filter, format);
      }
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

/** The whole selection, piece by piece: each piece goes on where the one before ended. */
function exportOf(
  c: AppContext,
  { queries }: RouteDeps,
  exports: Exports,
  filter: QuarantineFilter,
  format: Format,
): Promise<Response> {
  const { content_type, style } = FORMAT_KINDS[format];
  let header = format === "csv" ? csvHeader(ITEM_COLUMNS) : "";
  let after: QuarantineKey | null = null;
  let ended = false;
  return exports.answer(
    c,
    async (signal) => {
      if (ended) return null;
      const isFirst = after === null;
      const options = isFirst ? { signal } : { signal, wait_ms: PIECE_WAIT_MS };
      const rows = isFirst ? FIRST_ROWS : PIECE_ROWS;
      let text = header;
      header = "";
      // The look for a text may end before it has found anything.
      do {
        const page: QuarantineText = await queries.quarantine.page(filter, after, rows, style, options);
        after = page.next;
        text += page.body;
      } while (after !== null && text === "");
      ended = after === null;
      return text === "" ? null : text;
    },
    { "Content-Type": content_type, "Content-Disposition": `attachment; filename="quarantine.${format}"` },
  );
}
