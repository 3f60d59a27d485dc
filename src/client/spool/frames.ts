/**
 * What a segment file holds. After the magic, frames: length of what follows the header, its complement, and the
 * CRC-32 of what follows (4 bytes each, little-endian), then a kind (1 byte) and its content. Readings are JSON texts with a line feed
 * between them; a boundary makes a batch of all readings since the one before, under the Idempotency-Key it holds.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** Also the version of the format. */
export const MAGIC = Buffer.from("HYSPOOL1");
const HEADER_BYTES = 12;
export const READINGS = 1;
export const BOUNDARY = 2;

/** What a frame needs beside its content. */
export const FRAME_BYTES = HEADER_BYTES + 1;

export type FrameKind = typeof READINGS | typeof BOUNDARY;

/** A frame as a segment holds it. */
export function encodeFrame(kind: FrameKind, content: string): Buffer {
  const length = Buffer.byteLength(content);
  const frame = Buffer.allocUnsafe(FRAME_BYTES + length);
  frame.writeUInt32LE(length + 1, 0);
  frame.writeUInt32LE(~(length + 1) >>> 0, 4);
  frame[HEADER_BYTES] = kind;
  frame.write(content, FRAME_BYTES);
  frame.writeUInt32LE(crc32(frame.subarray(HEADER_BYTES)), 8);
  return frame;
}

/**
 * A frame at `at`. `short`: the file ends within it; `bad`: its content is damaged; `lost`: its length is, so that
 * the next one must be looked for.
 */
type Found =
  | { readonly state: "whole"; readonly end: number; readonly kind: number; readonly content: Buffer }
  | { readonly state: "bad"; readonly end: number }
  | { readonly state: "short" }
  | { readonly state: "lost" };

function frameAt(bytes: Buffer, at: number): Found {
  if (bytes.length - at < FRAME_BYTES) return { state: "short" };
  const length = bytes.readUInt32LE(at);
  if (length === 0 || ~length >>> 0 !== bytes.readUInt32LE(at + 4)) return { state: "lost" };
  const end = at + HEADER_BYTES + length;
  if (end > bytes.length) return { state: "short" };
  const body = bytes.subarray(at + HEADER_BYTES, end);
  if (crc32(body) !== bytes.readUInt32LE(at + 8)) return { state: "bad", end };
  return { state: "whole", end, kind: body[0]!, content: body.subarray(1) };
}

/** Where a batch lies in a segment: whole frames, the last of them its boundary, if it still has one. */
export interface BatchRange {
  readonly start: number;
  readonly end: number;
}

export interface SegmentScan {
  readonly batches: readonly BatchRange[];
  /** Bytes that cannot be read any more. */
  readonly damaged_bytes: number;
}

/**
 * Find the batches of a segment that nobody writes to any more. A frame that was not written to its end was never
 * acknowledged to anybody: it is passed over. Readings behind the last boundary are a batch, and so are those
 * before and behind a damaged frame.
 */
export function scanSegment(bytes: Buffer): SegmentScan {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, bytes.length))) {
    return { batches: [], damaged_bytes: bytes.length };
  }
  const batches: BatchRange[] = [];
  let damaged_bytes = 0;
  let start = MAGIC.length;
  let at = start;
  /** Part of the batch is lost, so that what is left must not go out under its key. */
  let broken = false;
  const found = (end: number, next: number) => {
    if (end > start) batches.push({ start, end });
    start = next;
  };
  while (at < bytes.length) {
    const frame = frameAt(bytes, at);
    if (frame.state === "short") break;
    const end = frame.state === "lost" ? nextFrame(bytes, at + 1) : frame.end;
    if (frame.state !== "whole") {
      damaged_bytes += end - at;
      found(at, end);
      broken = true;
    } else if (frame.kind === BOUNDARY) {
      found(broken ? at : end, end);
      broken = false;
    }
    at = end;
  }
  found(at, at);
  return { batches, damaged_bytes };
}

/** Where the first whole frame from here on begins; the end of the bytes when there is none. */
function nextFrame(bytes: Buffer, from: number): number {
  for (let at = from; bytes.length - at >= FRAME_BYTES; at += 1) {
    if (frameAt(bytes, at).state === "whole") return at;
  }
  return bytes.length;
}

/**
 * The batch in these bytes, or null when they are damaged. Without a boundary its key is made of its content: the
 * same readings go out under the same key, however often they are found.
 */
export function readBatch(bytes: Buffer): { idempotency_key: string; readings: string[] } | null {
  const readings: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const frame = frameAt(bytes, at);
    if (frame.state !== "whole") return null;
    at = frame.end;
    const text = frame.content.toString();
    if (frame.kind === BOUNDARY) return at === bytes.length ? { idempotency_key: text, readings } : null;
    for (const reading of text.split("\n")) readings.push(reading);
  }
  return { idempotency_key: createHash("sha256").update(bytes).digest("hex").slice(0, 40), readings };
}
