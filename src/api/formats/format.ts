/** The formats of tables, and which one a request asks for. */
import type { Context } from "hono";
import { accepts } from "hono/accepts";
import type { TableStyle } from "../../store/queries/table-text.ts";
import { choiceParameter } from "../parameters.ts";

export const FORMATS = ["json", "columns", "csv", "ndjson"] as const;
export type Format = (typeof FORMATS)[number];

interface FormatKind {
  readonly media_type: string;
  /** As sent. */
  readonly content_type: string;
  readonly style: TableStyle;
  /** Has members beside the rows: links, units … */
  readonly envelope: boolean;
}

export const FORMAT_KINDS: Readonly<Record<Format, FormatKind>> = {
  json: {
    media_type: "application/json",
    content_type: "application/json",
    style: "rows",
    envelope: true,
  },
  columns: {
    media_type: "application/vnd.hydraulic.columns+json",
    content_type: "application/vnd.hydraulic.columns+json",
    style: "columns",
    envelope: true,
  },
  // RFC 4180 section 3.
  csv: {
    media_type: "text/csv",
    content_type: "text/csv; charset=utf-8; header=present",
    style: "csv",
    envelope: false,
  },
  ndjson: {
    media_type: "application/x-ndjson",
    content_type: "application/x-ndjson",
    style: "lines",
    envelope: false,
  },
};

const BY_MEDIA_TYPE = new Map(FORMATS.map((format) => [FORMAT_KINDS[format].media_type, format]));

/**
 * The format of the answer: `format`, else the Accept header, else JSON (also when Accept names nothing that is
 * offered, RFC 9110 section 12.4.1).
 * @param offered JSON among them
 * @throws {ProblemError} invalid-request
 */
export function formatOf(c: Context): Format;
export function formatOf<const F extends Format>(c: Context, offered: readonly F[]): F;
export function formatOf(c: Context, offered: readonly Format[] = FORMATS): Format {
  const fromHeader = accepts(c, {
    header: "Accept",
    supports: offered.map((format) => FORMAT_KINDS[format].media_type),
    default: FORMAT_KINDS.json.media_type,
  });
  return choiceParameter(c, "format", offered, BY_MEDIA_TYPE.get(fromHeader) ?? "json");
}

/** Whether Accept-Encoding lets the answer be sent with gzip (RFC 9110 section 12.5.3). */
export function acceptsGzip(header: string | undefined): boolean {
  if (header === undefined) return false;
  const weights = new Map(
    header.split(",").map((item) => {
      const [coding = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
      const weight = parameters.find((p) => p.startsWith("q="))?.slice(2);
      return [coding, weight === undefined ? 1 : Number(weight)];
    }),
  );
  const weight = weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0;
  return weight > 0;
}
