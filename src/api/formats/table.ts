/** Bodies of tables in every format, and how OpenAPI describes them. */
import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { type Column, csvHeader } from "../../store/queries/table-text.ts";
import { schemaOf } from "../openapi/components.ts";
import { queryParameter } from "../openapi/parameters.ts";
import { type HeaderName, headersOf, type ResponseObject } from "../openapi/responses.ts";
import { type TableExample, tableExamples } from "../openapi/table-examples.ts";
import { FORMAT_KINDS, FORMATS, type Format } from "./format.ts";

/**
 * The body around the text of a table. Formats with an envelope put `meta` beside the rows.
 * @param text of `textOf` in the format's style
 */
export function tableBody(
  format: Format,
  columns: readonly Column[],
  meta: Readonly<Record<string, unknown>>,
  text: string,
): string {
  if (format === "csv") return csvHeader(columns) + text;
  if (format === "ndjson") return text;
  const rows = `${format === "json" ? '"items"' : '"columns"'}:${text}}`;
  const members = JSON.stringify(meta).slice(0, -1);
  return members === "{" ? `{${rows}` : `${members},${rows}`;
}

export const FORMAT_PARAMETER = queryParameter("format", "Instead of the Accept header", {
  type: "string",
  enum: [...FORMATS],
});

const uuid = () => Type.String({ format: "uuid" });
const time = () =>
  Type.String({ format: "date-time", description: "UTC, with microseconds where they are not 0" });
const KIND_SCHEMAS = {
  time,
  id: uuid,
  word: () => Type.String(),
  text: () => Type.String(),
  number: () => Type.Number(),
  json: () => Type.Unknown(),
} as const;

const cellSchema = ({ kind, nullable }: Column): TSchema =>
  nullable ? Type.Union([KIND_SCHEMAS[kind](), Type.Null()]) : KIND_SCHEMAS[kind]();

/** One row as an object. */
export function rowSchema(columns: readonly Column[]): TObject {
  return Type.Object(Object.fromEntries(columns.map((column) => [column.name, cellSchema(column)])));
}

/** All rows as one array for each column, of the same length. */
export function columnsSchema(columns: readonly Column[]): TObject {
  return Type.Object(
    Object.fromEntries(columns.map((column) => [column.name, Type.Array(cellSchema(column))])),
  );
}

interface TableDescription {
  readonly description: string;
  readonly meta: TObject;
  readonly columns: readonly Column[];
  /** Of the formats without an envelope, when they differ. */
  readonly flatColumns?: readonly Column[];
  /** An answer in JSON; those of the other formats are made of it. */
  readonly example: TableExample;
  /** All of it may be asked for as a file. */
  readonly isExported?: true;
  /** Instead of `items` and `columns` at the top. */
  readonly bodies?: { readonly json: TSchema; readonly columns: TSchema };
}

export const QUERY_HEADERS: readonly HeaderName[] = ["ETag", "Cache-Control", "Link", "Vary", "X-Data-As-Of"];

/** The good answer of a table in all its formats. */
export function okTable(table: TableDescription): ResponseObject {
  const { columns, flatColumns = columns, meta, example } = table;
  const examples = tableExamples(example, columns, flatColumns);
  const json =
    table.bodies?.json ?? Type.Composite([meta, Type.Object({ items: Type.Array(rowSchema(columns)) })]);
  const arrays =
    table.bodies?.columns ?? Type.Composite([meta, Type.Object({ columns: columnsSchema(columns) })]);
  return {
    description: table.description,
    headers: headersOf([...QUERY_HEADERS, ...(table.isExported ? (["Content-Disposition"] as const) : [])]),
    content: {
      [FORMAT_KINDS.json.media_type]: { schema: schemaOf(json), example },
      [FORMAT_KINDS.columns.media_type]: { schema: schemaOf(arrays), example: examples.columns },
      [FORMAT_KINDS.csv.media_type]: { schema: { type: "string" }, example: examples.csv },
      [FORMAT_KINDS.ndjson.media_type]: { schema: schemaOf(rowSchema(flatColumns)), example: examples.line },
    },
  };
}
