import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uuidV5 } from "../../../../src/contract/name-uuid.ts";
import { UsageError } from "../../../../src/feed/errors.ts";
import { parseNumber } from "../../../../src/feed/import/cells.ts";
import {
  completeMapping,
  loadMapping,
  type Mapping,
  type MappingFlags,
} from "../../../../src/feed/import/mapping.ts";
import { createRowReader, type PlacedReading } from "../../../../src/feed/import/readings.ts";
import { createTimeReader } from "../../../../src/feed/import/time.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const POINT = { decimal_comma: false, empty: new Set<string>() };
const COMMA = { decimal_comma: true, empty: new Set<string>() };

/** Readings, empty cells and problems of some rows; the first row is line 2. */
function readRows(mapping: Mapping, header: string[], ...rows: string[][]) {
  const reader = createRowReader(mapping, header, SYSTEM);
  const readings: PlacedReading[] = [];
  const problems: string[] = [];
  let empty = 0;
  rows.forEach((cells, i) => {
    reader.read({ line: i + 2, cells }, i + 1, {
      reading: (placed) => readings.push(placed),
      emptyCell: () => {
        empty += 1;
      },
      unreadable: ({ line, column, details, cells: lost }) =>
        problems.push(`${line} ${column ?? "-"} (${lost}): ${details}`),
    });
  });
  return { reader, readings, problems, empty };
}

describe("a cell is a number or it is not", () => {
  test.each([
    ["1", 1],
    [" -1.5 ", -1.5],
    ["+2", 2],
    [".5", 0.5],
    ["5.", 5],
    ["1e3", 1000],
    ["1E-3", 0.001],
    ["", null],
    ["NaN", null],
    ["Infinity", null],
    ["0x10", null],
    ["1,5", null],
    ["1 000", null],
    ["1e999", null],
    ["-", null],
    ["1.2.3", null],
    ["12abc", null],
  ])("%p: %p", (cell, expected) => {
    expect(parseNumber(cell, POINT)).toBe(expected as number);
  });
  test.each([
    ["1,5", 1.5],
    ["-0,25", -0.25],
    ["7", 7],
    ["1.5", null],
    ["1.234,5", null],
    ["1,2,3", null],
  ])("with a decimal comma %p: %p", (cell, expected) => {
    expect(parseNumber(cell, COMMA)).toBe(expected as number);
  });
});

describe("the time of a row", () => {
  const header = ["t", "cycle", "second"];
  const at = (time: NonNullable<Mapping["time"]>, cells: string[], row = 1, format = POINT) =>
    createTimeReader(time, (name) => header.indexOf(name), format)(cells, row);
  const start = "2026-01-01T00:00:00Z";
  const sum = { start, columns: { cycle: 60, second: 1 }, first: { cycle: 1, second: 1 } };

  test.each([
    [
      "text as it stands",
      { column: "t" },
      ["2026-01-01T08:00:00+01:00", "", ""],
      1,
      "2026-01-01T08:00:00+01:00",
    ],
    ["text goes on although it is wrong", { column: "t" }, ["soon", "", ""], 1, "soon"],
    [
      "a zone completes text",
      { column: "t", zone: "+01:00" },
      ["2026-01-01 08:00:00.5", "", ""],
      1,
      "2026-01-01T08:00:00.5+01:00",
    ],
    [
      "a zone leaves text with one alone",
      { column: "t", zone: "Z" },
      ["2026-01-01T08:00:00-05:00", "", ""],
      1,
      "2026-01-01T08:00:00-05:00",
    ],
    ["epoch s", { column: "t", epoch: "s" }, ["1767225600.25", "", ""], 1, "2026-01-01T00:00:00.250000Z"],
    ["epoch ms", { column: "t", epoch: "ms" }, ["1767225600250", "", ""], 1, "2026-01-01T00:00:00.250000Z"],
    [
      "epoch us",
      { column: "t", epoch: "us" },
      ["1767225600000001", "", ""],
      1,
      "2026-01-01T00:00:00.000001Z",
    ],
    [
      "seconds from the start",
      { start, columns: { t: 1 } },
      ["90.5", "", ""],
      1,
      "2026-01-01T00:01:30.500000Z",
    ],
    ["before the start", { start, columns: { t: 1 } }, ["-1", "", ""], 1, "2025-12-31T23:59:59Z"],
    ["the first row of an interval", { start, interval_s: 0.1 }, ["", "", ""], 1, start],
    [
      "the fourth row of an interval",
      { start, interval_s: 0.1 },
      ["", "", ""],
      4,
      "2026-01-01T00:00:00.300000Z",
    ],
    ["cycle and second: the first", sum, ["", "1", "1"], 1, start],
    ["cycle and second: the end of a cycle", sum, ["", "1", "60"], 1, "2026-01-01T00:00:59Z"],
    ["cycle and second: the next cycle", sum, ["", "2", "1"], 1, "2026-01-01T00:01:00Z"],
    ["cycle and second: the last", sum, ["", "400", "60"], 1, "2026-01-01T06:39:59Z"],
    ["cycle and second that go on counting", sum, ["", "1", "61"], 1, "2026-01-01T00:01:00Z"],
  ] as [string, NonNullable<Mapping["time"]>, string[], number, string][])(
    "%s",
    (_name, time, cells, row, stamp) => {
      expect(at(time, cells, row)).toBe(stamp);
    },
  );

  test("a decimal comma holds for times too", () => {
    expect(at({ start, columns: { t: 1 } }, ["1,5", "", ""], 1, COMMA)).toBe("2026-01-01T00:00:01.500000Z");
  });

  test.each([
    [{ column: "t" }, ["", "", ""], "the time is empty"],
    [{ column: "t", epoch: "s" }, ["now", "", ""], '"now" is not a number'],
    [{ column: "t", epoch: "s" }, ["1e15", "", ""], "the time lies outside the years 0000 to 9999"],
    [sum, ["", "1", ""], "the time is empty"],
    [sum, ["", "one", "1"], '"one" is not a number'],
  ] as [NonNullable<Mapping["time"]>, string[], string][])("%p of %p: %s", (time, cells, details) => {
    expect(at(time, cells)).toMatchObject({ details });
  });

  test.each([
    [{ columns: { t: 1 } }, "--start"],
    [{ start: "2026-01-01", columns: { t: 1 } }, "not an RFC 3339"],
    [{ start, columns: { t: 1 }, first: { cycle: 1 } }, '"cycle"'],
  ] as [NonNullable<Mapping["time"]>, string][])("%p cannot work: %s", (time, text) => {
    expect(() => at(time, ["", "", ""])).toThrow(UsageError);
    expect(() => at(time, ["", "", ""])).toThrow(text);
  });
});

describe("a wide file", () => {
  const mapping: Mapping = {
    time: { column: "t" },
    columns: { PS1: { unit: "bar" }, TS1: { unit: "°C", sensor_id: SYSTEM.toUpperCase() } },
  };
  const header = ["t", "PS1", "note", "TS1"];
  const stamp = "2026-01-01T00:00:00Z";

  test("gives one reading for each mapped column, and says which columns it does not use", () => {
    const { readings, reader } = readRows(mapping, header, [stamp, "1.5", "x", "20"]);
    expect(readings).toEqual([
      {
        line: 2,
        column: "PS1",
        reading: { sensor_id: uuidV5(SYSTEM, "PS1"), timestamp: stamp, value: 1.5, unit: "bar" },
      },
      { line: 2, column: "TS1", reading: { sensor_id: SYSTEM, timestamp: stamp, value: 20, unit: "°C" } },
    ]);
    expect(reader.unused).toEqual(["note"]);
  });

  test("loses nothing silently: empty cells, words and misfit rows are counted", () => {
    const found = readRows(
      { ...mapping, empty: ["n/a"] },
      header,
      [stamp, "", "x", " n/a "],
      [stamp, "high", "x", "20"],
      [stamp, "1", "x"],
      [stamp, "1", "x", "20", "", " "],
      [stamp, "1", "x", "20", "more"],
      ["", "1", "x", "20"],
    );
    expect(found.empty).toBe(2);
    expect(found.readings.map((r) => `${r.line} ${r.column}`)).toEqual(["3 TS1", "5 PS1", "5 TS1"]);
    expect(found.problems).toEqual([
      '3 PS1 (1): "high" is not a number',
      "4 - (2): 3 cells, but the header has 4",
      "6 - (2): 5 cells, but the header has 4",
      "7 t (2): the time is empty",
    ]);
  });

  test.each([
    ["a column that is not there", { ...mapping, columns: { PS9: { unit: "bar" } } }, header, '"PS9"'],
    ["a column without unit", { ...mapping, columns: { PS1: {} } }, header, "no unit"],
    ["no columns", { ...mapping, columns: {} }, header, "--column"],
    ["no time", { columns: { PS1: { unit: "bar" } } }, ["a", "PS1"], "--time"],
    ["two columns of one name", mapping, ["t", "PS1", "PS1", "TS1"], 'called "PS1"'],
    ["a value that is also the time", { ...mapping, columns: { t: { unit: "s" } } }, header, "also a time"],
    [
      "two columns of one sensor",
      { ...mapping, columns: { PS1: { unit: "bar", name: "p" }, TS1: { unit: "bar", name: "p" } } },
      header,
      "one sensor",
    ],
  ] as [string, Mapping, string[], string][])("%s is refused", (_name, wrong, columns, text) => {
    expect(() => createRowReader(wrong, columns, SYSTEM)).toThrow(UsageError);
    expect(() => createRowReader(wrong, columns, SYSTEM)).toThrow(text);
  });
});

describe("a long file", () => {
  const header = ["timestamp", "sensor", "value", "unit", "quality"];
  const stamp = "2026-01-01T00:00:00Z";

  test("is recognised by its headings; sensors are names or ids", () => {
    const { readings, reader } = readRows(
      {},
      header,
      [stamp, "PS1", "1.5", "bar", "90"],
      [stamp, SYSTEM.toUpperCase(), "2", "psi", ""],
    );
    expect(reader.layout).toBe("long");
    expect(readings.map((r) => r.reading)).toEqual([
      { sensor_id: uuidV5(SYSTEM, "PS1"), timestamp: stamp, value: 1.5, unit: "bar", quality: 90 },
      { sensor_id: SYSTEM, timestamp: stamp, value: 2, unit: "psi" },
    ]);
  });

  test("may have headings of its own, and units by sensor", () => {
    const mapping: Mapping = {
      layout: "long",
      time: { column: "when", zone: "Z" },
      long: { sensor: "tag", value: "v" },
      columns: { PS1: { unit: "bar", name: "pump" } },
    };
    const found = readRows(
      mapping,
      ["when", "tag", "v"],
      ["2026-01-01 00:00:00", "PS1", "3"],
      ["2026-01-01 00:00:00", "PS2", "3"],
    );
    expect(found.readings[0]!.reading).toEqual({
      sensor_id: uuidV5(SYSTEM, "pump"),
      timestamp: stamp,
      value: 3,
      unit: "bar",
    });
    expect(found.problems).toEqual(["3 PS2 (1): no unit: --column PS2=UNIT"]);
  });

  test("loses nothing silently", () => {
    const found = readRows(
      {},
      header,
      [stamp, "", "1", "bar", ""],
      [stamp, "a", "", "bar", ""],
      [stamp, "a", "x", "bar", ""],
      ["", "a", "1", "bar", ""],
      [stamp, "a", "1", "", "good"],
      [stamp, "a", "1", "", ""],
      [stamp],
    );
    expect(found.empty).toBe(1);
    // An empty unit goes on: the service quarantines it as an unknown one.
    expect(found.readings.map((r) => r.line)).toEqual([7]);
    expect(found.problems).toEqual([
      "2 sensor (1): the sensor is empty",
      '4 a (1): "x" is not a number',
      "5 timestamp (1): the time is empty",
      '6 quality (1): "good" is not a number',
      "8 - (1): 1 cells, but the header has 5",
    ]);
  });
});

describe("flags complete and override a mapping file", () => {
  const file: Mapping = {
    time: { start: "2026-01-01T00:00:00Z", columns: { t: 1 } },
    columns: { A: { unit: "bar", name: "a" } },
  };
  test.each([
    [
      {
        column: new Map([
          ["A", "psi"],
          ["B", "rpm"],
        ]),
      },
      { columns: { A: { unit: "psi", name: "a" }, B: { unit: "rpm" } } },
    ],
    [{ sensor: new Map([["A", SYSTEM]]) }, { columns: { A: { unit: "bar", name: "a", sensor_id: SYSTEM } } }],
    [{ start: "2027-01-01T00:00:00Z" }, { time: { start: "2027-01-01T00:00:00Z", columns: { t: 1 } } }],
    [{ time: "when" }, { time: { column: "when" } }],
    [{ time: "when", epoch: "ms" }, { time: { column: "when", epoch: "ms" } }],
    [
      { interval: 0.5, start: "2026-02-01T00:00:00Z" },
      { time: { start: "2026-02-01T00:00:00Z", interval_s: 0.5 } },
    ],
    [{ seconds: "s" }, { time: { columns: { s: 1 } } }],
    [
      { delimiter: ";", decimalComma: true, layout: "wide" },
      { delimiter: ";", decimal_comma: true, layout: "wide" },
    ],
    [{ sensorColumn: "tag" }, { long: { sensor: "tag" } }],
  ] as [MappingFlags, Partial<Mapping>][])("%p", (flags, expected) => {
    expect(completeMapping(file, flags)).toEqual({ empty: [], ignore: [], long: {}, ...file, ...expected });
  });

  test.each([
    [{ time: "a", interval: 1 }],
    [{ epoch: "s", zone: "Z", time: "a" }],
    [{ epoch: "s" }],
    [{ time: "a", start: "2026-01-01T00:00:00Z" }],
  ] as [MappingFlags][])("%p contradicts itself", (flags) => {
    expect(() => completeMapping(file, flags)).toThrow(UsageError);
  });
});

describe("a mapping file", () => {
  test("is refused with the place that is wrong", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hydraulic-mapping-"));
    try {
      for (const [content, text] of [
        ["{", "cannot be read"],
        ['{"colums": {}}', "/colums"],
        ['{"columns": {"PS1": {"units": "bar"}}}', "/columns/PS1/units"],
        ['{"columns": {"PS1": {"sensor_id": "1"}}}', "/columns/PS1/sensor_id"],
        // A name may have a line end, in a header in quotation marks; what it means is looked at all the same.
        ['{"columns": {"Pressure\\n1": {"units": "bar"}}}', "/columns/Pressure\n1"],
        ['{"columns": {"Pressure\\n": 5}}', "/columns/Pressure\n"],
        ['{"columns": {"": {"unit": "bar"}}}', "/columns/"],
        ['{"time": {"columns": {"a\\nb": "x"}}}', '{"start"?, "columns", "first"?}'],
        ['{"time": {"colum": "t"}}', '{"column", "epoch"}'],
      ] as const) {
        const path = join(folder, "mapping.json");
        await Bun.write(path, content);
        const error = await loadMapping(path).catch((e: unknown) => e);
        expect(error).toBeInstanceOf(UsageError);
        expect((error as Error).message).toContain(text);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("of the test rig maps all 16 sensors", async () => {
    const mapping = await loadMapping(join(import.meta.dir, "../../../../docs/examples/hydraulic-rig.json"));
    const sensors = Object.keys(mapping.columns ?? {});
    expect(sensors).toHaveLength(16);
    const header = ["cycle", "second", ...sensors];
    const { readings, problems } = readRows(mapping, header, ["2", "3", ...sensors.map(() => "1")]);
    expect(problems).toEqual([]);
    expect(new Set(readings.map((r) => r.reading.timestamp))).toEqual(new Set(["2026-01-01T00:01:02Z"]));
  });
});
