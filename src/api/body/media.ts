/** What a body claims to be: media type (RFC 9110 section 8.3) and content encoding (section 8.4). */
import { ProblemError } from "../problem-error.ts";

/** Media types that a route takes, in small letters, and what each is to it. */
export type MediaTypes<T> = ReadonlyMap<string, T>;
const JSON_TYPE = "application/json";
export const JSON_ONLY: MediaTypes<"json"> = new Map([[JSON_TYPE, "json"]]);

const TYPE = /^([^\s;]+)\s*(?:;|$)/;
/** Parameters that say nothing about the text are let through. */
const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/gi;

/** Which of the types a body claims to be; its text is UTF-8. @throws {ProblemError} unsupported-media-type */
export function mediaTypeOf<T>(contentType: string | undefined, types: MediaTypes<T>): T {
  const names = [...types.keys()].join(", ");
  if (contentType === undefined) throw unsupported(`The request has no Content-Type; send ${names}.`, names);
  const found = types.get(TYPE.exec(contentType)?.[1]?.toLowerCase() ?? "");
  if (found === undefined) {
    throw unsupported(`Content-Type must be ${types.size > 1 ? "one of: " : ""}${names}.`, names);
  }
  const charsets = [...contentType.matchAll(CHARSET)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  if (charsets.every((charset) => charset.toLowerCase() === "utf-8")) return found;
  throw unsupported("The only charset that is read is UTF-8.", names);
}

function unsupported(detail: string, accepted: string): ProblemError {
  return new ProblemError("unsupported-media-type", { detail, headers: { Accept: accepted } });
}

export type ContentCoding = "identity" | "gzip" | "deflate" | "zstd";

/** Codings that are understood. */
const CODINGS: ReadonlyMap<string, ContentCoding> = new Map([
  ["identity", "identity"],
  ["gzip", "gzip"],
  // RFC 9110 section 8.4.1.3
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  // RFC 8878
  ["zstd", "zstd"],
]);
const ACCEPTED = "gzip, deflate, zstd";

/** The coding of the body; one at most. @throws {ProblemError} unsupported-content-encoding */
export function contentCoding(contentEncoding: string | undefined): ContentCoding {
  if (contentEncoding === undefined) return "identity";
  const coding = CODINGS.get(contentEncoding.trim().toLowerCase());
  if (coding === undefined) {
    throw new ProblemError("unsupported-content-encoding", {
      detail: `Content-Encoding must be one of: ${ACCEPTED}.`,
      headers: { "Accept-Encoding": ACCEPTED },
    });
  }
  return coding;
}
