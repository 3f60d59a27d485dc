import { describe, expect, test } from "bun:test";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { Type } from "@sinclair/typebox";
import { BATCH_MEDIA } from "../../../src/api/batch/batch-form.ts";
import { shapeCheck } from "../../../src/api/body/check-shape.ts";
import { decompress, parseJson, withoutByteOrderMark } from "../../../src/api/body/decode-body.ts";
import { contentCoding, JSON_ONLY, mediaTypeOf } from "../../../src/api/body/media.ts";
import { ProblemError } from "../../../src/api/problem-error.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function problemOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(ProblemError);
    return (error as ProblemError).problem;
  }
  return "none";
}

describe("media type", () => {
  test.each([
    ["application/json", "none"],
    ["Application/JSON", "none"],
    ["application/json; charset=utf-8", "none"],
    ['application/json;charset="UTF-8"', "none"],
    ["application/json ; profile=x; Charset=utf-8", "none"],
    ["application/json; charset=iso-8859-1", "unsupported-media-type"],
    ["application/json; charset=utf-8; charset=utf-16", "unsupported-media-type"],
    ["application/json; charset=", "unsupported-media-type"],
    ["application/jsonp", "unsupported-media-type"],
    ["application/ld+json", "unsupported-media-type"],
    ["text/plain", "unsupported-media-type"],
    ["", "unsupported-media-type"],
    [undefined, "unsupported-media-type"],
  ])("%p ends with problem %s", async (type, problem) => {
    expect(await problemOf(() => mediaTypeOf(type, JSON_ONLY))).toBe(problem);
  });
});

describe("media type of a batch", () => {
  test.each([
    ["application/json", "json"],
    ["application/x-ndjson", "ndjson"],
    ["Application/X-NDJSON; charset=UTF-8", "ndjson"],
    ["text/csv", "csv"],
    ["text/csv; header=present; charset=utf-8", "csv"],
  ] as const)("%p is %s", (type, format) => {
    expect(mediaTypeOf(type, BATCH_MEDIA)).toBe(format);
  });
  test.each(["text/csv; charset=windows-1252", "text/tab-separated-values", "application/ndjson", undefined])(
    "%p is refused, and those that are taken are named",
    (type) => {
      try {
        mediaTypeOf(type, BATCH_MEDIA);
        throw new Error("it was accepted");
      } catch (error) {
        expect((error as ProblemError).problem).toBe("unsupported-media-type");
        expect((error as ProblemError).headers.Accept).toBe(
          "application/json, application/x-ndjson, text/csv",
        );
      }
    },
  );
});

describe("content encoding", () => {
  test.each([
    [undefined, "identity"],
    ["identity", "identity"],
    ["GZIP", "gzip"],
    ["x-gzip", "gzip"],
    [" deflate ", "deflate"],
    ["Zstd", "zstd"],
  ] as const)("%p is %s", (header, coding) => {
    expect(contentCoding(header)).toBe(coding);
  });
  test.each(["br", "zstd, gzip", "gzip, gzip", "constructor", ""])("%p is refused", async (header) => {
    expect(await problemOf(() => contentCoding(header))).toBe("unsupported-content-encoding");
  });
});

describe("decompression", () => {
  const MAX = 100_000;
  const max = { max_bytes: MAX };
  const full = Buffer.alloc(MAX, "a");
  const over = Buffer.alloc(MAX + 1, "a");
  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
  ] as const)("%s ends at the bound to the byte", async (coding, compress) => {
    expect((await decompress(compress(full), coding, max)).byteLength).toBe(MAX);
    expect(await problemOf(() => decompress(compress(over), coding, max))).toBe("body-too-large");
  });
  test("a bomb of many gzip members ends at the bound too", async () => {
    const bomb = Buffer.concat(Array<Buffer>(50).fill(gzipSync(full)));
    expect(await problemOf(() => decompress(bomb, "gzip", max))).toBe("body-too-large");
  });
  test.each([
    ["text", bytes("hello world")],
    ["nothing", bytes("")],
    ["a cut", gzipSync(crypto.getRandomValues(new Uint8Array(5_000))).subarray(0, 2_000)],
    ["zeros after the end", Buffer.concat([gzipSync("{}"), Buffer.from("zzzz")])],
  ])("gzip that is %s is malformed", async (_, body) => {
    expect(await problemOf(() => decompress(body, "gzip", max))).toBe("malformed-encoding");
  });
});

test.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["zstd", zstdCompressSync],
] as const)(
  "%s with something behind its end is malformed: the rest of a batch must not be lost",
  async (coding, compress) => {
    const max = { max_bytes: 1_000 };
    const whole = compress("first half");
    expect(Buffer.from(await decompress(whole, coding, max)).toString()).toBe("first half");
    const more = Buffer.concat([whole, Buffer.from("second half")]);
    expect(await problemOf(() => decompress(more, coding, max))).toBe("malformed-encoding");
  },
);

describe("a ratio", () => {
  const MIB = 1_048_576;
  const ratioOf = (body: Buffer, max_ratio: number) => ({ max_bytes: 100 * MIB, max_ratio, body });
  test.each([
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
  ] as const)("of %s is refused beyond its bound, in a body of more than a MiB", async (coding, compress) => {
    const [small, large] = [compress(Buffer.alloc(MIB)), compress(Buffer.alloc(MIB + 1))];
    const honest = compress(Buffer.from(crypto.getRandomValues(new Uint8Array(64_000)).join(",").repeat(8)));
    expect((await decompress(small, coding, ratioOf(small, 10))).byteLength).toBe(MIB);
    expect((await decompress(honest, coding, ratioOf(honest, 40))).byteLength).toBeGreaterThan(MIB);
    try {
      await decompress(large, coding, ratioOf(large, 10));
      throw new Error("it was accepted");
    } catch (error) {
      expect((error as ProblemError).problem).toBe("body-too-large");
      expect((error as ProblemError).detail).toBe(
        "The body becomes more than 10 times as large when it is decompressed.",
      );
    }
  });
});

describe("JSON text", () => {
  test("may start with a byte order mark, which is not passed on", () => {
    const marked = new Uint8Array([0xef, 0xbb, 0xbf, ...bytes("{}")]);
    expect(withoutByteOrderMark(marked)).toEqual(bytes("{}"));
    expect(withoutByteOrderMark(bytes("{}"))).toEqual(bytes("{}"));
    expect(withoutByteOrderMark(new Uint8Array([0xef, 0xbb]))).toEqual(new Uint8Array([0xef, 0xbb]));
  });
  test.each([
    ["a lone continuation byte", [0x22, 0x80, 0x22], "malformed-encoding"],
    ["an encoded surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22], "malformed-encoding"],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22], "malformed-encoding"],
    ["UTF-16", [0xff, 0xfe, 0x7b, 0x00], "malformed-encoding"],
    ["nothing", [], "malformed-json"],
    ["spaces", [0x20, 0x20], "malformed-json"],
    ["an open object", [...bytes('{"system_id":')], "malformed-json"],
    ["NaN", [...bytes('{"value":NaN}')], "malformed-json"],
    ["two values", [...bytes("{}{}")], "malformed-json"],
    ["a trailing comma", [...bytes("[1,]")], "malformed-json"],
    ["a second byte order mark", [0xef, 0xbb, 0xbf, ...bytes("{}")], "malformed-json"],
    ["a million open arrays", [...bytes("[".repeat(1_000_000))], "malformed-json"],
  ])("%s is a problem", async (_, body, problem) => {
    expect(await problemOf(() => parseJson(new Uint8Array(body)))).toBe(problem);
  });
});

describe("shape", () => {
  const check = shapeCheck(
    Type.Object({ name: Type.String(), list: Type.Array(Type.Number(), { minItems: 1 }) }),
  );
  test("a value of the right shape is returned as it is", () => {
    const value = { name: "x", list: [1], more: true };
    expect(check(value)).toBe(value);
  });
  test.each([
    [null, [""]],
    [[], [""]],
    [{ name: 1, list: [] }, ["/name", "/list"]],
    [{ name: "x", list: [1, "2"] }, ["/list/1"]],
    [{ name: "x", list: Array(100).fill("x") }, Array.from({ length: 20 }, (_, i) => `/list/${i}`)],
  ])("%j is refused with pointers", (value, pointers) => {
    try {
      check(value);
      throw new Error("it was accepted");
    } catch (error) {
      expect(error).toBeInstanceOf(ProblemError);
      expect((error as ProblemError).errors?.map((e) => e.pointer)).toEqual(pointers);
    }
  });
});
