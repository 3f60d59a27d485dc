import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatTimestamp, isWritable_us, parseTimestamp_us } from "../../../src/contract/timestamp.ts";

/** POSIX seconds of a civil time, by the runtime's calendar. */
function posix_s(iso: string): number {
  return new Date(iso).getTime() / 1000;
}

test("the last moment of the year 9999 is not rounded into the next year, and can be written", () => {
  const last_us = parseTimestamp_us("9999-12-31T23:59:59.999999Z");
  expect(formatTimestamp(last_us)).toBe("9999-12-31T23:59:59.999968Z");
  expect(isWritable_us(last_us)).toBe(true);
  expect(isWritable_us(last_us + 32)).toBe(false);
});

describe("a date-time of RFC 3339 becomes whole microseconds", () => {
  test.each([
    ["1970-01-01T00:00:00Z", 0],
    ["2024-02-29T12:34:56Z", posix_s("2024-02-29T12:34:56Z") * 1e6],
    ["2000-02-29T00:00:00Z", posix_s("2000-02-29T00:00:00Z") * 1e6],
    ["2024-12-31T23:59:59.999999Z", posix_s("2024-12-31T23:59:59Z") * 1e6 + 999_999],
    ["2024-01-01t00:00:00z", posix_s("2024-01-01T00:00:00Z") * 1e6],
    ["2024-01-01T00:00:00+00:00", posix_s("2024-01-01T00:00:00Z") * 1e6],
    ["2024-01-01T00:00:00-00:00", posix_s("2024-01-01T00:00:00Z") * 1e6],
    ["2024-01-01T00:00:00+23:59", posix_s("2023-12-31T00:01:00Z") * 1e6],
    ["2024-01-01T00:00:00-23:59", posix_s("2024-01-01T23:59:00Z") * 1e6],
    ["2024-06-15T10:00:00.5+05:30", posix_s("2024-06-15T04:30:00Z") * 1e6 + 500_000],
    ["2024-01-01T00:00:00.1Z", posix_s("2024-01-01T00:00:00Z") * 1e6 + 100_000],
    ["2024-01-01T00:00:00.000001Z", posix_s("2024-01-01T00:00:00Z") * 1e6 + 1],
    ["0001-01-01T00:00:00Z", -62_135_596_800_000_000],
    ["0000-01-01T00:00:00Z", -62_167_219_200_000_000],
    ["0000-02-29T00:00:00Z", -62_162_121_600_000_000],
    ["9999-12-31T23:59:59Z", 253_402_300_799_000_000],
  ])("%s", (text, expected) => expect(parseTimestamp_us(text)).toBe(expected));
});

describe("digits beyond microseconds are cut off, never rounded", () => {
  const second_us = posix_s("2024-01-01T00:00:00Z") * 1e6;
  test.each([
    ["2024-01-01T00:00:00.9999999999Z", second_us + 999_999],
    ["2024-01-01T00:00:00.1234565Z", second_us + 123_456],
    ["2024-01-01T00:00:00.0000009999+00:00", second_us],
    [`2024-01-01T00:00:00.${"9".repeat(1_000_000)}Z`, second_us + 999_999],
    ["1969-12-31T23:59:59.9999999Z", -1],
  ])("%.40s", (text, expected) => expect(parseTimestamp_us(text)).toBe(expected));
});

describe("second 60 stands only where a leap second can, and is the following second", () => {
  test.each([
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"],
    ["2015-06-30T23:59:60Z", "2015-07-01T00:00:00Z"],
    ["2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500000Z"],
    ["1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z"],
    ["2017-01-01T05:29:60+05:30", "2017-01-01T00:00:00Z"],
  ])("%s is %s", (text, expected) => expect(formatTimestamp(parseTimestamp_us(text))).toBe(expected));

  test.each([
    "2016-12-31T23:58:60Z",
    "2016-12-31T22:59:60Z",
    "2016-12-30T23:59:60Z",
    "2016-03-31T23:59:60Z",
    "2016-09-30T23:59:60Z",
    "2016-01-31T23:59:60Z",
    "2016-07-31T23:59:60Z",
    "2016-12-31T23:59:60+01:00",
    "2016-12-31T23:59:61Z",
    "9999-12-31T23:59:60Z",
  ])("%s is refused", (text) => expect(parseTimestamp_us(text)).toBeNaN());
});

describe("anything else is NaN", () => {
  test.each([
    "",
    "5",
    "now",
    "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2024-04-31T00:00:00Z",
    "2024-00-01T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-01-00T00:00:00Z",
    "2024-01-32T00:00:00Z",
    "2024-01-01T24:00:00Z",
    "2024-01-01T00:60:00Z",
    "2024-01-01T00:00:61Z",
    "2024-01-01",
    "2024-01-01T00:00Z",
    "2024-01-01T00:00:00",
    "2024-01-01T00:00:00.5",
    "2024-01-01 00:00:00Z",
    "2024-01-01_00:00:00Z",
    "2024/01/01T00:00:00Z",
    "2024-01-01T00.00:00Z",
    "2024-01-01T00:00.00Z",
    "2024-1-01T00:00:00ZZ",
    "20240101T000000.0000Z",
    "24-01-01T00:00:00.00Z",
    "+2024-01-01T00:00:00Z",
    "12024-01-01T00:00:00Z",
    "-2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00.Z",
    "2024-01-01T00:00:00,5Z",
    "2024-01-01T00:00:00.5.5Z",
    "2024-01-01T00:00:00ZZ",
    "2024-01-01T00:00:00Z ",
    " 2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00z\0",
    "2024-01-01T00:00:00+24:00",
    "2024-01-01T00:00:00+00:60",
    "2024-01-01T00:00:00+0000",
    "2024-01-01T00:00:00+00",
    "2024-01-01T00:00:00+00:00Z",
    "2024-01-01T00:00:00\u221200:00",
    "2024-01-01T00:00:00 UTC",
    "２０２４-01-01T00:00:00Z",
    "2024-01-01T0\u0660:00:00Z",
    "2024-01-01T-1:00:00Z",
    "0000-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
  ])("%j", (text) => expect(parseTimestamp_us(text)).toBeNaN());
});

/** Date-times built from their parts, with the instant computed by BigInt and the runtime's calendar. */
const dateTime = fc
  .record({
    second_s: fc.integer({ min: posix_s("1800-01-01T00:00:00Z"), max: posix_s("2200-01-01T00:00:00Z") }),
    fraction: fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 15 }),
    sign: fc.constantFrom("+", "-"),
    offset_min: fc.integer({ min: 0, max: 23 * 60 + 59 }),
    zone: fc.constantFrom("Z", "z", "offset"),
    separator: fc.constantFrom("T", "t"),
  })
  .map(({ second_s, fraction, sign, offset_min, zone, separator }) => {
    const [date, time] = new Date(second_s * 1000).toISOString().slice(0, 19).split("T");
    const pad = (part: number) => String(part).padStart(2, "0");
    const offset = `${sign}${pad(Math.floor(offset_min / 60))}:${pad(offset_min % 60)}`;
    const east_min = zone === "offset" ? (sign === "+" ? offset_min : -offset_min) : 0;
    const us = BigInt(second_s - east_min * 60) * 1_000_000n + BigInt(fraction.padEnd(6, "0").slice(0, 6));
    const suffix = zone === "offset" ? offset : zone;
    return { text: `${date}${separator}${time}${fraction && `.${fraction}`}${suffix}`, us: Number(us) };
  });

test("every valid date-time agrees with an independent calendar", () => {
  fc.assert(
    fc.property(dateTime, ({ text, us }) => expect(parseTimestamp_us(text)).toBe(us)),
    { numRuns: 2000 },
  );
});

test("every day from 1600 to 2400 is counted once, and the day after a month's last is refused", () => {
  let expected_us = posix_s("1600-01-01T00:00:00Z") * 1e6;
  for (let year = 1600; year < 2400; year++) {
    for (let month = 1; month <= 12; month++) {
      const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
      const prefix = `${year}-${String(month).padStart(2, "0")}`;
      for (let day = 1; day <= days; day++) {
        const text = `${prefix}-${String(day).padStart(2, "0")}T00:00:00Z`;
        if (parseTimestamp_us(text) !== expected_us) throw new Error(`${text} is not ${expected_us}`);
        expected_us += 86_400_000_000;
      }
      if (!Number.isNaN(parseTimestamp_us(`${prefix}-${days + 1}T00:00:00Z`))) throw new Error(prefix);
    }
  }
});

test("a valid date-time with one character changed is valid only if it still has RFC 3339's form", () => {
  const form =
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
  const change = fc.tuple(dateTime, fc.nat(40), fc.string({ unit: "grapheme", minLength: 0, maxLength: 1 }));
  fc.assert(
    fc.property(change, ([{ text }, at, put]) => {
      const changed = text.slice(0, at) + put + text.slice(at + 1);
      if (!Number.isNaN(parseTimestamp_us(changed))) expect(changed).toMatch(form);
    }),
    { numRuns: 2000 },
  );
});

describe("formatTimestamp", () => {
  test.each([
    [0, "1970-01-01T00:00:00Z"],
    [1, "1970-01-01T00:00:00.000001Z"],
    [-1, "1969-12-31T23:59:59.999999Z"],
    [1_500_000, "1970-01-01T00:00:01.500000Z"],
    [-62_167_219_200_000_000, "0000-01-01T00:00:00Z"],
  ])("%d is %s", (us, text) => expect(formatTimestamp(us)).toBe(text));

  test("comes back from parsing unchanged", () => {
    const us = fc.integer({ min: -9e15, max: 9e15 });
    fc.assert(
      fc.property(us, (time_us) => expect(parseTimestamp_us(formatTimestamp(time_us))).toBe(time_us)),
    );
  });

  test.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, -62_167_219_200_000_008, 253_402_300_800_000_000])(
    "refuses %d",
    (us) => expect(() => formatTimestamp(us)).toThrow(RangeError),
  );
});
