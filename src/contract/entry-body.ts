/**
 * The body of a stream entry, as it is kept in Redis. Version 1 is the batch's JSON. Version 2 is the length of that
 * JSON (4 bytes, big-endian) and its Zstandard frame (RFC 8878): readings repeat their names, sensors and times, so a
 * batch of a hundred shrinks to a third and a large one to a tenth, and Redis, its append-only file and the sockets
 * carry that much less. Version 3 is for the other formats, which the entry's metadata names: the same as version 2, or
 * a length of 0 and the body as it is. JSON stays in versions 1 and 2, which threads of an older program understand.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

export const BODY_VERSIONS = ["1", "2", "3"] as const;
export type BodyVersion = (typeof BODY_VERSIONS)[number];
/** Versions count upwards, each program knows all up to its newest. */
export const NEWEST_VERSION = Number(BODY_VERSIONS.at(-1));

/** The body cannot be read: poison. */
export class EntryBodyError extends Error {
  override readonly name = "EntryBodyError";
}

/** Bytes from which a body is compressed. Below, the ways that it goes are cheaper than the work. */
const COMPRESS_FROM_BYTES = 4_096;
/** Bytes from which it is worth to look harder: a 1.4 MB body shrinks to a tenth in 1.1 ms; see docs/performance.md. */
const THOROUGH_FROM_BYTES = 32_768;
const THOROUGH = { level: 1 };
/** A level of Zstandard's "fast" strategy: half the time of level 1 both ways for 14 KB. Bun's own function has none. */
const FAST = { params: { [constants.ZSTD_c_compressionLevel]: -3 } };
const LENGTH_BYTES = 4;
/** The largest value of MAX_BODY_BYTES; a length above it was not written by `packBody`. */
const MAX_BODY_BYTES = 268_435_456;

/** In place of the length of what a frame unpacks to: there is no frame. */
const PLAIN = Buffer.alloc(LENGTH_BYTES);

/** The form in which a body goes into the stream. */
export function packBody(
  body: Uint8Array,
  isJson: boolean,
): { readonly version: BodyVersion; readonly bytes: Buffer } {
  const plain = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (plain.length < COMPRESS_FROM_BYTES) {
    return isJson ? { version: "1", bytes: plain } : { version: "3", bytes: Buffer.concat([PLAIN, plain]) };
  }
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32BE(plain.length);
  return { version: isJson ? "2" : "3", bytes: Buffer.concat([length, compress(plain)]) };
}

const compress = (plain: Buffer): Buffer =>
  plain.length < THOROUGH_FROM_BYTES ? zstdCompressSync(plain, FAST) : Bun.zstdCompressSync(plain, THOROUGH);

/** Bytes of the body that `unpackBody` will give, known without unpacking. */
export function unpackedBytes(version: string | undefined, bytes: Buffer): number {
  if ((version !== "2" && version !== "3") || bytes.length < LENGTH_BYTES) return bytes.length;
  const size = bytes.readUInt32BE();
  return version === "3" && size === 0 ? bytes.length - LENGTH_BYTES : size;
}

/** The body as it was sent. @throws {EntryBodyError} when the frame is broken, cut short or not of the noted length */
export function unpackBody(version: BodyVersion, bytes: Buffer): Buffer {
  if (version === "1") return bytes;
  const size = bytes.length >= LENGTH_BYTES ? bytes.readUInt32BE() : -1;
  if (version === "3" && size === 0) return bytes.subarray(LENGTH_BYTES);
  if (size <= 0 || size > MAX_BODY_BYTES)
    throw new EntryBodyError("the entry's body has no believable length");
  const body = decompress(bytes.subarray(LENGTH_BYTES), size);
  // The decoder takes a frame that is cut short for a whole one (Bun 1.4.5).
  if (body.length !== size)
    throw new EntryBodyError(`the entry's body has ${body.length} bytes, not ${size}`);
  return body;
}

function decompress(frame: Buffer, size: number): Buffer {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: size });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code !== "ERR_BUFFER_TOO_LARGE" && !code?.startsWith("ZSTD_")) throw cause;
    throw new EntryBodyError(`the entry's body is not a Zstandard frame (${code})`, { cause });
  }
}
