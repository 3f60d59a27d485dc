import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Unreadable } from "../../../../src/contract/formats/body-format.ts";
import { countNdjson, readNdjson } from "../../../../src/contract/formats/ndjson.ts";

describe("NDJSON", () => {
  test("has a reading a line, whatever it is, with and without a last line end, LF or CRLF", () => {
    for (const text of [
      '{"a":1}\n[2]\nnull\n',
      '{"a":1}\r\n[2]\r\nnull',
      '\n {"a":1} \n\r\n[2]\n \t\nnull\n\n',
    ]) {
      expect(readNdjson(text)).toEqual([{ a: 1 }, [2], null]);
      expect(countNdjson(text)).toBe(3);
    }
  });

  test.each(["", "\n", "\r\n \n\t\n"])("without a line that says something has no reading: %j", (text) => {
    expect(readNdjson(text)).toEqual([]);
    expect(countNdjson(text)).toBe(0);
  });

  test.each([
    ["{", '{"a":1}'],
    ['{"a":1}{"b":2}', '{"c":3}'],
    ['{"a":', "1}"],
    [`${"[".repeat(100_000)}`, "1"],
    ["\u00a0", "2"],
  ])("keeps a line that is no JSON as its text, and loses no other: %#", (bad, good) => {
    const [first, second] = readNdjson(`${bad}\n${good}\n`);
    expect(first).toBeInstanceOf(Unreadable);
    expect((first as Unreadable).text).toBe(bad);
    expect((first as Unreadable).why).toStartWith("the line is not JSON: ");
    if (!(second instanceof Unreadable)) expect(second).toEqual(JSON.parse(good));
  });

  test("is counted as it is read, any text", () => {
    const piece = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.json(),
      fc.constantFrom("\n", "\r\n", " ", "{", "\0"),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        expect(countNdjson(text)).toBe(readNdjson(text).length);
      }),
      { numRuns: 2_000 },
    );
  });
});
