/** Lists of objects: in pages, and as files of CSV and NDJSON. */
import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { QueryOptions } from "../../store/queries/reader.ts";
import type { AppContext } from "../app-env.ts";
import { toCursor } from "../cursor.ts";
import { schemaOf } from "../openapi/components.ts";
import { queryParameter } from "../openapi/parameters.ts";
import { type HeaderName, headersOf, type ResponseObject } from "../openapi/responses.ts";
import { wholeParameter } from "../parameters.ts";
import { linkHeader, linkTo } from "../routes/query-access.ts";
import { csvRecord } from "./csv.ts";
import type { Exports } from "./export.ts";
import { FORMAT_KINDS, formatOf } from "./format.ts";
import { answerWithFile, isWhole } from "./whole.ts";

const LIST_FORMATS = ["json", "csv", "ndjson"] as const;

/** A list as a file. Its lines of NDJSON are the items. */
export interface ListFile<T> {
  /** Of the file, without its ending. */
  readonly name: string;
  /** Columns of CSV, and what is in them. */
  readonly cells: Readonly<Record<string, (item: T) => unknown>>;
}

/** A column for each member that items of the schema have. */
export const everyMember = <S extends TObject>(schema: S): ListFile<Static<S> & object>["cells"] =>
  members(...(Object.keys(schema.properties) as (keyof Static<S> & string)[]));

/** Columns that are members of the item. */
export const members = <T extends object>(...names: readonly (keyof T & string)[]): ListFile<T>["cells"] =>
  Object.fromEntries(names.map((name) => [name, (item: T) => item[name]]));

export const LIST_FORMAT_PARAMETER = queryParameter("format", "Instead of the Accept header", {
  type: "string",
  enum: [...LIST_FORMATS],
});
/** For the description of such a route. */
export const EXPORTED = "CSV and NDJSON without `limit` and `after` are the whole list, streamed.";

export interface ListPage<T, K> {
  readonly items: readonly T[];
  /** Key of the last one; null at the end. */
  readonly next: K | null;
}

export interface ListSource<T, K> {
  /** Items of a page, at least 1. */
  readonly limits: { readonly max: number; readonly fallback: number };
  readonly after: K | null;
  /** What `after` of the next page is, or is made of. */
  cursor(key: K): string | readonly string[];
  page(after: K | null, limit: number, options: QueryOptions): Promise<ListPage<T, K>>;
  /** Parameters of the next page beside those of this one. */
  readonly link?: Readonly<Record<string, string>>;
  /** The answer of a page as JSON; without it one that no cache keeps. */
  answer?(
    body: { items: readonly T[]; next: string | null },
    headers: Record<string, string>,
  ): Promise<Response>;
}

/** A page, or all pages as a file. @throws {ProblemError} and what the pages throw */
export async function answerList<T, K>(
  c: AppContext,
  exports: Exports,
  file: ListFile<T>,
  source: ListSource<T, K>,
): Promise<Response> {
  const format = formatOf(c, LIST_FORMATS);
  const limit = wholeParameter(c, "limit", { min: 1, ...source.limits });
  const header = format === "csv" ? csvRecord(Object.keys(file.cells)) : "";
  const textOf = (items: readonly T[]) => items.map((item) => lineOf(file, format, item)).join("");
  if (isWhole(c, format)) {
    return answerWithFile<K>(c, exports, {
      name: file.name,
      format,
      header,
      async piece(after, rows, options) {
        const { items, next } = await source.page(after, rows, options);
        return { text: textOf(items), next };
      },
    });
  }
  const { items, next: key } = await source.page(source.after, limit, { signal: c.req.raw.signal });
  const next = key && linkTo(c, { ...source.link, after: cursorText(source.cursor(key)) });
  if (format === "json" && source.answer) return source.answer({ items, next }, linkHeader({ next }));
  const headers = linkHeader({ next });
  if (format === "json") return c.json({ items, next }, 200, headers);
  const type = { "Content-Type": FORMAT_KINDS[format].content_type };
  return c.body(header + textOf(items), 200, { ...headers, ...type });
}

const cursorText = (cursor: string | readonly string[]) =>
  typeof cursor === "string" ? cursor : toCursor(cursor);

const lineOf = <T>({ cells }: ListFile<T>, format: "csv" | "json" | "ndjson", item: T): string =>
  format === "csv" ? csvRecord(Object.values(cells).map((cell) => cell(item))) : `${JSON.stringify(item)}\n`;

/**
 * The good answer of such a list.
 * @param page schema of the whole JSON
 * @param item schema of one item
 */
export function okList<T>(
  description: string,
  page: TSchema,
  item: TSchema,
  { cells }: ListFile<T>,
  example: { readonly items: readonly unknown[]; readonly next: string | null },
  headers: readonly HeaderName[] = ["Link"],
): ResponseObject {
  const records = example.items.map((one) => csvRecord(Object.values(cells).map((cell) => cell(one as T))));
  return {
    description,
    headers: headersOf([...headers, "Content-Disposition"]),
    content: {
      [FORMAT_KINDS.json.media_type]: { schema: schemaOf(page), example },
      [FORMAT_KINDS.csv.media_type]: {
        schema: { type: "string" },
        example: csvRecord(Object.keys(cells)) + records.join(""),
      },
      [FORMAT_KINDS.ndjson.media_type]: { schema: schemaOf(item), example: example.items[0] },
    },
  };
}
