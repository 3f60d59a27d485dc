/**
 * The body of a stream entry, as it is kept in Redis. Version 1 is the batch's JSON. Version 2 is the length of that
 * JSON (4 bytes, big-endian) and its Zstandard frame (RFC 8878): readings repeat their names, sensors and times, so a
 * large batch shrinks to a tenth, and Redis, its append-only file and the sockets carry that much less.
 */
import { zstdDecompressSync } from "node:zlib";

export type BodyVersion = "1" | "2";

/** The body cannot be read: poison. */
export class EntryBodyError extends Error {
  override readonly name = "EntryBodyError";
}

/** Bytes of JSON from which a body is compressed: well below 1.4 MB, where it saves a fifth; see docs/performance.md. */
const COMPRESS_FROM_BYTES = 32_768;
/** Fastest level: 1.1 ms for 1.4 MB. */
const LEVEL = 1;
const LENGTH_BYTES = 4;
/** The largest value of MAX_BODY_BYTES; a length above it was not written by `packBody`. */
const MAX_JSON_BYTES = 268_435_456;

/** The form in which a body goes into the stream. */
export function packBody(json: Uint8Array): { readonly version: BodyVersion; readonly bytes: Buffer } {
  const plain = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  if (plain.length < COMPRESS_FROM_BYTES) return { version: "1", bytes: plain };
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32BE(plain.length);
  return { version: "2", bytes: Buffer.concat([length, Bun.zstdCompressSync(plain, { level: LEVEL })]) };
}

/** Bytes of the JSON that `unpackBody` will give, known without unpacking. */
export function jsonBytes(version: string | undefined, bytes: Buffer): number {
  return version === "2" && bytes.length >= LENGTH_BYTES ? bytes.readUInt32BE() : bytes.length;
}

/** The JSON as it was sent. @throws {EntryBodyError} when the frame is broken, cut short or not of the noted length */
export function unpackBody(version: BodyVersion, bytes: Buffer): Buffer {
  if (version === "1") return bytes;
  const size = bytes.length >= LENGTH_BYTES ? bytes.readUInt32BE() : 0;
  if (size === 0 || size > MAX_JSON_BYTES)
    throw new EntryBodyError("the entry's body has no believable length");
  const json = inflate(bytes.subarray(LENGTH_BYTES), size);
  // The decoder takes a frame that is cut short for a whole one (Bun 1.4.5).
  if (json.length !== size)
    throw new EntryBodyError(`the entry's body has ${json.length} bytes, not ${size}`);
  return json;
}

function inflate(frame: Buffer, size: number): Buffer {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: size });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== "ERR_BUFFER_TOO_LARGE" && !code?.startsWith("ZSTD_")) throw cause;
    throw new EntryBodyError(`the entry's body is not a Zstandard frame (${code})`, { cause });
  }
}
