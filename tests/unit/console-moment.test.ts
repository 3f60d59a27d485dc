/** Moments that people type into the console's fields: what is read, what is refused, and that a text comes back. */
import { expect, test } from "bun:test";
import { FormError } from "../../src/console/client/lib/form-error.ts";
import { momentText, parseMoment } from "../../src/console/client/lib/moment.ts";

const NOW_MS = Date.parse("2026-11-27T06:53:14.250Z");
const read = (text: string) => parseMoment(text, "utc", NOW_MS);

test.each([
  ["", null],
  ["  ", null],
  ["now", "2026-11-27T06:53:14Z"],
  ["Now", "2026-11-27T06:53:14Z"],
  ["today", "2026-11-27T00:00:00Z"],
  ["yesterday", "2026-11-26T00:00:00Z"],
  ["tomorrow", "2026-11-28T00:00:00Z"],
  ["-24h", "2026-11-26T06:53:14Z"],
  ["now-24h", "2026-11-26T06:53:14Z"],
  ["− 30 min", "2026-11-27T06:23:14Z"],
  ["-90m", "2026-11-27T05:23:14Z"],
  ["-1.5h", "2026-11-27T05:23:14Z"],
  ["-7D", "2026-11-20T06:53:14Z"],
  ["-2w", "2026-11-13T06:53:14Z"],
  ["+30d", "2026-12-27T06:53:14Z"],
  ["2026-11-27", "2026-11-27T00:00:00Z"],
  ["2026-11-27 06:53", "2026-11-27T06:53:00Z"],
  ["2026-11-27T06:53:14Z", "2026-11-27T06:53:14Z"],
  ["2026-11-27t06:53:14z", "2026-11-27T06:53:14Z"],
  ["2026-11-27 07:53:14 +01:00", "2026-11-27T06:53:14Z"],
  ["2026-11-27 07:53:14.250 +0100", "2026-11-27T06:53:14.25Z"],
  ["2026-11-27 06:53:14 UTC", "2026-11-27T06:53:14Z"],
  ["2026-11-27 06:53:14,000001", "2026-11-27T06:53:14.000001Z"],
  ["2024-02-29", "2024-02-29T00:00:00Z"],
])("%p is read as %p", (text, expected) => {
  expect(read(text)).toBe(expected);
});

test.each([
  "soon",
  "-24",
  "24h",
  "-24x",
  "-1M",
  "--1h",
  "-1h-1h",
  "27.11.2026",
  "11/27/2026",
  "2026-13-01",
  "2026-02-30",
  "2026-11-27 24:00",
  "2026-11-27 10:60",
  "2026-11-27 10",
  "2026-11-27 10:00 +24:00",
  "2026-11-27 10:00 +01:60",
  "1969-12-31",
  "-999999999w",
  "0001-01-01",
])("%p is refused, and told what may be typed", (text) => {
  expect(() => read(text)).toThrow(FormError);
  expect(() => read(text)).toThrow("Type a date and time such as 2026-11-27 21:37, or -24h, now or today.");
});

test.each([
  ["2026-11-27T06:53:14Z", "2026-11-27 06:53:14"],
  ["2026-11-27T06:53:14.250Z", "2026-11-27 06:53:14.25"],
  ["2026-11-27T07:53:14.000001+01:00", "2026-11-27 06:53:14.000001"],
])("%p stands in a field as %p, and is read from there as the same moment", (at, text) => {
  expect(momentText(at, "utc")).toBe(text);
  expect(Date.parse(read(text) ?? "")).toBe(Date.parse(at));
});

test("a day whose midnight clocks skip begins after it; a time that they skip is refused", () => {
  const before = process.env.TZ;
  process.env.TZ = "America/Santiago";
  try {
    expect(parseMoment("2026-09-06", "local", NOW_MS)).toBe("2026-09-06T04:00:00Z");
    expect(parseMoment("2026-09-05", "local", NOW_MS)).toBe("2026-09-05T04:00:00Z");
    expect(() => parseMoment("2026-09-06 00:30", "local", NOW_MS)).toThrow(
      "That hour does not exist on that day",
    );
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});

test("what is no time stays in its field as it is, to be put right", () => {
  expect(momentText("gibberish", "utc")).toBe("gibberish");
  expect(momentText(null, "utc")).toBe("");
});
