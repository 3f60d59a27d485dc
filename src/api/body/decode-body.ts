/** From the bytes on the wire to text or a JSON value: content coding, UTF-8, JSON. */
import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { ProblemError } from "../problem-error.ts";
import type { ContentCoding } from "./media.ts";
import { bodyTooLarge } from "./read-body.ts";

const decoders = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/**
 * The body without its coding. Off the main thread, and it stops at the bound, so that a decompression bomb costs
 * no more than an honest body.
 * @throws {ProblemError} body-too-large, malformed-encoding
 */
export async function decompress(
  body: Uint8Array,
  coding: ContentCoding,
  max_bytes: number,
): Promise<Uint8Array> {
  if (coding === "identity") return body;
  try {
    return await decoders[coding](body, { maxOutputLength: max_bytes });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ERR_BUFFER_TOO_LARGE") throw bodyTooLarge(max_bytes);
    // zlib's own errors are Z_DATA_ERROR, Z_BUF_ERROR and so on; any other is ours.
    if (!code?.startsWith("Z_") || code === "Z_MEM_ERROR") throw error;
    throw new ProblemError("malformed-encoding", {
      detail: `The body is not valid ${coding} (${code}).`,
      cause: error,
    });
  }
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** The body without a byte order mark, which a parser may ignore (RFC 8259 section 8.1). */
export function withoutByteOrderMark(body: Uint8Array): Uint8Array {
  return BYTE_ORDER_MARK.every((byte, i) => body[i] === byte) ? body.subarray(BYTE_ORDER_MARK.length) : body;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The body as text. @throws {ProblemError} malformed-encoding when it is not UTF-8 */
export function textOf(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch (error) {
    throw new ProblemError("malformed-encoding", { detail: "The body is not valid UTF-8.", cause: error });
  }
}

/**
 * The body as a JSON value.
 * @throws {ProblemError} malformed-encoding when it is not UTF-8, malformed-json
 */
export function parseJson(body: Uint8Array): unknown {
  const text = textOf(body);
  try {
    return JSON.parse(text);
  } catch (error) {
    // SyntaxError, or RangeError when it is nested too deep for the parser.
    const detail = text.trim() === "" ? "The body is empty." : "The body is not valid JSON.";
    throw new ProblemError("malformed-json", { detail, cause: error });
  }
}
