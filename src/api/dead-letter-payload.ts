/** The payload of a dead letter for people: as text where it is text, bounded. */
import { decodedBytes, decodeEntry, EntryError } from "../contract/entry.ts";

/** Bytes shown. */
export const SHOWN_BYTES = 262_144;
/** A payload that would unpack to more is shown as it is kept, bytes. */
const UNPACKED_BYTES = 67_108_864;

export interface Payload {
  readonly encoding: "json" | "text" | "base64";
  readonly body: string;
  readonly truncated: boolean;
}

/** @param fields names and values of the entry, however broken */
export function payloadOf(fields: readonly Buffer[]): Payload {
  const { bytes, isJson } = bodyOf(fields);
  const shown = bytes.subarray(0, SHOWN_BYTES);
  const truncated = shown.length < bytes.length;
  try {
    // As a stream, a character that is cut in two at the end is left out.
    const body = new TextDecoder("utf-8", { fatal: true }).decode(shown, { stream: truncated });
    return { encoding: isJson ? "json" : "text", body, truncated };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { encoding: "base64", body: shown.toString("base64"), truncated };
  }
}

/** The batch as it was sent, whole; what is kept of it when it cannot be unpacked. */
export function bodyOf(fields: readonly Buffer[]): { bytes: Buffer; isJson: boolean } {
  const kept = { bytes: fields[5] ?? Buffer.alloc(0), isJson: true };
  if (decodedBytes(fields) > UNPACKED_BYTES) return kept;
  try {
    const { meta, body } = decodeEntry(fields);
    return { bytes: body, isJson: (meta.format ?? "json") === "json" };
  } catch (error) {
    if (!(error instanceof EntryError)) throw error;
    return kept;
  }
}
