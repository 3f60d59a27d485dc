/**
 * The stream entry: what the API writes and an ingest thread reads. Versioned, because entries of an older
 * program may still wait when a newer one starts. Version 1 carries the batch as the producer sent it
 * (decompressed JSON), so that what is replayed or put into quarantine is what was really received.
 *
 * Fields, in this order: `v` version, `m` JSON of `EntryMeta`, `b` body.
 */

/** What travels beside the body. */
export interface EntryMeta {
  readonly job_id: string;
  readonly system_id: string;
  readonly user_id: string;
  readonly request_id: string;
  readonly total_readings: number;
  /** When the batch was received, ms since the epoch; timestamps are judged against it, also in a replay. */
  readonly received_at_ms: number;
}

export const ENTRY_VERSION = "1";

/** An entry that no version of the codec understands: poison, not an infrastructure fault. */
export class EntryError extends Error {
  override readonly name = "EntryError";
}

/** Field names and values as XADD takes them. */
export function encodeEntry(
  meta: EntryMeta,
  body: Uint8Array,
): [string, string, string, string, string, Uint8Array] {
  return ["v", ENTRY_VERSION, "m", JSON.stringify(meta), "b", body];
}

/**
 * The parts of an entry from its flat list of names and values.
 * @throws {EntryError} when the version is unknown or a part is missing or broken
 */
export function decodeEntry(fields: readonly Buffer[]): { meta: EntryMeta; body: Buffer } {
  const [v, version, m, meta, b, body] = fields;
  if (v?.toString() !== "v" || m?.toString() !== "m" || b?.toString() !== "b" || !version || !meta || !body) {
    throw new EntryError("the entry does not have the fields v, m and b");
  }
  if (version.toString() !== ENTRY_VERSION) {
    throw new EntryError(`entry version ${JSON.stringify(version.toString().slice(0, 20))} is not known`);
  }
  return { meta: decodeMeta(meta.toString()), body };
}

function decodeMeta(text: string): EntryMeta {
  let meta: EntryMeta;
  try {
    meta = JSON.parse(text) as EntryMeta;
  } catch (cause) {
    throw new EntryError("the entry's metadata is not JSON", { cause });
  }
  const strings = [meta?.job_id, meta?.system_id, meta?.user_id, meta?.request_id];
  const numbers = [meta?.total_readings, meta?.received_at_ms];
  if (strings.some((s) => typeof s !== "string") || numbers.some((n) => !Number.isFinite(n))) {
    throw new EntryError("the entry's metadata lacks a field");
  }
  return meta;
}

/**
 * The readings of a version 1 body.
 * @throws {EntryError} when the body is not the JSON of a batch with as many readings as the metadata says
 */
export function readingsOf(meta: EntryMeta, body: Buffer): unknown[] {
  let batch: { readings?: unknown };
  try {
    batch = JSON.parse(body.toString("utf8")) as { readings?: unknown };
  } catch (cause) {
    throw new EntryError("the entry's body is not JSON", { cause });
  }
  if (!Array.isArray(batch?.readings) || batch.readings.length !== meta.total_readings) {
    throw new EntryError(`the entry's body does not hold ${meta.total_readings} readings`);
  }
  return batch.readings;
}
