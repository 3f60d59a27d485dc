/** Parameters, cursors and conditions: what is read from a request, and what is refused by name. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Hono } from "hono";
import type { AppContext } from "../../../src/api/app-env.ts";
import { cursorParameter, toCursor } from "../../../src/api/cursor.ts";
import { contentTag, isKnownTag, matchedVersions } from "../../../src/api/etag.ts";
import {
  choiceParameter,
  numberParameter,
  onlyParameters,
  textParameter,
  timeParameter_us,
  wholeParameter,
} from "../../../src/api/parameters.ts";
import { ProblemError } from "../../../src/api/problem-error.ts";

/** What `read` makes of a request: its value, or the pointer of the problem. */
async function reading(
  query: string,
  read: (c: AppContext) => unknown,
  headers: Record<string, string> = {},
) {
  const app = new Hono();
  let outcome: unknown;
  app.get("/", (c) => {
    outcome = read(c as unknown as AppContext);
    return c.body(null);
  });
  app.onError((error, c) => {
    expect(error).toBeInstanceOf(ProblemError);
    outcome = { refused: (error as ProblemError).errors?.[0]?.pointer };
    return c.body(null);
  });
  await app.request(`/?${query}`, { headers });
  return outcome;
}
const refused = (name: string) => ({ refused: `/${name}` });

describe("a whole number", () => {
  const read = (c: AppContext) => wholeParameter(c, "n", { min: -5, max: 20, fallback: 7 });
  test.each([
    ["", 7],
    ["n=0", 0],
    ["n=-5", -5],
    ["n=020", 20],
    ["n=21", refused("n")],
    ["n=-6", refused("n")],
    ["n=", refused("n")],
    ["n=1e1", refused("n")],
    ["n=1.0", refused("n")],
    ["n=+1", refused("n")],
    ["n=0x1", refused("n")],
  ])("%j is read as %j", async (query, expected) => {
    expect(await reading(query, read)).toEqual(expected);
  });
});

describe("a number", () => {
  const read = (c: AppContext) => numberParameter(c, "n", { min: -1e100, max: 1e100 });
  test.each([
    ["", undefined],
    ["n=-0", 0],
    ["n=-12.5e-3", -0.0125],
    ["n=1E100", 1e100],
    ["n=1e101", refused("n")],
    ["n=1e999", refused("n")],
    ["n=Infinity", refused("n")],
    ["n=.5", refused("n")],
    ["n=1,5", refused("n")],
    ["n=%201", refused("n")],
    ["n=", refused("n")],
  ])("%j is read as %j", async (query, expected) => {
    expect(await reading(query, read)).toEqual(expected);
  });

  test("is read exactly as JSON would have it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ noNaN: true, min: -1e100, max: 1e100 }), async (value) => {
        expect(await reading(`n=${encodeURIComponent(JSON.stringify(value))}`, read)).toBe(value + 0);
      }),
      { numRuns: 200 },
    );
  });
});

describe("a word, a text, a moment", () => {
  test.each([
    ["", "a"],
    ["w=b", "b"],
    ["w=B", refused("w")],
    ["w=", refused("w")],
  ])("%j is the word %j", async (query, expected) => {
    expect(await reading(query, (c) => choiceParameter(c, "w", ["a", "b"], "a"))).toEqual(expected);
  });
  test.each([
    ["", undefined],
    ["t=%C3%84%20%25", "Ä %"],
    ["t=", refused("t")],
    ["t=abcdef", refused("t")],
    ["t=a%00", refused("t")],
  ])("%j is the text %j", async (query, expected) => {
    expect(await reading(query, (c) => textParameter(c, "t", 5))).toEqual(expected);
  });
  test.each([
    ["", undefined],
    ["at=1970-01-01T00:00:00.000001Z", 1],
    ["at=1970-01-01T01:00:00%2B01:00", 0],
    ["at=1970-01-01T01:00:00+01:00", refused("at")],
    ["at=1970-01-01", refused("at")],
    ["at=0", refused("at")],
  ])("%j is the moment %j", async (query, expected) => {
    expect(await reading(query, (c) => timeParameter_us(c, "at"))).toEqual(expected);
  });
  test.each([
    ["a=1&b=2", undefined],
    ["a=1&c=2", refused("c")],
    ["A=1", refused("A")],
    ["a=1&b=2&a=1", refused("a")],
  ])("of %j only a and b are known", async (query, expected) => {
    expect(await reading(query, (c) => onlyParameters(c, ["a", "b"]))).toEqual(expected);
  });
});

describe("a cursor", () => {
  test("comes back as it was given, whatever is in it", async () => {
    const part = fc.string({ unit: "binary", maxLength: 40 }).filter((text) => !text.includes("\0"));
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 3 }), async (key) => {
        const cursor = toCursor(key);
        expect(cursor).toMatch(/^[\w-]+$/);
        expect(await reading(`after=${cursor}`, (c) => cursorParameter(c, key.length))).toEqual(key);
        expect(await reading(`after=${cursor}`, (c) => cursorParameter(c, key.length + 1))).toEqual(
          refused("after"),
        );
      }),
      { numRuns: 200 },
    );
  });
  test.each([
    ["", null],
    ["after=", refused("after")],
    ["after=%21", refused("after")],
    [`after=${Buffer.from("{}").toString("base64url")}`, refused("after")],
    [`after=${Buffer.from("[1]").toString("base64url")}`, refused("after")],
    [`after=${Buffer.from('["\\u0000"]').toString("base64url")}`, refused("after")],
  ])("%j is read as %j", async (query, expected) => {
    expect(await reading(query, (c) => cursorParameter(c, 1))).toEqual(expected);
  });
});

describe("a condition", () => {
  test.each([
    [undefined, false],
    ["*", true],
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ['"b"', false],
    ["a", false],
    ['"a" "b"', false],
  ])("If-None-Match %p knows the tag: %p", (header, known) => {
    expect(isKnownTag(header, '"a"')).toBe(known);
  });

  test.each([
    [{}, null],
    [{ "If-Match": " * " }, null],
    [{ "If-Match": '"3"' }, [3]],
    [{ "If-Match": '"3" , W/"4","x","10"' }, [3, 10]],
    [{ "If-Match": '"03x"' }, []],
    [{ "If-Match": "3" }, refused("If-Match")],
    [{ "If-Match": '"3",' }, refused("If-Match")],
  ] as [Record<string, string>, unknown][])(
    "%j lets these versions be changed: %j",
    async (headers, expected) => {
      expect(await reading("", (c) => matchedVersions(c), headers)).toEqual(expected);
    },
  );

  test("a tag stands for its content", () => {
    expect(contentTag("a")).toBe(contentTag(new TextEncoder().encode("a")));
    expect(contentTag("a")).not.toBe(contentTag("b"));
    expect(contentTag("a")).toMatch(/^"[\w-]{27}"$/);
  });
});
