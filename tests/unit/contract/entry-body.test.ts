import { expect, test } from "bun:test";
import { EntryBodyError, packBody, unpackBody, unpackedBytes } from "../../../src/contract/entry-body.ts";

const batchOf = (readings: number) =>
  Buffer.from(
    JSON.stringify({ readings: Array.from({ length: readings }, (_, i) => ({ unit: "bar", value: i / 7 })) }),
  );
const SMALL = batchOf(10);
const MIDDLE = batchOf(200);
const LARGE = batchOf(10_000);

test("a small body goes into the stream as it was sent", () => {
  const { version, bytes } = packBody(SMALL, true);
  expect(version).toBe("1");
  expect(bytes.equals(SMALL)).toBe(true);
  expect(unpackBody(version, bytes).equals(SMALL)).toBe(true);
  expect(unpackedBytes(version, bytes)).toBe(SMALL.length);
});

test.each([
  ["of some hundred readings", MIDDLE],
  ["large", LARGE],
])("a body that is %s is compressed, and comes back byte for byte", (_, body) => {
  const { version, bytes } = packBody(body, true);
  expect(version).toBe("2");
  expect(bytes.length).toBeLessThan(body.length / 2);
  expect(unpackBody(version, bytes).equals(body)).toBe(true);
  expect(unpackedBytes(version, bytes)).toBe(body.length);
});

test.each([5_000, 60_000])(
  "%i bytes that cannot be compressed come back too, also from the middle of a buffer",
  (size) => {
    const around = Buffer.from(crypto.getRandomValues(new Uint8Array(65_000)));
    const body = around.subarray(11, size + 11);
    const { version, bytes } = packBody(body, true);
    expect(version).toBe("2");
    expect(unpackBody(version, bytes).equals(body)).toBe(true);
  },
);

test.each([
  ["small", Buffer.from("sensor_id,timestamp,value,unit\n")],
  ["empty", Buffer.alloc(0)],
  ["middle-sized", MIDDLE],
  ["large", LARGE],
])("a %s body that is not JSON comes back byte for byte", (_, body) => {
  const { version, bytes } = packBody(body, false);
  expect(version).toBe("3");
  expect(unpackBody(version, bytes).equals(body)).toBe(true);
  expect(unpackedBytes(version, bytes)).toBe(body.length);
});

test("the size of what waits is known without unpacking, whatever stands there", () => {
  expect(unpackedBytes("2", Buffer.from([1, 2]))).toBe(2);
  expect(unpackedBytes(undefined, Buffer.alloc(7))).toBe(7);
});

const packed = () => Buffer.from(packBody(LARGE, true).bytes);
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
  if (bytes.length < 4 || bytes.readUInt32BE() > 0) {
    expect(() => unpackBody("3", bytes)).toThrow(EntryBodyError);
  }
});
