/** What a body claims to be: media type (RFC 9110 section 8.3) and content encoding (section 8.4). */
import { ProblemError } from "../problem-error.ts";

/** `application/json`, alone or with charset=utf-8; parameters that say nothing about the text are let through. */
const JSON_TYPE = /^application\/json\s*(?:;|$)/i;
const CHARSET = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;]*))/gi;

/** @throws {ProblemError} unsupported-media-type */
export function requireJson(contentType: string | undefined): void {
  if (contentType === "application/json") return;
  const detail = objectionTo(contentType);
  if (detail === undefined) return;
  throw new ProblemError("unsupported-media-type", { detail, headers: { Accept: "application/json" } });
}

function objectionTo(contentType: string | undefined): string | undefined {
  if (contentType === undefined) return "The request has no Content-Type; send application/json.";
  if (!JSON_TYPE.test(contentType)) return "Content-Type must be application/json.";
  const charsets = [...contentType.matchAll(CHARSET)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  return charsets.every((c) => c.toLowerCase() === "utf-8")
    ? undefined
    : "The only charset of JSON is UTF-8.";
}

export type ContentCoding = "identity" | "gzip" | "deflate";

/**
 * Codings that are understood. zstd is left out: Bun's decoder takes a frame that is cut short for a whole one.
 */
const CODINGS: ReadonlyMap<string, ContentCoding> = new Map([
  ["identity", "identity"],
  ["gzip", "gzip"],
  // RFC 9110 section 8.4.1.3
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
]);
const ACCEPTED = "gzip, deflate";

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
