/** Entries of the stream: read, or refused as poison that still says whose job it is. */
import {
  decodedBytes,
  decodeEntry,
  EntryError,
  encodeEntry,
  readableMeta,
  readingsOf,
} from "../../../../src/contract/entry.ts";
import type { FuzzTarget } from "../fuzzer.ts";
import { words } from "./bodies.ts";
import { judged } from "./judge.ts";

/** Between the fields of a sample: what no text has. */
const BETWEEN = Buffer.from([0x1e, 0x1f, 0x1e]);

/** Samples are fields with separators between them. */
function fieldsOf(bytes: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  let at = 0;
  for (let next = bytes.indexOf(BETWEEN); next >= 0; next = bytes.indexOf(BETWEEN, at)) {
    fields.push(bytes.subarray(at, next));
    at = next + BETWEEN.length;
  }
  return [...fields, bytes.subarray(at)];
}

export const ENTRY_TARGET: FuzzTarget = {
  name: "entry",
  look(bytes) {
    const fields = fieldsOf(bytes);
    const readable = readableMeta(fields);
    const size = decodedBytes(fields);
    try {
      const { meta, body } = decodeEntry(fields);
      if (!Bun.deepEquals(readable, meta)) throw new Error("the metadata is read in two ways");
      if (size !== body.length) throw new Error(`${size} bytes were told, ${body.length} came`);
      const again = decodeEntry(encodeEntry(meta, body).map((field) => Buffer.from(field as string)));
      if (!Bun.deepEquals(again.meta, meta) || !again.body.equals(body))
        throw new Error("it changes when it is written again");
      const readings = readingsOf(meta, body);
      if (readings.length !== meta.total_readings) throw new Error("it has other readings than it says");
      return `${meta.format}: ${judged(readings)}`;
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      return `${readable === null ? "nobody's" : "somebody's"}: ${words(error.message)}`;
    }
  },
};
