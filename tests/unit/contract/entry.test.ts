import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { BatchReadings } from "../../../src/contract/batch-readings.ts";
import {
  decodeEntry,
  decodeMeta,
  EntryError,
  type EntryMeta,
  encodeEntry,
  NewerEntryError,
  readableMeta,
  readingsOf,
} from "../../../src/contract/entry.ts";
import { BODY_FORMATS } from "../../../src/contract/formats/body-format.ts";

const META: EntryMeta = {
  job_id: "01890000-0000-7000-8000-000000000000",
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  user_id: "550e8400-e29b-41d4-a716-44665544ffff",
  request_id: "r-1",
  total_readings: 2,
  received_at_ms: 1_767_225_600_123,
};
const valuesOf = (readings: BatchReadings) =>
  Array.from({ length: readings.length }, (_, i) => readings.raw(i));
/** As Redis gives it back. */
const wire = (fields: readonly (string | Uint8Array)[]) =>
  fields.map((field) => Buffer.from(field as string));
const metaArbitrary = fc.record({
  job_id: fc.uuid(),
  system_id: fc.uuid(),
  user_id: fc.uuid(),
  request_id: fc.string({ unit: "grapheme" }),
  total_readings: fc.integer({ min: 0, max: 2_147_483_647 }),
  received_at_ms: fc.oneof(
    fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
    fc.double({ min: 0, max: 1e13, noNaN: true }),
  ),
  format: fc.constantFrom(...BODY_FORMATS),
});

/** Entries as the program of their time wrote them: they may still wait. */
describe("an entry of", () => {
  const meta = JSON.stringify(META);
  const json = '{"readings":[1,2]}';
  test.each([
    ["version 1", ["v", "1", "m", meta, "b", json]],
    [
      "version 2",
      [
        "v",
        "2",
        "m",
        meta,
        "b",
        Buffer.from("0000001228b52ffd20129100007b2272656164696e6773223a5b312c325d7d", "hex"),
      ],
    ],
    [
      "version 3, as it is",
      ["v", "3", "m", JSON.stringify({ ...META, format: "ndjson" }), "b", Buffer.from("\0\0\0\x001\n2\n")],
    ],
    [
      "version 3, compressed",
      [
        "v",
        "3",
        "m",
        JSON.stringify({ ...META, format: "ndjson" }),
        "b",
        Buffer.from("0000000428b52ffd2004210000310a320a", "hex"),
      ],
    ],
  ])("%s can be read", (_, fields) => {
    const { meta, body } = decodeEntry(wire(fields));
    expect(valuesOf(readingsOf(meta, body))).toEqual([1, 2]);
  });
});

describe("the entry codec", () => {
  test("gives back what it was given, any metadata and any bytes", () => {
    fc.assert(
      fc.property(metaArbitrary, fc.uint8Array(), (meta, body) => {
        const decoded = decodeEntry(wire(encodeEntry(meta, body)));
        expect(decoded.meta).toEqual({ ...meta, received_at_ms: meta.received_at_ms + 0 });
        expect(Uint8Array.from(decoded.body)).toEqual(body);
      }),
      { seed: 1 },
    );
  });

  test("refuses any other list of fields with an EntryError and nothing else", () => {
    const field = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.constantFrom("v", "1", "m", "b", "{}", JSON.stringify(META)),
    );
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
        try {
          decodeEntry(wire(fields));
        } catch (error) {
          expect(error).toBeInstanceOf(EntryError);
          return;
        }
        const text = fields.map((f) => Buffer.from(f as string).toString());
        expect([text[0], text[1], text[2], text[4]]).toEqual(["v", "1", "m", "b"]);
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  test.each([
    [["v", "0", "m", JSON.stringify(META), "b", "{}"], 'entry version "0" is not known'],
    [["v", "4x", "m", JSON.stringify(META), "b", "{}"], 'entry version "4x" is not known'],
    [
      ["v", "1", "m", JSON.stringify({ ...META, format: "xml" }), "b", "{}"],
      "the entry's format is not known",
    ],
    [
      ["v", "x".repeat(100), "m", JSON.stringify(META), "b", "{}"],
      `entry version "${"x".repeat(20)}" is not known`,
    ],
    [["m", JSON.stringify(META), "v", "1", "b", "{}"], "the entry does not have the fields v, m and b"],
    [["v", "1", "m", JSON.stringify(META)], "the entry does not have the fields v, m and b"],
    [[], "the entry does not have the fields v, m and b"],
  ])("says what is wrong: %j", (fields, message) => {
    expect(() => decodeEntry(wire(fields))).toThrow(new EntryError(message));
  });
});

test.each([
  ["whole", ["v", "4", "m", JSON.stringify(META), "b", "{}"], 4],
  ["of other fields", ["v", "57", "what", "ever"], 57],
  ["of nothing else", ["v", "999999"], 999_999],
])("an entry of a newer version is told from poison: %s", (_, fields, version) => {
  try {
    decodeEntry(wire(fields));
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(NewerEntryError);
    expect((error as NewerEntryError).version).toBe(version);
  }
});

describe("metadata", () => {
  const changed = (change: object) => JSON.stringify({ ...META, ...change });
  test.each([
    "",
    "nonsense",
    "null",
    "5",
    '"text"',
    "[]",
    "{}",
    changed({ job_id: undefined }),
    changed({ job_id: "x" }),
    changed({ job_id: META.system_id.toUpperCase() }),
    changed({ system_id: 5 }),
    changed({ system_id: `${META.system_id}\n` }),
    changed({ user_id: null }),
    changed({ request_id: 7 }),
    changed({ total_readings: "2" }),
    changed({ total_readings: -1 }),
    changed({ total_readings: 1.5 }),
    changed({ total_readings: 2_147_483_648 }),
    changed({ received_at_ms: null }),
    changed({ received_at_ms: -1 }),
    changed({ received_at_ms: 8_640_000_000_000_001 }),
  ])("%s is an EntryError", (text) => {
    expect(() => decodeMeta(text)).toThrow(EntryError);
  });

  test("of an entry that cannot be decoded is read where it can be", () => {
    expect(readableMeta(wire(["v", "9", "m", JSON.stringify(META), "b", "?"]))).toEqual(META);
    expect(readableMeta(wire(["m", JSON.stringify(META)]))).toEqual(META);
    expect(readableMeta(wire(["v", "m", "x", JSON.stringify(META)]))).toBeNull();
    expect(readableMeta(wire(["v", "9", "m"]))).toBeNull();
    expect(readableMeta([])).toBeNull();
  });
});

describe("the readings of a body", () => {
  test("in another format are as many as the metadata says, or it is an EntryError", () => {
    const csv = "sensor_id,timestamp,value,unit\ns,t,1,bar\ns,t,2,bar\n";
    expect(readingsOf({ ...META, format: "csv" }, Buffer.from(csv))).toHaveLength(2);
    expect(() => readingsOf({ ...META, format: "csv", total_readings: 3 }, Buffer.from(csv))).toThrow(
      EntryError,
    );
    expect(() => readingsOf({ ...META, format: "csv" }, Buffer.from("x"))).toThrow(
      new EntryError(
        "the entry's body cannot be read: the header lacks the column sensor_id, timestamp, value, unit",
      ),
    );
    expect(() => readingsOf({ ...META, format: "ndjson" }, Buffer.from("1\n"))).toThrow(EntryError);
  });

  test("are what was sent, when there are as many as the metadata says", () => {
    const readings = readingsOf(META, Buffer.from('{"readings":[1,{"a":null}],"more":0}'));
    expect(valuesOf(readings)).toEqual([1, { a: null }]);
  });
  test.each([
    "",
    "{",
    "null",
    "5",
    "[1,2]",
    "{}",
    '{"readings":null}',
    '{"readings":{"length":2}}',
    '{"readings":[1]}',
    '{"readings":[1,2,3]}',
  ])("%s is an EntryError", (body) => {
    expect(() => readingsOf(META, Buffer.from(body))).toThrow(EntryError);
  });
});
