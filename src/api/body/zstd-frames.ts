/**
 * Whether a body is whole Zstandard frames (RFC 8878 section 3) and nothing else, from the sizes that its blocks say.
 * Bun's decoder (1.4.5; at once, in the background and as a stream) ends without an error where its input ends,
 * in the middle of a frame too, and passes over what stands behind the last one: half a batch would count as a batch.
 * What the blocks hold is for the decoder to check.
 */

/** Of the decoder's memory (RFC 9659: a client of HTTP must not use more). */
export const MAX_WINDOW_BYTES = 8_388_608;

const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const BLOCK_HEADER = 3;
const CHECKSUM = 4;
/** Types of blocks; compressed ones, and raw ones, have as many bytes as they say. */
const RLE = 1;
const RESERVED = 3;
/** Of the content's size, by the two bits that say it; in a single segment it has at least one. */
const CONTENT_BYTES = [0, 2, 4, 8] as const;

/** @returns what is wrong, for people; null for whole frames */
export function objectionToZstd(body: Uint8Array, max_window_bytes = MAX_WINDOW_BYTES): string | null {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (view.byteLength === 0) return "it is empty";
  let at = 0;
  while (at < view.byteLength) {
    const next = frameEnd(view, at, max_window_bytes);
    if (typeof next === "string") return next;
    if (next > view.byteLength) return "it is cut short";
    at = next;
  }
  return null;
}

/** Where the frame ends, which may be behind the end of the body; or what is wrong with it. */
function frameEnd(view: DataView, at: number, max_window_bytes: number): number | string {
  if (at + 4 > view.byteLength) return at === 0 ? NOT_A_FRAME : "something stands behind its end";
  const magic = view.getUint32(at, true);
  if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE) {
    return at + 8 > view.byteLength ? at + 8 : at + 8 + view.getUint32(at + 4, true);
  }
  if (magic !== FRAME) return at === 0 ? NOT_A_FRAME : "something stands behind its end";
  if (at + 5 > view.byteLength) return at + 5;
  const descriptor = view.getUint8(at + 4);
  if ((descriptor & 0b1000) !== 0) return "it has a reserved bit";
  if ((descriptor & 0b11) !== 0) return "it needs a dictionary";
  const isSingle = (descriptor & 0b10_0000) !== 0;
  const windowAt = at + 5;
  const contentAt = windowAt + (isSingle ? 0 : 1);
  const content = CONTENT_BYTES[descriptor >>> 6]! || (isSingle ? 1 : 0);
  const blocksAt = contentAt + content;
  if (blocksAt > view.byteLength) return blocksAt;
  const window = isSingle ? contentSize(view, contentAt, content) : windowSize(view.getUint8(windowAt));
  if (window > max_window_bytes)
    return `it needs a window of ${window} bytes; ${max_window_bytes} is the most`;
  return blocksEnd(view, blocksAt, (descriptor & 0b100) !== 0 ? CHECKSUM : 0);
}

const NOT_A_FRAME = "it does not begin with a frame";

/** @param checksum bytes behind the last block */
function blocksEnd(view: DataView, from: number, checksum: number): number | string {
  for (let at = from; ; ) {
    if (at + BLOCK_HEADER > view.byteLength) return at + BLOCK_HEADER;
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >>> 1) & 0b11;
    if (type === RESERVED) return "it has a block of an unknown type";
    at += BLOCK_HEADER + (type === RLE ? 1 : header >>> 3);
    if ((header & 1) !== 0) return at + checksum;
  }
}

/** RFC 8878 section 3.1.1.1.2 */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 0b111);
}

/** RFC 8878 section 3.1.1.1.4 */
function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
