/**
 * The stream entry: what the API writes and an ingest thread reads. Versioned, because entries of an older
 * program may still wait when a newer one starts. It carries the batch as the producer sent it, so that what is
 * replayed or put into quarantine is what was really received; entry-body.ts knows in which form.
 *
 * Fields, in this order: `v` version, `m` JSON of `EntryMeta`, `b` body.
 *
 * Whatever an older program cannot read needs a new version: another body, a new format, metadata that must not be
 * passed over. An older thread then leaves the entry to a newer one; under an old version it would be poison to it.
 * tests/flow/upgrade keeps an entry of each version.
 */

import type { BatchReadings } from "./batch-readings.ts";
import {
  BODY_VERSIONS,
  type BodyVersion,
  EntryBodyError,
  NEWEST_VERSION,
  packBody,
  unpackBody,
  unpackedBytes,
} from "./entry-body.ts";
import { BODY_FORMATS, type BodyFormat, BodyFormatError } from "./formats/body-format.ts";
import { readReadings } from "./formats/decode.ts";
import { PRECISIONS, type Precision } from "./formats/line-values.ts";
import { isUuid } from "./job-id.ts";

/** What travels beside the body. */
export interface EntryMeta {
  readonly job_id: string;
  readonly system_id: string;
  readonly user_id: string;
  readonly request_id: string;
  readonly total_readings: number;
  /** When the batch was received, ms since the epoch; timestamps are judged against it, also in a replay. */
  readonly received_at_ms: number;
  /** How the body is to be read; JSON when it is absent. */
  readonly format?: BodyFormat;
  /** Of the timestamps in line protocol; nanoseconds when it is absent. */
  readonly precision?: Precision;
  /** The span that sent the batch (W3C Trace Context). Nothing is judged by it: an invalid one is no trace. */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

/** An entry that no version of the codec understands: poison, not an infrastructure fault. */
export class EntryError extends Error {
  override readonly name = "EntryError";
}

/** An entry of a version that a newer program has written: not poison, it waits for a newer worker. */
export class NewerEntryError extends EntryError {
  constructor(readonly version: number) {
    super(`entry version "${version}" is newer than this program`);
  }
}

/** What a newer program may write as its version. */
const VERSION = /^[1-9]\d{0,5}$/;

/** @throws {NewerEntryError} whatever else stands in the entry: only its version is certain to be in its place */
function refuseNewer(name: Buffer | undefined, version: Buffer | undefined): void {
  const text = version?.toString() ?? "";
  if (name?.toString() === "v" && VERSION.test(text) && Number(text) > NEWEST_VERSION)
    throw new NewerEntryError(Number(text));
}

/** Field names and values as XADD takes them. */
export function encodeEntry(
  meta: EntryMeta,
  body: Uint8Array,
): [string, BodyVersion, string, string, string, Buffer] {
  const { version, bytes } = packBody(body, (meta.format ?? "json") === "json");
  return ["v", version, "m", JSON.stringify(meta), "b", bytes];
}

/**
 * The parts of an entry from its flat list of names and values.
 * @throws {NewerEntryError} @throws {EntryError} when the version is unknown or a part is missing or broken
 */
export function decodeEntry(fields: readonly Buffer[]): { meta: EntryMeta; body: Buffer } {
  const [v, version, m, meta, b, body] = fields;
  refuseNewer(v, version);
  if (v?.toString() !== "v" || m?.toString() !== "m" || b?.toString() !== "b" || !version || !meta || !body) {
    throw new EntryError("the entry does not have the fields v, m and b");
  }
  return { meta: decodeMeta(meta.toString()), body: unpacked(version.toString(), body) };
}

function unpacked(version: string, bytes: Buffer): Buffer {
  const known = BODY_VERSIONS.find((one) => one === version);
  if (known === undefined)
    throw new EntryError(`entry version ${JSON.stringify(version.slice(0, 20))} is not known`);
  try {
    return unpackBody(known, bytes);
  } catch (error) {
    if (error instanceof EntryBodyError) throw new EntryError(error.message, { cause: error });
    throw error;
  }
}

/** Bytes of the body that decoding an entry will bring into memory. */
export const decodedBytes = (fields: readonly Buffer[]) =>
  unpackedBytes(fields[1]?.toString(), fields[5] ?? Buffer.alloc(0));

/**
 * What an entry that cannot be decoded says about its job, as far as it can be read: enough to end the job.
 * Null when there is nothing to be read.
 */
export function readableMeta(fields: readonly Buffer[]): EntryMeta | null {
  const at = fields.findIndex((name, i) => i % 2 === 0 && name.toString() === "m");
  try {
    return decodeMeta(fields[at + 1]?.toString() ?? "");
  } catch (error) {
    if (error instanceof EntryError) return null;
    throw error;
  }
}

/** PostgreSQL's integer. */
const MAX_INTEGER = 2_147_483_647;
/** The last moment of an ECMAScript date, ms. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/**
 * The metadata from its JSON. Strict, because everything behind it trusts it: ids go into SQL and are compared as
 * text with what the database returns, in small letters.
 * @throws {EntryError}
 */
export function decodeMeta(text: string): EntryMeta {
  let meta: EntryMeta;
  try {
    meta = JSON.parse(text) as EntryMeta;
  } catch (cause) {
    throw new EntryError("the entry's metadata is not JSON", { cause });
  }
  for (const name of ["job_id", "system_id", "user_id"] as const) {
    const id: unknown = meta?.[name];
    if (typeof id !== "string" || !isUuid(id) || id !== id.toLowerCase())
      throw new EntryError(`the entry's ${name} is not a UUID in small letters`);
  }
  const { request_id, total_readings: total, received_at_ms: received, format = "json" } = meta;
  if (!BODY_FORMATS.includes(format)) throw new EntryError("the entry's format is not known");
  if (!PRECISIONS.includes(meta.precision ?? "ns"))
    throw new EntryError("the entry's precision is not known");
  if (typeof request_id !== "string") throw new EntryError("the entry's request_id is not a string");
  if (!Number.isInteger(total) || total < 0 || total > MAX_INTEGER)
    throw new EntryError("the entry's total_readings is not a number of readings");
  if (!Number.isFinite(received) || received < 0 || received > MAX_TIME_MS)
    throw new EntryError("the entry's received_at_ms is not a time");
  return meta;
}

/**
 * The readings of a body.
 * @throws {EntryError} when the body is not a batch with as many readings as the metadata says
 */
export function readingsOf(meta: EntryMeta, body: Buffer): BatchReadings {
  let readings: BatchReadings;
  try {
    const { format = "json", precision = "ns", received_at_ms } = meta;
    const received_us = Math.floor(received_at_ms * 1000);
    readings = readReadings(format, body.toString("utf8"), meta.total_readings, { precision, received_us });
  } catch (cause) {
    if (!(cause instanceof BodyFormatError)) throw cause;
    throw new EntryError(`the entry's body cannot be read: ${cause.message}`, { cause });
  }
  if (readings.length !== meta.total_readings) {
    throw new EntryError(`the entry's body does not hold ${meta.total_readings} readings`);
  }
  return readings;
}
