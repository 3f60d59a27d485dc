/** Which format and coding a request gets, and the body around a table. */
import { describe, expect, test } from "bun:test";
import { acceptsGzip } from "../../../src/api/formats/format.ts";
import { tableBody } from "../../../src/api/formats/table.ts";
import { type Column, textOf } from "../../../src/store/queries/table-text.ts";

describe("gzip", () => {
  test.each([
    [undefined, false],
    ["", false],
    ["gzip", true],
    ["GZIP", true],
    ["deflate, gzip;q=0.5", true],
    ["gzip;q=0", false],
    ["gzip; q=0.000, *", false],
    ["*", true],
    ["*;q=0", false],
    ["x-gzip", true],
    ["br, deflate, identity", false],
    ["notgzip", false],
  ])("is sent for Accept-Encoding %p: %p", (header, sent) => {
    expect(acceptsGzip(header)).toBe(sent);
  });
});

describe("the body of a table", () => {
  const columns: Column[] = [
    { name: "a", kind: "number" },
    { name: "b", kind: "text" },
  ];
  test("stands beside the members of its envelope", () => {
    const meta = { next: null };
    expect(
      JSON.parse(tableBody("json", columns, meta, textOf({ body: '{"a":1}' }, columns, "rows"))),
    ).toEqual({
      next: null,
      items: [{ a: 1 }],
    });
    const arrays = textOf({ c0: "1,2", c1: '"x","y"' }, columns, "columns");
    expect(JSON.parse(tableBody("columns", columns, meta, arrays))).toEqual({
      next: null,
      columns: { a: [1, 2], b: ["x", "y"] },
    });
    expect(JSON.parse(tableBody("json", columns, {}, textOf(undefined, columns, "rows")))).toEqual({
      items: [],
    });
  });

  test("is only lines where there is no envelope", () => {
    expect(tableBody("ndjson", columns, { next: null }, "{}\n")).toBe("{}\n");
    expect(tableBody("csv", columns, { next: null }, "1,2\r\n")).toBe("a,b\r\n1,2\r\n");
  });
});
