import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ReadingColumns } from "../../../../src/contract/columns.ts";
import { BodyFormatError, Unreadable } from "../../../../src/contract/formats/body-format.ts";
import { LineReadings } from "../../../../src/contract/formats/line-readings.ts";
import { countLineFields } from "../../../../src/contract/formats/line-scan.ts";
import {
  fieldValue,
  lineTimestamp_us,
  PRECISIONS,
  type Precision,
  plainDecimal,
  timestampText,
} from "../../../../src/contract/formats/line-values.ts";
import type { Refusal } from "../../../../src/contract/refusal.ts";
import { BatchRules, judgeValues } from "../../../../src/contract/rules.ts";
import { SeriesMap } from "../../../../src/contract/series.ts";
import { createUnitRegistry } from "../../../../src/contract/units.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const RECEIVED_MS = Date.UTC(2026, 0, 12);
const AT = "1768132800000000000";
const AT_TEXT = "2026-01-11T12:00:00Z";

function read(text: string, precision: Precision = "ns"): LineReadings {
  const count = countLineFields(text);
  const readings = new LineReadings(text, { precision, received_us: RECEIVED_MS * 1000 }, count);
  expect(readings.length).toBe(count);
  return readings;
}
const raws = (text: string, precision?: Precision) => {
  const readings = read(text, precision);
  return Array.from({ length: readings.length }, (_, i) => readings.raw(i));
};
/** As the quarantine keeps it. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

describe("a line", () => {
  const pump = (field: string, value: unknown, tags: object = {}, timestamp = AT_TEXT) => ({
    measurement: "pump",
    tags,
    field,
    value,
    timestamp,
  });
  test.each([
    ["of one field", `pump pressure=1.5 ${AT}`, [pump("pressure", 1.5)]],
    ["with tags", `pump,line=1,host=a pressure=1.5 ${AT}`, [pump("pressure", 1.5, { line: "1", host: "a" })]],
    [
      "of several fields",
      `pump a=1,b=-2i,c=3u,d=t,e="x, y=z" ${AT}`,
      [pump("a", 1), pump("b", -2), pump("c", 3), pump("d", true), pump("e", "x, y=z")],
    ],
    ["without a timestamp", "pump a=1", [pump("a", 1, {}, "2026-01-12T00:00:00Z")]],
    ["with blanks around", `  pump   a=1   ${AT}  \r\n`, [pump("a", 1)]],
    ["without a timestamp and with CRLF", 'pump a="x"\r\n', [pump("a", "x", {}, "2026-01-12T00:00:00Z")]],
    [
      "with escapes",
      `p\\,u\\ m\\=p,li\\ ne\\,\\==a\\ b\\,\\=\\c f\\,i\\ e\\=ld="q\\"uo\\\\te\\n" ${AT}`,
      [
        {
          measurement: "p,u m\\=p",
          tags: { "li ne,=": "a b,=\\c" },
          field: "f,i e=ld",
          value: 'q"uo\\te\\n',
          timestamp: AT_TEXT,
        },
      ],
    ],
    [
      "with a line end in a text",
      `pump a="x\ny",b=2 ${AT}\npump c=3 ${AT}`,
      [pump("a", "x\ny"), pump("b", 2), pump("c", 3)],
    ],
    ["with marks in a name", `pump "a"=1,b"=2 ${AT}`, [pump('"a"', 1), pump('b"', 2)]],
    ["beside comments and empty lines", `# no="thing\n\n \r\npump a=1 ${AT}\n  # more\n#`, [pump("a", 1)]],
    ["with a tag of any name", `pump,__proto__=x a=1 ${AT}`, [pump("a", 1, JSON.parse('{"__proto__":"x"}'))]],
  ])("%s is read", (_, text, expected) => {
    expect(raws(text).map(plain)).toEqual(expected);
  });

  test.each([
    ["pump", "pump", '"" is not a field with a value'],
    ["pump ", "pump", '"" is not a field with a value'],
    ["pump a", "pump a", '"a" is not a field with a value'],
    ["pump a=", "pump a=", '"a=" is not a field with a value'],
    ["pump =1", "pump =1", '"=1" is not a field with a value'],
    [",a=1 b=2", ",a=1 b=2", 'the line has no measurement: ",a=1"'],
    ["pump,line b=2", "pump,line b=2", '"line" is not a tag with a value'],
    ["pump,line= b=2", "pump,line= b=2", '"line=" is not a tag with a value'],
    ["pump,=1 b=2", "pump,=1 b=2", '"=1" is not a tag with a value'],
    ["pump, b=2", "pump, b=2", '"" is not a tag with a value'],
    ["pump,a=1,a=2 b=2", "pump,a=1,a=2 b=2", 'the tag "a" is there twice'],
  ])("%j is one reading that cannot be read", (text, kept, why) => {
    const [bad, good] = raws(`${text}\npump ok=1`);
    expect(bad).toEqual(new Unreadable(kept, why));
    expect(good).toMatchObject({ field: "ok", value: 1 });
  });

  test("keeps its good fields beside bad ones", () => {
    const [a, b, c, d] = raws(`pump a=1,b,=3,d=4 ${AT}`);
    expect([a, d]).toMatchObject([{ value: 1 }, { value: 4 }]);
    expect([b, c]).toEqual([
      new Unreadable("pump b", '"b" is not a field with a value'),
      new Unreadable("pump =3", '"=3" is not a field with a value'),
    ]);
  });

  test("with a measurement and tags beyond all measure is kept in part, however many fields it has", () => {
    const text = `m,${"t".repeat(100_000)}=x ${Array.from({ length: 1_000 }, (_, i) => `f${i}=1`).join(",")}`;
    const kept = raws(text) as Unreadable[];
    expect(kept).toHaveLength(1_000);
    expect(kept[0]!.why).toBe("the measurement and its tags have more than 4096 characters");
    expect(JSON.stringify(kept).length).toBeLessThan(5_000_000);
  });

  test.each([
    ["a measurement", `m${"x".repeat(5_000_000)} `, ""],
    ["a timestamp", "m,unit=bar ", ` ${"9".repeat(5_000_000)}`],
  ])(
    "with %s of megabytes is not gone through again, nor kept, for each of its fields",
    (_, before, behind) => {
      const readings = read(
        `${before}${Array.from({ length: 10_000 }, (_, i) => `f${i}=1`).join(",")}${behind}`,
      );
      const refusals: Refusal[] = [];
      readings.judge(new BatchRules(0, RECEIVED_MS, settings, new ReadingColumns(1), refusals));
      expect(refusals).toHaveLength(10_000);
      // Gone through for each field it would be minutes, and gigabytes.
      expect(JSON.stringify(refusals).length).toBeLessThan(100_000_000);
    },
  );

  test("that opens a quotation for good ends all reading, and says where", () => {
    const text = 'pump a=1\npump b="x\npump c=2';
    expect(() => countLineFields(text)).toThrow(
      new BodyFormatError("the quotation mark in line 2 is never closed", 2),
    );
  });
});

describe("a value", () => {
  test("that is a plain decimal is what the text parses to, to the last bit", () => {
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 18 });
    fc.assert(
      fc.property(fc.boolean(), digits, fc.option(digits), (negative, whole, fraction) => {
        const text = `${negative ? "-" : ""}${whole}${fraction === null ? "" : `.${fraction}`}`;
        const found = plainDecimal(`x${text}y`, 1, 1 + text.length);
        if (Number.isNaN(found)) expect(/\d/.test(text) && text.replace(/\D/g, "").length <= 15).toBe(false);
        else expect(Object.is(found, Number(text))).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ["1", 1],
    ["-1.50e3", -1500],
    ["+.5E-1", 0.05],
    ["5.", 5],
    ["1e400", Number.POSITIVE_INFINITY],
    ["9223372036854775807i", 2 ** 63],
    ["9223372036854775808i", "9223372036854775808i"],
    ["-9223372036854775808i", -(2 ** 63)],
    ["18446744073709551615u", 2 ** 64],
    ["18446744073709551616u", "18446744073709551616u"],
    ["-1u", "-1u"],
    ["1.5i", "1.5i"],
    ["True", true],
    ["FALSE", false],
    ["tRUE", "tRUE"],
    ["NaN", "NaN"],
    ["Infinity", "Infinity"],
    ["0x10", "0x10"],
    ["1 2", "1 2"],
    ['"a\\"b\\\\c\\d"', 'a"b\\c\\d'],
    ['"', '"'],
    ['"a"b', '"a"b'],
  ])("%j is %j", (text, value) => {
    expect(fieldValue(text)).toBe(value);
  });
});

describe("a timestamp", () => {
  const us = (text: string, precision: Precision) => lineTimestamp_us(text, 0, text.length, precision);
  test.each([
    ["1768132800123456789", "ns", 1768132800123456, "2026-01-11T12:00:00.123456789Z"],
    ["1768132800000000001", "ns", 1768132800000000, "2026-01-11T12:00:00.000000001Z"],
    ["1768132800000001000", "ns", 1768132800000001, "2026-01-11T12:00:00.000001Z"],
    ["1768132800123456", "us", 1768132800123456, "2026-01-11T12:00:00.123456Z"],
    ["1768132800123", "ms", 1768132800123000, "2026-01-11T12:00:00.123000Z"],
    ["1768132800", "s", 1768132800000000, "2026-01-11T12:00:00Z"],
    ["0", "ns", 0, "1970-01-01T00:00:00Z"],
    ["7", "ns", 0, "1970-01-01T00:00:00.000000007Z"],
    ["-1", "ns", -1, "1969-12-31T23:59:59.999999Z"],
    ["-1000", "ns", -1, "1969-12-31T23:59:59.999999Z"],
    ["4000000000000000", "s", 4e21, "4000000000000000"],
  ] as const)("%s %s is %d µs", (text, precision, expected, shown) => {
    expect(us(text, precision)).toBe(expected);
    expect(timestampText(text, expected, precision)).toBe(shown);
  });

  test.each(["-", "1.5", "1e9", "+1", "12345678901234567890", "1 2", "0x1", "2026-01-01T00:00:00Z"])(
    "%j is none",
    (text) => {
      for (const precision of PRECISIONS) expect(us(text, precision)).toBeNaN();
    },
  );

  test("in nanoseconds is cut to microseconds, whatever its size", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (ns) => {
        const floor = ns / 1000n - (ns % 1000n < 0n ? 1n : 0n);
        expect(us(String(ns), "ns")).toBe(Number(floor));
      }),
      { numRuns: 2_000 },
    );
  });
});

const settings = {
  units: createUnitRegistry(),
  maxFuture_ms: 300_000,
  maxPast_years: 5,
  naming: {
    series: new SeriesMap(SYSTEM, [
      { key: { measurement: "m", field: "x", tags: { a: "1" } }, sensor_id: SYSTEM, unit: "psi" },
      {
        key: { measurement: "m", field: "x", tags: { b: "1" } },
        sensor_id: SYSTEM.replace("55", "66"),
        unit: null,
      },
      { key: { name: "m,a=2 y" }, sensor_id: SYSTEM.replace("55", "77"), unit: null },
    ]),
    sensors: new Map([
      [
        SYSTEM.replace("55", "77"),
        {
          id: SYSTEM.replace("55", "77"),
          system_id: SYSTEM,
          quantity: "pressure",
          unit: "bar",
          archived: false,
          ranges: [],
        },
      ],
    ]),
  },
  sensorRanges: new Map([[SYSTEM, { unit: "bar", range: { min: 0, max: 10 }, version: 3 }]]),
};

describe("the rules", () => {
  test("give every field the verdict that its reading would get as JSON", () => {
    const word = fc.constantFrom("m", "n", "a", "b", "x", "y", "1", "2", "é\\ ß", "\\=");
    const tag = fc.oneof(
      fc.tuple(word, word).map(([k, v]) => `${k}=${v}`),
      fc.constantFrom(
        "unit=bar",
        "unit=psi",
        "unit=furlong",
        "quality=95",
        "quality=40",
        "quality=good",
        "bad",
      ),
    );
    const value = fc.oneof(
      fc.double({ min: -10, max: 800, noNaN: true }).map(String),
      fc.constantFrom("1", "145", "1i", "1e400", '"text"', "t", "x", "", "99999999999999999999i"),
    );
    const field = fc.tuple(word, value).map(([k, v]) => `${k}=${v}`);
    const time = fc.oneof(
      fc
        .integer({ min: -1_000, max: 1_000 })
        .map((s) => ` ${BigInt(RECEIVED_MS / 1000 + s) * 1_000_000_000n}`),
      fc.constantFrom("", " 5", " -5", " 9000000000000000000"),
    );
    const line = fc
      .tuple(word, fc.array(tag, { maxLength: 3 }), fc.array(field, { minLength: 1, maxLength: 3 }), time)
      .map(([m, tags, fields, at]) => `${[m, ...tags].join(",")} ${fields.join(",")}${at}`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        const readings = read(lines.join("\n"));
        const [byLine, byValue] = [new ReadingColumns(4), new ReadingColumns(4)];
        const [lineRefusals, valueRefusals]: [Refusal[], Refusal[]] = [[], []];
        readings.judge(new BatchRules(0, RECEIVED_MS, settings, byLine, lineRefusals));
        const values = Array.from({ length: readings.length }, (_, i) => readings.raw(i));
        judgeValues(values, new BatchRules(0, RECEIVED_MS, settings, byValue, valueRefusals));
        expect(lineRefusals).toEqual(valueRefusals);
        expect(columnsOf(byLine)).toEqual(columnsOf(byValue));
        expect(byLine.length + lineRefusals.length).toBe(readings.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test("name the timestamp that is none", () => {
    const refusals: Refusal[] = [];
    read("m,unit=bar x=1 12x", "ms").judge(
      new BatchRules(0, RECEIVED_MS, settings, new ReadingColumns(1), refusals),
    );
    expect(refusals).toMatchObject([
      {
        reason: "invalid_timestamp",
        details: 'timestamp "12x" is not a whole number of ms since 1970',
        timestamp_us: null,
        value: 1,
        unit: "bar",
        raw: { timestamp: "12x" },
      },
    ]);
  });
});

function columnsOf(columns: ReadingColumns) {
  return Array.from({ length: columns.length }, (_, row) => [
    columns.ordinal[row],
    columns.sensors[columns.sensor[row]!],
    columns.names.get(columns.sensors[columns.sensor[row]!]!),
    columns.timestamp_us[row],
    columns.value[row],
    columns.units[columns.unit[row]!],
    columns.quality[row],
  ]);
}

describe("any text", () => {
  const piece = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("m", ",", " ", "=", '"', "\\", "\n", "\r\n", "#", "a=1", "pump,a=b c=1 5", "\\\n", '="'),
  );
  test("is counted as it is read, or refused with its own error; every reading can be shown and judged", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.constantFrom(...PRECISIONS), (pieces, precision) => {
        const text = pieces.join("");
        try {
          countLineFields(text);
        } catch (error) {
          expect(error).toBeInstanceOf(BodyFormatError);
          return;
        }
        const readings = read(text, precision);
        const columns = new ReadingColumns(1);
        const refusals: Refusal[] = [];
        readings.judge(new BatchRules(0, RECEIVED_MS, settings, columns, refusals));
        expect(columns.length + refusals.length).toBe(readings.length);
        for (let i = 0; i < readings.length; i += 1) JSON.stringify(readings.raw(i));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ["many lines", "m a=1\n".repeat(300_000)],
    ["one line of many fields", `m ${"a=1,".repeat(300_000)}b=1`],
    ["one line of many tags", `m${",a=1".repeat(300_000)} b=1`],
    ["many escapes", `m a=1\\${"\\\\".repeat(500_000)}`],
    ["many comments", "#\n".repeat(500_000)],
    ["many texts", 'm a="x",b="y"\n'.repeat(100_000)],
  ])("of %s is read in time that grows with its size", (_, text) => {
    expect(read(text).length).toBeGreaterThanOrEqual(0);
  });
});
