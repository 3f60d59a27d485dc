/** From the bytes on the wire to text or a JSON value: content coding, UTF-8, JSON. */
import { promisify } from "node:util";
import { gunzip, inflate, zstdDecompress } from "node:zlib";
import { ProblemError } from "../problem-error.ts";
import type { ContentCoding } from "./media.ts";
import { type BodyBounds, bodyTooLarge } from "./read-body.ts";
import { MAX_WINDOW_BYTES, objectionToZstd } from "./zstd-frames.ts";

const decoders = { gzip: promisify(gunzip), deflate: inflateWhole, zstd: promisify(zstdDecompress) };

/** What stands behind the stream is passed over by the decoder, and half a batch would count as a batch. */
async function inflateWhole(
  body: Uint8Array,
  options: { readonly maxOutputLength: number },
): Promise<Uint8Array> {
  const { buffer, engine } = await inflateWithInfo(body, { ...options, info: true });
  if (engine.bytesWritten === body.byteLength) return buffer;
  throw malformed("The body is not valid deflate: something stands behind its end.");
}

/** The types do not know `info` of the call with a callback, which Node documents. */
const inflateWithInfo = promisify(inflate) as unknown as (
  body: Uint8Array,
  options: { readonly maxOutputLength: number; readonly info: true },
) => Promise<{ readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } }>;

/** Decompressed bytes that every body may have, however small it was. */
const FREE_BYTES = 1_048_576;

/**
 * The body without its coding. Off the main thread, and it stops at the bound, so that a decompression bomb costs
 * no more than an honest body.
 * @throws {ProblemError} body-too-large, malformed-encoding
 */
export async function decompress(
  body: Uint8Array,
  coding: ContentCoding,
  { max_bytes, max_ratio = Number.POSITIVE_INFINITY }: Pick<BodyBounds, "max_bytes" | "max_ratio">,
): Promise<Uint8Array> {
  if (coding === "identity") return body;
  const by_ratio = Math.max(FREE_BYTES, body.byteLength * max_ratio);
  const most = Math.min(max_bytes, by_ratio);
  if (coding === "zstd") {
    const objection = objectionToZstd(body, Math.max(MAX_WINDOW_BYTES, max_bytes));
    if (objection !== null) throw malformed(`The body is not valid zstd: ${objection}.`);
  }
  try {
    return await decoders[coding](body, { maxOutputLength: most });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ERR_BUFFER_TOO_LARGE")
      throw most < max_bytes ? tooCompressed(max_ratio) : bodyTooLarge(max_bytes);
    // Z_DATA_ERROR, ZSTD_error_checksum_wrong and so on; any other is ours.
    const isOfBody = code?.startsWith("Z_") || code?.startsWith("ZSTD_");
    if (!isOfBody || OF_MEMORY.test(code ?? "")) throw error;
    throw malformed(`The body is not valid ${coding} (${code}).`, error);
  }
}

const OF_MEMORY = /^Z_MEM_ERROR$|^ZSTD_error_memory/;

function malformed(detail: string, cause?: unknown): ProblemError {
  return new ProblemError("malformed-encoding", { detail, cause });
}

function tooCompressed(max_ratio: number): ProblemError {
  return new ProblemError("body-too-large", {
    detail: `The body becomes more than ${max_ratio} times as large when it is decompressed.`,
  });
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
