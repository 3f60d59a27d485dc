/**
 * COPY in binary format (PostgreSQL documentation, COPY, "Binary Format"): the one place that knows the order and
 * the types of the columns that ingest writes. Integers are big-endian; a field is a 4-byte length and its bytes.
 */
import type { ReadingColumns } from "./columns.ts";
import type { Refusal } from "./refusal.ts";

/** In the order in which `encodeReadings` writes them. */
export const READING_COPY_COLUMNS = [
  "sensor_id",
  "timestamp",
  "value",
  "system_id",
  "quality",
  "unit",
] as const;
export const QUARANTINE_COPY_COLUMNS = [
  "job_id",
  "ordinal",
  "system_id",
  "sensor_id",
  "timestamp",
  "value",
  "unit",
  "quality",
  "raw",
  "reason",
  "reason_details",
  "range_version",
] as const;

/** Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL's timestamps begin. */
const POSTGRES_EPOCH_US = 946_684_800_000_000;
/** Signature, flags and the length of a header extension that is not there. */
const HEADER = Buffer.from("5047434f50590aff0d0a000000000000000000", "hex");
const TRAILER = Buffer.from("ffff", "hex");
const TWO_32 = 4_294_967_296;

/** 16 bytes of a UUID in text form. */
function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}

/** PostgreSQL's timestamptz: microseconds since 2000 as a 64-bit integer, written as two halves. */
function writeTimestamp(view: DataView, at: number, timestamp_us: number): void {
  const us = timestamp_us - POSTGRES_EPOCH_US;
  const high = Math.floor(us / TWO_32);
  view.setInt32(at, high);
  view.setUint32(at + 4, us - high * TWO_32);
}

/**
 * The rows of `columns` named by `order`, in that order, as one COPY stream.
 * @param systems lower-case UUID of the system of each batch, by the batch's index in the group
 * @param ordinals when true each row ends with an int4: its position in `order` (for a staging table)
 * @returns the whole stream, header and trailer included
 */
export function encodeReadings(
  columns: ReadingColumns,
  order: Int32Array,
  systems: readonly string[],
  ordinals = false,
): Buffer {
  const sensors = columns.sensors.map(uuidBytes);
  const systemBytes = systems.map(uuidBytes);
  const units = columns.units.map((unit) => Buffer.from(unit, "utf8"));
  const longest = Math.max(0, ...units.map((unit) => unit.length));
  const rowSize = 2 + 20 + 12 + 12 + 20 + 8 + 4 + longest + (ordinals ? 8 : 0);
  const out = Buffer.allocUnsafe(HEADER.length + order.length * rowSize + TRAILER.length);
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const fields = READING_COPY_COLUMNS.length + (ordinals ? 1 : 0);
  let at = HEADER.copy(out);
  for (let position = 0; position < order.length; position += 1) {
    const row = order[position]!;
    view.setInt16(at, fields);
    view.setInt32(at + 2, 16);
    out.set(sensors[columns.sensor[row]!]!, at + 6);
    view.setInt32(at + 22, 8);
    writeTimestamp(view, at + 26, columns.timestamp_us[row]!);
    view.setInt32(at + 34, 8);
    view.setFloat64(at + 38, columns.value[row]!);
    view.setInt32(at + 46, 16);
    out.set(systemBytes[columns.batch[row]!]!, at + 50);
    view.setInt32(at + 66, 4);
    view.setFloat32(at + 70, columns.quality[row]!);
    const unit = units[columns.unit[row]!]!;
    view.setInt32(at + 74, unit.length);
    out.set(unit, at + 78);
    at += 78 + unit.length;
    if (ordinals) {
      view.setInt32(at, 4);
      view.setInt32(at + 4, position);
      at += 8;
    }
  }
  at += TRAILER.copy(out, at);
  return out.subarray(0, at);
}

/** PostgreSQL's json type refuses deeper nesting than its stack allows; such a reading is kept as JSON text in a string. */
const MAX_RAW_DEPTH = 500;

function depthBeyond(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (limit === 0) return true;
  return Object.values(value).some((inner) => depthBeyond(inner, limit - 1));
}

/** JSON has no infinities (1e999 parses to one); they are kept by name. */
function keepInfinity(_key: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY ? String(value) : value;
}

/**
 * JSON text of a value of any depth: JSON.stringify throws a RangeError from about 50,000 levels on, which JSON.parse
 * still reads. What is still to be written waits on a list instead of the stack.
 */
function deepJson(root: unknown): string {
  const parts: string[] = [];
  const waiting: ({ readonly text: string } | { readonly value: unknown })[] = [{ value: root }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if ("text" in next) {
      parts.push(next.text);
    } else if (typeof next.value !== "object" || next.value === null) {
      parts.push(JSON.stringify(next.value, keepInfinity));
    } else {
      const list = Array.isArray(next.value);
      const inner = Object.entries(next.value).flatMap(([key, value], i) => [
        { text: `${i === 0 ? "" : ","}${list ? "" : `${JSON.stringify(key)}:`}` },
        { value },
      ]);
      parts.push(list ? "[" : "{");
      waiting.push({ text: list ? "]" : "}" });
      for (const one of inner.reverse()) waiting.push(one);
    }
  }
  return parts.join("");
}

/** A refused reading as JSON text that PostgreSQL's json type takes. */
export function rawJson(raw: unknown): string {
  if (depthBeyond(raw, MAX_RAW_DEPTH)) return JSON.stringify(deepJson(raw));
  return JSON.stringify(raw, keepInfinity) ?? "null";
}

function field(bytes: Buffer | null): Buffer[] {
  const length = Buffer.allocUnsafe(4);
  length.writeInt32BE(bytes ? bytes.length : -1);
  return bytes ? [length, bytes] : [length];
}
function int4(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}
function float4(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeFloatBE(value);
  return bytes;
}
function float8(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleBE(value);
  return bytes;
}
function timestamptz(timestamp_us: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  writeTimestamp(new DataView(bytes.buffer, bytes.byteOffset, 8), 0, timestamp_us);
  return bytes;
}

/** The batch a refusal belongs to. */
export interface RefusedBatch {
  readonly job_id: string;
  readonly system_id: string;
}

const FIELD_COUNT = (() => {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(QUARANTINE_COPY_COLUMNS.length);
  return bytes;
})();

/**
 * Refused readings as one COPY stream. Refusals are rare, so this is written to be read, not to be fast.
 * @param batches of the group, by their index in it
 */
export function encodeRefusals(refusals: readonly Refusal[], batches: readonly RefusedBatch[]): Buffer {
  const nullable = <T>(value: T | null, encode: (value: T) => Buffer) =>
    field(value === null ? null : encode(value));
  const text = (value: string) => Buffer.from(value, "utf8");
  const parts: Buffer[] = [HEADER];
  for (const refusal of refusals) {
    const batch = batches[refusal.batch]!;
    parts.push(
      FIELD_COUNT,
      ...field(uuidBytes(batch.job_id)),
      ...field(int4(refusal.ordinal)),
      ...field(uuidBytes(batch.system_id)),
      ...nullable(refusal.sensor_id, uuidBytes),
      ...nullable(refusal.timestamp_us, timestamptz),
      ...nullable(refusal.value, float8),
      ...nullable(refusal.unit, text),
      ...nullable(refusal.quality, float4),
      ...field(text(rawJson(refusal.raw))),
      ...field(text(refusal.reason)),
      ...field(text(refusal.details)),
      ...nullable(refusal.range_version, int4),
    );
  }
  parts.push(TRAILER);
  return Buffer.concat(parts);
}
