/** Zstandard frames are whole or refused, wherever they are cut and whatever stands behind them. */
import { describe, expect, test } from "bun:test";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { decompress } from "../../../src/api/body/decode-body.ts";
import { MAX_WINDOW_BYTES, objectionToZstd } from "../../../src/api/body/zstd-frames.ts";
import { ProblemError } from "../../../src/api/problem-error.ts";

const MAX = { max_bytes: 10_000_000 };
const compress = (data: Uint8Array, level = 3, checksum = false) =>
  zstdCompressSync(data, {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0,
    },
  });
const skippable = (bytes: number) => {
  const frame = Buffer.alloc(8 + bytes, 7);
  frame.writeUInt32LE(0x184d2a53);
  frame.writeUInt32LE(bytes, 4);
  return frame;
};
/** Compressible, incompressible and empty parts, so that blocks of every type occur. */
const data = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 300_000 }))
        .map(([byte, n]) => Buffer.alloc(n, byte)),
    ),
    { maxLength: 4 },
  )
  .map((parts) => Buffer.concat(parts));
const level = fc.constantFrom(-5, 1, 3, 12);

async function problemOf(body: Uint8Array): Promise<string> {
  try {
    await decompress(body, "zstd", MAX);
    return "none";
  } catch (error) {
    expect(error).toBeInstanceOf(ProblemError);
    return (error as ProblemError).problem;
  }
}

describe("frames", () => {
  test("of any data, size and level are taken, one or several, skippable ones between them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(data, { minLength: 1, maxLength: 3 }),
        level,
        fc.boolean(),
        async (parts, n, sum) => {
          const body = Buffer.concat(
            parts.flatMap((part) => [skippable(part.length % 50), compress(part, n, sum)]),
          );
          expect(objectionToZstd(body)).toBeNull();
          expect(Buffer.from(await decompress(body, "zstd", MAX)).equals(Buffer.concat(parts))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("are refused wherever they are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        data,
        level,
        fc.boolean(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (part, n, sum, at) => {
          const whole = compress(part, n, sum);
          const cut = whole.subarray(0, Math.min(whole.length - 1, Math.floor(whole.length * at)));
          expect(await problemOf(cut)).toBe("malformed-encoding");
        },
      ),
      { numRuns: 150 },
    );
    const small = compress(Buffer.from("sensor_id,timestamp,value,unit"), 3, true);
    for (let length = 0; length < small.length; length += 1) {
      expect(await problemOf(small.subarray(0, length))).toBe("malformed-encoding");
    }
  });

  test("need to be looked at: the decoder itself takes half of one for a whole one", () => {
    // When this fails, Bun is mended, and zstd-frames.ts may go.
    const whole = compress(Buffer.from(crypto.getRandomValues(new Uint8Array(300_000))));
    expect(zstdDecompressSync(whole.subarray(0, whole.length >> 1)).length).toBeLessThan(300_000);
  });

  test("never make it throw anything else, nor run on: any bytes, and frames with bytes changed", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }).map((rest) => Buffer.concat([Buffer.from("28b52ffd", "hex"), rest])),
      fc.tuple(data, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([part, at, byte]) => {
        const frame = Buffer.from(compress(part));
        frame[at % Math.min(frame.length, 24)] = byte;
        return frame;
      }),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (body) => {
        expect(["none", "malformed-encoding", "body-too-large"]).toContain(await problemOf(body));
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ["nothing", Buffer.alloc(0), "it is empty"],
    ["text", Buffer.from("hello world"), "it does not begin with a frame"],
    [
      "text behind a frame",
      Buffer.concat([compress(Buffer.from("x")), Buffer.from("zz")]),
      "something stands behind its end",
    ],
    ["gzip", Buffer.from("1f8b0800", "hex"), "it does not begin with a frame"],
    ["a need of a dictionary", Buffer.from("28b52ffd2101", "hex"), "it needs a dictionary"],
    ["a reserved bit", Buffer.from("28b52ffd2801", "hex"), "it has a reserved bit"],
    ["a block of no type", Buffer.from("28b52ffd2001070000", "hex"), "it has a block of an unknown type"],
    [
      "a wide window",
      Buffer.from("28b52ffd0088010000", "hex"),
      `it needs a window of 134217728 bytes; ${MAX_WINDOW_BYTES} is the most`,
    ],
  ])("with %s are refused, with what is wrong", async (_, body, objection) => {
    expect(objectionToZstd(body)).toBe(objection);
  });

  test("whose checksum is wrong are refused", async () => {
    const frame = Buffer.from(compress(Buffer.from("a batch"), 3, true));
    frame[frame.length - 1]! ^= 1;
    expect(objectionToZstd(frame)).toBeNull();
    expect(await problemOf(frame)).toBe("malformed-encoding");
  });
});
