import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { FileFormatError, inspectFile, openSource } from "../../../../src/feed/import/source.ts";
import { type BrokenLines, detectDelimiter, tableRows } from "../../../../src/feed/import/table.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hydraulic-table-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await Bun.write(path, content);
  return path;
}

/** Rows as `line: cells`, broken lines as `first-last`, and the number of empty lines. */
async function read(content: string | Uint8Array, delimiter = ",") {
  const rows: string[] = [];
  const broken: BrokenLines[] = [];
  const counts = { empty_lines: 0 };
  const source = Readable.from([Buffer.from(content as string)]);
  for await (const { line, cells } of tableRows(source, delimiter, counts, (b) => broken.push(b))) {
    rows.push(`${line}: ${cells.join("|")}`);
  }
  return { rows, broken: broken.map((b) => `${b.line}-${b.last_line}`), empty: counts.empty_lines };
}

describe("records are those of RFC 4180, with the lines where they begin", () => {
  const table: [name: string, content: string, rows: string[], empty: number, broken: string[]][] = [
    ["plain", "a,b\n1,2\n", ["1: a|b", "2: 1|2"], 0, []],
    ["no line end at the end", "a,b\n1,2", ["1: a|b", "2: 1|2"], 0, []],
    ["CRLF", "a,b\r\n1,2\r\n", ["1: a|b", "2: 1|2"], 0, []],
    ["CR alone", "a,b\r1,2\r", ["1: a|b", "2: 1|2"], 0, []],
    ["mixed line ends", "a,b\r\n1,2\n3,4\r\n", ["1: a|b", "2: 1|2", "3: 3|4"], 0, []],
    ["byte order mark", "\ufeffa,b\n1,2\n", ["1: a|b", "2: 1|2"], 0, []],
    ["empty lines", "a,b\n\n1,2\n\n\n3,4\n\n", ["1: a|b", "3: 1|2", "6: 3|4"], 4, []],
    ["empty cells", "a,b\n,\n1,\n", ["1: a|b", "2: |", "3: 1|"], 0, []],
    ["quotes", '"a","b ""x"""\n"1,5",2\n', ['1: a|b "x"', "2: 1,5|2"], 0, []],
    ["a line end in quotes", 'a,b\n"1\n2",3\n4,5\n', ["1: a|b", "2: 1\n2|3", "4: 4|5"], 0, []],
    ["an empty line in quotes", 'a,b\n\n"1\n\n2",3\n4,5\n', ["1: a|b", "3: 1\n\n2|3", "6: 4|5"], 1, []],
    ["a quote inside a cell", 'a,b\n1,x"y\n3,4\n', ["1: a|b", '2: 1|x"y', "3: 3|4"], 0, []],
    ["text after a quote", 'a,b\n1,"2"x\n3,4\n', ["1: a|b", '2: 1|"2"x', "3: 3|4"], 0, []],
    ["too few and too many cells", "a,b\n1\n1,2,3\n", ["1: a|b", "2: 1", "3: 1|2|3"], 0, []],
    ["a quote without end", 'a,b\n1,2\n3,"x\n4,5\n', ["1: a|b", "2: 1|2"], 0, ["3-4"]],
    ["a quote without end in the last line", 'a,b\n1,2\n3,"x', ["1: a|b", "2: 1|2"], 0, ["3-3"]],
    ["only a header", "a,b\n", ["1: a|b"], 0, []],
  ];
  test.each(table)("%s", async (_name, content, rows, empty, broken) => {
    expect(await read(content)).toEqual({ rows, empty, broken });
  });

  test("a quote that swallows megabytes is cut off, and every line of it is told", async () => {
    const lines = Array.from({ length: 400_000 }, (_, i) => `${i},${i}\n`).join("");
    const found = await read(`a,b\n1,2\n3,"x\n${lines}`);
    expect(found.rows).toEqual(["1: a|b", "2: 1|2"]);
    expect(found.broken).toEqual(["3-400003"]);
  });

  test("UTF-16 with a byte order mark is read as it is", async () => {
    const found = await read(Buffer.from("\ufeffa\t°C\n1\t2\n", "utf16le"), "\t");
    expect(found).toEqual({ rows: ["1: a|°C", "2: 1|2"], empty: 0, broken: [] });
  });
});

describe("the delimiter is found in the header", () => {
  test.each([
    ["a,b,c", ","],
    ["a\tb\tc", "\t"],
    ["a;b;c", ";"],
    ["a|b", "|"],
    ["alone", ","],
    ['"a,b,c";d', ";"],
    ["a;b,c", ";"],
    ["time, s\tPS1, bar\tPS2", "\t"],
  ])("%p: %p", (header, delimiter) => {
    expect(detectDelimiter(header)).toBe(delimiter);
  });
});

describe("a file is known by its content, not by its name", () => {
  test("gzip, plain text and UTF-16", async () => {
    const packed = await inspectFile(await file("packed.csv", gzipSync("a,b\n1,2\n")));
    expect(packed).toMatchObject({ gzip: true, encoding: "utf8", first_line: "a,b" });
    const plain = await inspectFile(await file("plain.gz", "\ufeffa,b\r\n1,2\r\n"));
    expect(plain).toMatchObject({ gzip: false, encoding: "utf8", first_line: "a,b", bytes: 13 });
    const wide = await inspectFile(await file("wide.txt", Buffer.from("\ufeffa\tb\n", "utf16le")));
    expect(wide).toMatchObject({ encoding: "utf16le", first_line: "a\tb" });
  });

  test("several gzip members are one file", async () => {
    const path = await file("members.gz", Buffer.concat([gzipSync("a,b\n1,2\n"), gzipSync("3,4\n")]));
    const rows: string[] = [];
    const source = openSource({ path, gzip: true }, () => undefined);
    for await (const { cells } of tableRows(source, ",", { empty_lines: 0 }, () => undefined))
      rows.push(cells.join("|"));
    expect(rows).toEqual(["a|b", "1|2", "3|4"]);
  });

  test("the hash changes with the content", async () => {
    const one = await inspectFile(await file("one.csv", "a,b\n1,2\n"));
    const same = await inspectFile(await file("same.csv", "a,b\n1,2\n"));
    const other = await inspectFile(await file("other.csv", "a,b\n1,3\n"));
    expect(one.sha256).toBe(same.sha256);
    expect(one.sha256).not.toBe(other.sha256);
  });

  test.each([
    ["a spreadsheet", Buffer.from("PK\u0003\u0004rest"), "spreadsheet"],
    ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), "zstd"],
    ["UTF-16 big-endian", Buffer.from([0xfe, 0xff, 0, 0x61]), "big-endian"],
    ["a binary", Buffer.from("a\0b\n"), "not a text file"],
    ["nothing", Buffer.alloc(0), "no header"],
    ["an empty first line", Buffer.from("\na,b\n"), "no header"],
    ["a packed spreadsheet", gzipSync("PK\u0003\u0004rest"), "spreadsheet"],
    ["a gzip file cut in its head", gzipSync("a,b\n1,2\n").subarray(0, 12), "damaged"],
    ["a line without end", Buffer.alloc(2_000_000, "x"), "no line end"],
  ])("%s is refused with a reason", async (name, content, reason) => {
    const error = await inspectFile(await file(`${name}.bin`, content)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FileFormatError);
    expect((error as Error).message).toContain(reason);
  });

  test("a missing file is a usage error with its name", async () => {
    const error = await inspectFile(join(folder, "missing.csv")).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "UsageError" });
    expect((error as Error).message).toContain("missing.csv");
  });
});
