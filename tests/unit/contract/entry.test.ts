import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeEntry,
  decodeMeta,
  EntryError,
  type EntryMeta,
  encodeEntry,
  readableMeta,
  readingsOf,
} from "../../../src/contract/entry.ts";

const META: EntryMeta = {
  job_id: "01890000-0000-7000-8000-000000000000",
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  user_id: "550e8400-e29b-41d4-a716-44665544ffff",
  request_id: "r-1",
  total_readings: 2,
  received_at_ms: 1_767_225_600_123,
};
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
    [["v", "3", "m", JSON.stringify(META), "b", "{}"], 'entry version "3" is not known'],
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
  test("are what was sent, when there are as many as the metadata says", () => {
    expect(readingsOf(META, Buffer.from('{"readings":[1,{"a":null}],"more":0}'))).toEqual([1, { a: null }]);
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
