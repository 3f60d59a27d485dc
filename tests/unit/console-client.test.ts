/** What the console's client computes without a browser: texts for people, and requests from what they typed. */
import { describe, expect, test } from "bun:test";
import { correctionFacts, selectionText } from "../../src/console/client/lib/asked.ts";
import { changesOf } from "../../src/console/client/lib/changes.ts";
import { dotted } from "../../src/console/client/lib/dotted.ts";
import {
  ago,
  brief,
  bytes,
  duration,
  offsetText,
  percent,
  placeText,
  quantity,
  shortName,
  timeText,
} from "../../src/console/client/lib/format.ts";
import { convert, limitsOf } from "../../src/console/client/lib/units.ts";
import { emptyForm, requestsOf } from "../../src/console/client/pages/quarantine/action-form.ts";
import { piecesOf, stretchOf, together } from "../../src/console/client/pages/systems/preview-span.ts";
import { createUnitRegistry } from "../../src/contract/units.ts";

describe("texts", () => {
  test.each([
    [percent(null), "–"],
    [percent(0), "0.0 %"],
    [percent(0.0004), "< 0.1 %"],
    [percent(0.9996), "> 99.9 %"],
    [percent(0.0342, 2), "3.42 %"],
    [quantity(2451.3, "bar"), "2,451.3\u00a0bar"],
    [quantity(40, "celsius"), "40\u00a0°C"],
    [quantity(null, "bar"), "–"],
    [quantity(2.94502e-9, "bar"), "2.94502e-9\u00a0bar"],
    [quantity(-0.000001, "bar"), "-1e-6\u00a0bar"],
    [quantity(0, "bar"), "0\u00a0bar"],
    [brief(9_999), "9,999"],
    [brief(41_200), "41.2K"],
    [bytes(5_242_880), "5.0 MiB"],
    [duration(263), "263 ms"],
    [duration(3_600_000), "1 h"],
    [duration(119_900), "2 min"],
    [duration(75_000), "1 min 15 s"],
    [duration(3 * 86_400_000), "3 d"],
    [shortName("sensor-0455fdc1eb0d5990bff24dd13c5139e3"), "sensor\u00a0…3c5139e3"],
    [shortName("sensor-0455fdc1eb0d5990bff24dd13c5139e3-9c2b51aa"), "sensor\u00a0…3c5139e3-9c2b51aa"],
    [shortName("sensor-room pressure"), "sensor-room pressure"],
    [offsetText(-330), "-05:30"],
    [offsetText(60), "+01:00"],
    [timeText("2026-11-27T06:53:14.25Z", "utc"), "2026-11-27 06:53:14.250 UTC"],
    [timeText("2026-11-27T06:53:14Z", "utc", { seconds: false }), "2026-11-27 06:53 UTC"],
    [timeText("2026-11-27T06:53:14.25Z", "utc", { fraction: false }), "2026-11-27 06:53:14 UTC"],
    [timeText("not a time", "utc"), "not a time"],
    [ago("2026-11-27T06:53:14Z", Date.parse("2026-11-27T06:56:14Z")), "3 min ago"],
    [ago("2026-11-27T06:53:14Z", Date.parse("2026-11-27T06:53:04Z")), "in 10 s"],
  ])("%s is %s", (text, expected) => {
    expect(text).toBe(expected);
  });

  test.each([
    [1, "1st"],
    [2, "2nd"],
    [3, "3rd"],
    [11, "11th"],
    [512, "512th"],
    [10_001, "10,001st"],
  ])("place %d is the %s", (place, expected) => {
    expect(placeText(place)).toBe(expected);
  });
});

test("values are drawn in the unit of the sensor; foreign units are not", () => {
  const celsius = {
    symbol: "celsius",
    name: "degree Celsius",
    quantity: "temperature",
    min: -40,
    max: 120,
    source: null,
    aliases: [{ spellings: ["°F"], offset: "-32", factor: "5/9" }],
  };
  const units = { items: [celsius] };
  expect(convert(212, "°F", "celsius", units)).toBeCloseTo(100);
  expect(convert(20, "celsius", "celsius", units)).toBe(20);
  expect(convert(20, "furlong", "celsius", units)).toBeNull();
});

const BAR = {
  symbol: "bar",
  name: "bar",
  quantity: "pressure",
  min: 0,
  max: 700,
  source: "ISO 4413",
  aliases: [
    { spellings: ["psi"], offset: "0", factor: "0.0689475729" },
    { spellings: ["MPa"], offset: "0", factor: "10" },
  ],
};

test("a unit is read as the service reads it: whatever its case and blanks, but milli is not mega", () => {
  const units = { items: [BAR] };
  const registry = createUnitRegistry();
  for (const spelling of ["Bar", " bar ", "PSI", "MPa", "MPA", "mPa", "mpa", "barr"])
    expect([spelling, convert(1, spelling, "bar", units) !== null]).toEqual([
      spelling,
      registry.lookup(spelling)?.unit.symbol === "bar",
    ]);
  expect(convert(1813, "PSI", "bar", units)).toBeCloseTo(125, 1);
});

test("limits are the sensor's own, else those of its unit; only what is out of range was judged by them", () => {
  const units = { items: [BAR] };
  const sensor = { id: "s", name: "Main pump pressure", quantity: "pressure", unit: "bar" };
  const rule = { version: 2, min: 5, max: 350, valid_from: "2026-11-27T06:53:14Z", author_name: "ada" };
  const reading = { rule: null, reason: "out_of_range" as const, sensor };
  expect(limitsOf({ ...reading, rule }, units)).toEqual({
    min: 5,
    max: 350,
    source: "the sensor's own, version 2 by ada",
  });
  expect(limitsOf(reading, units)).toEqual({ min: 0, max: 700, source: "ISO 4413" });
  const none = { min: null, max: null };
  expect(limitsOf(reading, null)).toMatchObject(none);
  expect(limitsOf({ ...reading, reason: "duplicate" }, units)).toMatchObject(none);
});

describe("a request says what was typed", () => {
  const target = { ids: [7] };

  test("a fix, with a decimal comma and a shift in seconds", () => {
    const form = { ...emptyForm("fix"), unit: " psi ", scale: "0,5", shift_s: "-3600", note: " why " };
    expect(requestsOf(form, [target])).toEqual([
      {
        action: "fix",
        selection: target,
        change: { set: { unit: "psi" }, scale: 0.5, shift_ms: -3_600_000 },
        note: "why",
      },
    ]);
  });

  test("what is stored may meet a stored value; a rejection cannot", () => {
    const form = { ...emptyForm("approve"), conflict: "replace" as const };
    expect(requestsOf(form, [target])).toEqual([
      { action: "approve", selection: target, conflict: "replace" },
    ]);
    expect(requestsOf({ ...form, action: "reject" }, [target])).toEqual([
      { action: "reject", selection: target },
    ]);
  });

  test.each([
    ["1,813", "Value: 1,813 may be 1813 or 1.813. Type it without a comma."],
    ["-2,487", "Value: -2,487 may be -2487 or -2.487. Type it without a comma."],
  ])("a comma of thousands, as pages write it, is no decimal one: %s", (value, told) => {
    expect(() => requestsOf({ ...emptyForm("fix"), value }, [target])).toThrow(told);
  });

  test.each([
    ["0,125", 0.125],
    ["1,5", 1.5],
    ["1813,5", 1813.5],
    ["1,8131", 1.8131],
    ["1813", 1813],
  ])("%s can mean only one number", (value, set) => {
    const [request] = requestsOf({ ...emptyForm("fix"), value }, [target]);
    expect(request).toMatchObject({ change: { set: { value: set } } });
  });

  test("a fix without a correction, and a number that is none, are told", () => {
    expect(() => requestsOf(emptyForm("fix"), [target])).toThrow("Say what is to be corrected.");
    expect(() => requestsOf({ ...emptyForm("fix"), value: "high" }, [target])).toThrow(
      "Value is not a number.",
    );
  });
});

describe("the record tells what was decided, and no more", () => {
  const before = {
    review_status: "pending",
    reason: "out_of_range",
    sensor_id: "0199a1b2-c3d4-7e5f-8a9b-000000002001",
    timestamp: "2026-07-10T10:00:30.000000Z",
    value: 9999,
    unit: "psi",
    quality: 96,
  };

  test("what a rejection leaves as it was is not shown as taken away", () => {
    expect(changesOf(before, { review_status: "rejected", outcome: "reject" }, "utc")).toEqual([
      { name: "state", from: "pending", to: "rejected" },
      { name: "outcome", from: null, to: "reject" },
    ]);
  });

  test("values have their units; one moment written in two ways is no change, a microsecond is one", () => {
    const after = { ...before, timestamp: "2026-07-10T12:00:30+02:00", value: 689.4067817, unit: "bar" };
    expect(changesOf(before, after, "utc")).toEqual([
      { name: "value", from: "9,999\u00a0psi", to: "689.407\u00a0bar" },
    ]);
    expect(changesOf(before, { timestamp: "2026-07-10T10:00:30.000001Z" }, "utc")).toHaveLength(1);
    expect(changesOf(before, { value: 10 }, "utc")).toEqual([
      { name: "value", from: "9,999\u00a0psi", to: "10\u00a0psi" },
    ]);
  });

  test("the value that was replaced is told", () => {
    const stored = { value: 100, unit: "bar" };
    const after = { review_status: "approved", outcome: "replace" };
    expect(changesOf({ ...before, stored }, after, "utc").at(-1)).toEqual({
      name: "replaced",
      from: null,
      to: "100\u00a0bar",
    });
  });

  test("only a null that is given takes something away", () => {
    expect(changesOf({ min: 0, max: 350 }, { min: null, max: 320 }, "utc")).toEqual([
      { name: "lowest good value", from: "0", to: "none" },
      { name: "highest good value", from: "350", to: "320" },
    ]);
    expect(changesOf({}, { note: null }, "utc")).toEqual([]);
  });

  test("what a task was about, in the words of its own page, never as JSON", () => {
    const change = { set: { unit: "psi" }, shift_ms: 60_000 };
    expect(changesOf({}, { selection: { incident: "WyI1NTBl" }, change, conflict: null }, "utc")).toEqual([
      { name: "selection", from: null, to: "an incident" },
      { name: "unit relabelled as", from: null, to: "psi" },
      { name: "clock shifted by", from: null, to: "+1 min" },
    ]);
  });
});

describe("a task says what was asked", () => {
  test("which readings", () => {
    expect(selectionText({ ids: [7] })).toBe("1 reading");
    expect(selectionText({ ids: [7, 8] })).toBe("2 readings");
    expect(selectionText({ incident: "WyJh" })).toBe("an incident");
    expect(
      selectionText({
        filter: {
          status: ["pending", "rejected"],
          reason: ["out_of_range"],
          system_id: "0199a1b2-c3d4-7e5f-8a9b-000000001001",
        },
      }),
    ).toBe("all that match: status pending or rejected; reason out of range; system …00001001");
  });

  test("every correction, in the order in which it is done", () => {
    expect(
      correctionFacts({ shift_ms: -3_600_000, set: { unit: "psi", value: 0 }, offset: -2, scale: 0.1 }),
    ).toEqual([
      ["Unit relabelled as", "psi"],
      ["Value set to", "0"],
      ["Value multiplied by", "0.1"],
      ["Then added", "-2"],
      ["Clock shifted by", "−1 h"],
    ]);
    expect(correctionFacts(null)).toEqual([]);
  });
});

describe("a dot is drawn", () => {
  test.each([
    ["for what no line reaches", [null, 1, null, 2, 3, null, undefined, 4, undefined], [1, 7]],
    [
      "not for what a line reaches over moments of other series",
      [1, undefined, 2, undefined, undefined, 3],
      [],
    ],
    ["for a single reading", [5], [0]],
  ] as const)("%s", (_, values, expected) => {
    expect(dotted(values, 0, values.length - 1, 0)).toEqual([...expected]);
  });

  test("for every reading, when they are few, and only for those in sight", () => {
    expect(dotted([1, 2, null, 3, 4], 1, 3, 10)).toEqual([1, 3]);
  });
});

describe("the stretch of a preview", () => {
  const none = new URLSearchParams();
  const now_ms = Date.parse("2026-11-27T10:00:00Z");
  const sent = { first_reading_at: "2025-08-01T00:00:00Z", last_reading_at: "2026-07-10T10:00:30.5Z" };
  const never = { first_reading_at: null, last_reading_at: null };

  test("ends with the last reading, or now", () => {
    expect(stretchOf("1", sent, none, now_ms)).toEqual({
      from: "2026-07-09T10:00:31.000Z",
      to: "2026-07-10T10:00:31.000Z",
    });
    expect(stretchOf("1", never, none, now_ms).to).toBe("2026-11-27T10:00:00.000Z");
    const shown = { from: "2024-07-01T00:00:00Z", to: "2026-07-01T00:00:00Z" };
    expect(stretchOf("chart", sent, new URLSearchParams(shown), now_ms)).toEqual(shown);
  });

  test("is looked at in pieces that the service takes, without a gap, back to the first reading", () => {
    const pieces = piecesOf({ from: "2024-07-01T00:00:00.000Z", to: "2026-07-01T00:00:00.000Z" }, sent);
    expect(pieces[0]).toEqual({ from: "2026-05-31T00:00:00.000Z", to: "2026-07-01T00:00:00.000Z" });
    for (const [index, { from, to }] of pieces.entries()) {
      expect(Date.parse(to) - Date.parse(from)).toBeLessThanOrEqual(31 * 86_400_000);
      if (index > 0) expect(to).toBe(pieces[index - 1]?.from ?? "");
    }
    const oldest = pieces.at(-1);
    expect(Date.parse(oldest?.from ?? "")).toBeLessThanOrEqual(Date.parse(sent.first_reading_at));
    expect(Date.parse(oldest?.to ?? "")).toBeGreaterThan(Date.parse(sent.first_reading_at));
    const day = { from: "2026-07-01T00:00:00.000Z", to: "2026-07-02T00:00:00.000Z" };
    expect(piecesOf(day, never)).toEqual([day]);
    // Before all readings there is one piece: it tells that there is nothing.
    expect(piecesOf({ from: "2020-01-01T00:00:00.000Z", to: "2020-06-01T00:00:00.000Z" }, sent)).toHaveLength(
      1,
    );
  });

  test("is counted as one", () => {
    const empty = {
      min: 0,
      max: 9,
      unit: "bar",
      from: "b",
      to: "c",
      readings: 0,
      refused: 0,
      below: 0,
      above: 0,
      lowest: null,
      highest: null,
    };
    const some = { readings: 5, refused: 3, below: 1, above: 2, lowest: -1, highest: 12 };
    const sum = together({ ...empty, ...some }, { ...empty, ...some, lowest: 2, highest: 40, from: "a" });
    expect(sum).toMatchObject({ readings: 10, refused: 6, below: 2, above: 4, lowest: -1, highest: 40 });
    expect([sum.from, sum.to]).toEqual(["a", "c"]);
    expect(together({ ...empty, ...some }, empty)).toMatchObject({ ...some });
  });
});
