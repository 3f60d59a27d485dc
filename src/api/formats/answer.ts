/** Answers of queries that are made whole before they are sent: tag, cache headers, gzip. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { AppContext } from "../app-env.ts";
import { contentTag, isKnownTag } from "../etag.ts";
import { acceptsGzip } from "./format.ts";

/** Smaller answers fit into one packet anyway, bytes. */
const LEAST_GZIP_BYTES = 1_024;
/** Of the zlib levels, the one after which telemetry gets little smaller and much slower. */
const GZIP_LEVEL = 3;
/** How long an answer about the past is used without asking again, s: late readings show after that. */
const CLOSED_MAX_AGE_S = 30;
/** Readings that come this long after their time are late; a range that ended before hardly changes, µs. */
const LATE_MARGIN_US = 3_600_000_000;

const gzipped = promisify(gzip);

export interface Answer {
  readonly body: string;
  readonly content_type: string;
  /** End of what was asked for, µs; with it the answer is about a range that has ended or not. */
  readonly to_us: number;
  readonly now_us: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Late readings may change any range, so every answer carries a tag made from its content and is asked for again:
 * at once while the range is open, after half a minute when it is closed. A client whose tag still fits gets 304.
 * The tag is weak, as the bytes differ by encoding.
 */
export async function answerWhole(c: AppContext, answer: Answer): Promise<Response> {
  const bytes = Buffer.from(answer.body);
  const tag = contentTag(bytes);
  const closed = answer.to_us <= answer.now_us - LATE_MARGIN_US;
  const headers: Record<string, string> = {
    ...answer.headers,
    ETag: `W/${tag}`,
    "Cache-Control": closed ? `private, max-age=${CLOSED_MAX_AGE_S}, must-revalidate` : "private, no-cache",
    Vary: "Accept, Accept-Encoding, Authorization",
  };
  if (isKnownTag(c.req.header("If-None-Match"), tag)) return c.body(null, 304, headers);
  headers["Content-Type"] = answer.content_type;
  if (bytes.length < LEAST_GZIP_BYTES || !acceptsGzip(c.req.header("Accept-Encoding"))) {
    return c.body(bytes, 200, headers);
  }
  const packed = await gzipped(bytes, { level: GZIP_LEVEL });
  return c.body(new Uint8Array(packed), 200, { ...headers, "Content-Encoding": "gzip" });
}

/** An answer that has one format. */
export function answerJson(
  c: AppContext,
  value: unknown,
  times: Pick<Answer, "to_us" | "now_us" | "headers">,
): Promise<Response> {
  return answerWhole(c, { ...times, body: JSON.stringify(value), content_type: "application/json" });
}
