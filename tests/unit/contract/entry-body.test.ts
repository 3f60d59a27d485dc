import { expect, test } from "bun:test";
import { EntryBodyError, jsonBytes, packBody, unpackBody } from "../../../src/contract/entry-body.ts";

const batchOf = (readings: number) =>
  Buffer.from(
    JSON.stringify({ readings: Array.from({ length: readings }, (_, i) => ({ unit: "bar", value: i / 7 })) }),
  );
const SMALL = batchOf(10);
const LARGE = batchOf(10_000);

test("a small body goes into the stream as it was sent", () => {
  const { version, bytes } = packBody(SMALL);
  expect(version).toBe("1");
  expect(bytes.equals(SMALL)).toBe(true);
  expect(unpackBody(version, bytes).equals(SMALL)).toBe(true);
  expect(jsonBytes(version, bytes)).toBe(SMALL.length);
});

test("a large body is compressed, and comes back byte for byte", () => {
  const { version, bytes } = packBody(LARGE);
  expect(version).toBe("2");
  expect(bytes.length).toBeLessThan(LARGE.length / 2);
  expect(unpackBody(version, bytes).equals(LARGE)).toBe(true);
  expect(jsonBytes(version, bytes)).toBe(LARGE.length);
});

test("a body that cannot be compressed comes back too, also from the middle of a larger buffer", () => {
  const around = Buffer.from(crypto.getRandomValues(new Uint8Array(65_000)));
  const body = around.subarray(11, 60_011);
  const { version, bytes } = packBody(body);
  expect(version).toBe("2");
  expect(unpackBody(version, bytes).equals(body)).toBe(true);
});

test("the size of what waits is known without unpacking, whatever stands there", () => {
  expect(jsonBytes("2", Buffer.from([1, 2]))).toBe(2);
  expect(jsonBytes(undefined, Buffer.alloc(7))).toBe(7);
});

const packed = () => Buffer.from(packBody(LARGE).bytes);
const withLength = (length: number) => {
  const bytes = packed();
  bytes.writeUInt32BE(length);
  return bytes;
};

test.each([
  ["empty", Buffer.alloc(0)],
  ["without a frame", packed().subarray(0, 4)],
  ["cut short", packed().subarray(0, -50)],
  ["cut within its head", packed().subarray(0, 7)],
  ["no frame at all", Buffer.from("\0\0\0\x0fgarbage garbage")],
  ["longer than it says", withLength(LARGE.length - 1)],
  ["shorter than it says", withLength(LARGE.length + 1)],
  ["of no length", withLength(0)],
  ["of a length beyond every batch", withLength(4_294_967_295)],
])("a packed body that is %s is refused as poison", (_what, bytes) => {
  expect(() => unpackBody("2", bytes)).toThrow(EntryBodyError);
});
