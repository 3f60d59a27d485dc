import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BodyFormatError, Unreadable } from "../../../../src/contract/formats/body-format.ts";
import { countCsv, readCsv } from "../../../../src/contract/formats/csv.ts";

const HEADER = "sensor_id,timestamp,value,unit,quality";
const of = (...records: string[]) => [HEADER, ...records].join("\n");
const both = (text: string) => {
  const readings = readCsv(text);
  expect(countCsv(text)).toBe(readings.length);
  return readings;
};

describe("CSV", () => {
  const expected = { sensor_id: "s", timestamp: "t", value: 1.5, unit: "bar", quality: 95 };
  test.each([
    ["plain", "s,t,1.5,bar,95"],
    ["in quotation marks", '"s","t","1.5","bar","95"'],
    ["with a last line end", "s,t,1.5,bar,95\n"],
    ["with CRLF", "s,t,1.5,bar,95\r\n"],
    ["between empty lines", "\n\r\ns,t,1.5,bar,95\n\n\r\n"],
  ])("%s is a reading", (_, record) => {
    expect(both(of(record))).toEqual([expected]);
  });

  test("has its columns in any order, and keeps those that it does not know", () => {
    const text = 'unit,value,note,timestamp,"sensor_id"\r\nbar,1,"a, ""b""\r\nc",t,s\r\n';
    expect(both(text)).toEqual([
      { unit: "bar", value: 1, note: 'a, "b"\r\nc', timestamp: "t", sensor_id: "s" },
    ]);
  });

  test("keeps a column whatever its name", () => {
    const [reading] = both("timestamp,sensor,value,__proto__,constructor\nt,s,1,kept,too");
    expect(JSON.stringify(reading)).toBe(
      '{"timestamp":"t","sensor":"s","value":1,"__proto__":"kept","constructor":"too"}',
    );
  });

  test.each([
    ["0", 0],
    ["-0", -0],
    ["1e3", 1000],
    ["-12.50E-1", -1.25],
    ["1e400", Number.POSITIVE_INFINITY],
    ["0012", "0012"],
    ["+1", "+1"],
    [".5", ".5"],
    ["5.", "5."],
    [" 5", " 5"],
    ["0x10", "0x10"],
    ["NaN", "NaN"],
    ["Infinity", "Infinity"],
    ["", undefined],
  ])("takes %j for a number as JSON does, or leaves it as it is", (cell, value) => {
    const [reading] = both(of(`s,t,${cell},bar,`)) as [{ value?: unknown }];
    expect(reading.value).toEqual(value);
    expect(reading).not.toHaveProperty("quality");
  });

  test.each([
    ["too few cells", "s,t,1,bar", "the line has 4 cells, the header 5: "],
    ["too many cells", "s,t,1,5,bar,95", "the line has more than 5 cells, the header 5: "],
    ["a mark within a cell", 's"x,t,1,bar,95', "the line does not follow RFC 4180: "],
    ["text behind a quotation", '"s"x,t,1,bar,95', "the line does not follow RFC 4180: "],
  ])("keeps a record with %s as its text, and loses no other", (_, record, why) => {
    const [bad, good] = both(of(record, "s,t,1.5,bar,95"));
    expect(bad).toBeInstanceOf(Unreadable);
    expect((bad as Unreadable).text).toBe(record);
    expect((bad as Unreadable).why).toStartWith(why);
    expect(good).toEqual(expected);
  });

  test.each([
    ["nothing", "", "the body is empty; its first line must name the columns"],
    ["empty lines", "\n\r\n", "the body is empty; its first line must name the columns"],
    ["no header", "s,t,1,bar,95\n", "the header lacks the column sensor_id, timestamp, value, unit"],
    ["a column twice", "value,unit,value,timestamp,sensor_id", 'the header names the column "value" twice'],
    ["a header in marks that are wrong", '"value"x,unit', "the header does not follow RFC 4180"],
    ["a header of commas", ",".repeat(100), "the header names more than 64 columns"],
    [
      "an open quotation",
      of('s,t,"1,bar,95', "s,t,2,bar,95"),
      "the quotation mark in line 2 is never closed",
    ],
  ])("with %s cannot be read at all", (_, text, message) => {
    expect(() => readCsv(text)).toThrow(new BodyFormatError(message));
    expect(() => countCsv(text)).toThrow(new BodyFormatError(message));
  });

  test("names sensors in place of ids, and needs no unit then", () => {
    expect(both("sensor,timestamp,value\np 1,t,1\n")).toEqual([{ sensor: "p 1", timestamp: "t", value: 1 }]);
    expect(both("sensor,sensor_id,timestamp,value,unit\np 1,,t,1,\n,s,t,2,bar\n")).toEqual([
      { sensor: "p 1", timestamp: "t", value: 1 },
      { sensor_id: "s", timestamp: "t", value: 2, unit: "bar" },
    ]);
  });

  test("without records has no readings", () => {
    expect(both(`${HEADER}\n`)).toEqual([]);
  });

  test("of any text is counted as it is read, or refused with its own error", () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(HEADER, "\n", "\r\n", '"', '""', ",", "s,t,1,bar,9", '"a"'),
    );
    fc.assert(
      fc.property(fc.boolean(), fc.array(piece), (headed, pieces) => {
        const text = (headed ? `${HEADER}\n` : "") + pieces.join("");
        let count: number;
        try {
          count = countCsv(text);
        } catch (error) {
          expect(error).toBeInstanceOf(BodyFormatError);
          expect(() => readCsv(text)).toThrow(error as Error);
          return;
        }
        expect(readCsv(text)).toHaveLength(count);
      }),
      { numRuns: 5_000 },
    );
  });

  test("gives back any cells that RFC 4180 can write", () => {
    const cell = fc.string({ minLength: 1 }).filter((text) => !/^[-+.\d]/.test(text));
    const record = fc.tuple(cell, cell, cell, cell, cell);
    const written = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    fc.assert(
      fc.property(fc.array(record), fc.constantFrom("\n", "\r\n"), (records, lineEnd) => {
        const text = [HEADER, ...records.map((cells) => cells.map(written).join(","))].join(lineEnd);
        const names = HEADER.split(",");
        expect(readCsv(text)).toEqual(
          records.map((cells) => Object.fromEntries(cells.map((value, i) => [names[i]!, value]))),
        );
      }),
    );
  });

  test.each([
    ["no marks", "s,t,1,bar,95\n".repeat(200_000)],
    ["marks at the end alone", `${"s,t,1,bar,95\n".repeat(200_000)}"s",t,1,bar,95`],
    ["quoted lines without commas", '"a"\n'.repeat(400_000)],
    ["two marks a cell", '"","","","",""\n'.repeat(100_000)],
  ])("with %s is read in time that grows with its size", (_, records) => {
    // With the square of the size this would take minutes, and the runner's deadline would end it.
    expect(countCsv(`${HEADER}\n${records}`)).toBeGreaterThan(0);
  });
});
