/** Every kind of reading from the stream to the tables: where it ends, with what words, and that nothing of it is lost. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { RefusalReason } from "../../../src/contract/refusal.ts";
import { IngestBench, type QuarantineRow, RECEIVED_MS, reading, sensor } from "../../support/ingest-bench.ts";

let bench: IngestBench;
beforeAll(async () => {
  bench = await IngestBench.create();
});
afterAll(() => bench.close());

type Stored = {
  readonly value?: number;
  readonly timestamp?: string;
  readonly unit?: string;
  readonly quality?: number;
  readonly sensor_id?: string;
};
type Refused = { readonly reason: RefusalReason; readonly details: RegExp } & Partial<QuarantineRow>;
interface Case {
  readonly name: string;
  /** JSON text, so that what JavaScript cannot hold (1e999) can be sent. */
  readonly json: string;
  readonly stored?: Stored;
  readonly refused?: Refused;
}

let minute = 0;
/** A good reading at a time of its own, changed. */
const with_ = (change: Record<string, unknown>) =>
  JSON.stringify({ ...reading(1, 60 * minute++), ...change });
const raw_ = (field: string, text: string) => with_({ [field]: "@@" }).replace('"@@"', text);
const kept = (name: string, json: string, stored: Stored): Case => ({ name, json, stored });
const refuse = (
  name: string,
  json: string,
  reason: RefusalReason,
  details: RegExp,
  row: Partial<QuarantineRow> = {},
): Case => ({
  name,
  json,
  refused: { reason, details, ...row },
});
const ago = (change_ms: number) => new Date(RECEIVED_MS + change_ms).toISOString();
const megabyte = "x".repeat(1_000_000);
const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;

const CASES: readonly Case[] = [
  kept("plain", with_({}), { value: 100, unit: "bar", quality: 95 }),
  kept("-0 becomes 0", raw_("value", "-0"), { value: 0 }),
  kept("a subnormal", with_({ value: 5e-324 }), { value: 5e-324 }),
  kept("both ends of the range", with_({ value: 700 }), { value: 700 }),
  kept("no quality is 100", with_({ quality: undefined }), { quality: 100 }),
  kept("quality 50", with_({ quality: 50 }), { quality: 50 }),
  kept("an alias is converted", with_({ value: 1, unit: "MPa" }), { value: 10, unit: "bar" }),
  kept("another quantity", with_({ value: 212, unit: "°F", sensor_id: sensor(0xf) }), {
    value: 100,
    unit: "celsius",
  }),
  refuse(
    "a unit of another quantity than the sensor measures",
    with_({ value: 212, unit: "°F" }),
    "invalid_unit",
    /^sensor \S+ measures pressure in bar; celsius is a unit of temperature$/,
    { value: 212, unit: "°F" },
  ),
  kept("a sensor id in capitals", with_({ sensor_id: sensor(0xabc).toUpperCase() }), {
    sensor_id: sensor(0xabc),
  }),
  kept("further properties", with_({ more: { nested: [1] } }), { value: 100 }),
  kept("ten digits of a second are cut", with_({ timestamp: "2026-01-02T00:00:00.1234569999Z" }), {
    timestamp: "2026-01-02 00:00:00.123456+00",
  }),
  kept("an offset", with_({ timestamp: "2026-01-03T05:30:00+05:30" }), {
    timestamp: "2026-01-03 00:00:00+00",
  }),
  kept("small t and z", with_({ timestamp: "2026-01-03t01:00:00z" }), {
    timestamp: "2026-01-03 01:00:00+00",
  }),
  kept("a leap second", with_({ timestamp: "2022-12-31T23:59:60Z" }), {
    timestamp: "2023-01-01 00:00:00+00",
  }),
  kept("five minutes ahead", with_({ timestamp: ago(300_000) }), { value: 100 }),
  kept("five years ago", with_({ timestamp: "2021-01-12T00:00:00Z" }), { value: 100 }),

  refuse("null", "null", "parse_error", /expected a reading as an object, got null/, {
    raw: null,
    sensor_id: null,
    value: null,
  }),
  refuse("a number", "42", "parse_error", /got the number 42/, { raw: 42 }),
  refuse("a string", '"NaN"', "parse_error", /got the string "NaN"/, { raw: "NaN" }),
  refuse("an array", "[1,[2]]", "parse_error", /got an array/, { raw: [1, [2]] }),
  refuse(
    "an empty object",
    "{}",
    "parse_error",
    /\/sensor_id: is missing; \/timestamp: is missing; \/value/,
    { raw: {} },
  ),
  refuse(
    "a value in a string",
    with_({ value: "NaN" }),
    "parse_error",
    /\/value: expected a number, got the string "NaN"/,
    {
      value: null,
      sensor_id: sensor(1),
      unit: "bar",
      quality: 95,
    },
  ),
  refuse("1e999", raw_("value", "1e999"), "parse_error", /\/value: expected a number, got a number beyond/, {
    value: null,
  }),
  refuse(
    "a nested value",
    with_({ value: { a: { b: [null] } } }),
    "parse_error",
    /\/value: expected a number, got an object/,
  ),
  refuse("a null unit", with_({ unit: null }), "parse_error", /\/unit: expected a string, got null/, {
    unit: null,
  }),
  refuse(
    "a sensor id that is none",
    with_({ sensor_id: "pump" }),
    "parse_error",
    /\/sensor_id: expected a UUID/,
    { sensor_id: null },
  ),
  refuse("a null quality", with_({ quality: null }), "parse_error", /\/quality: expected a number/, {
    quality: null,
  }),
  refuse("a megabyte instead of a value", with_({ value: megabyte }), "parse_error", /1000000 characters/),
  refuse("NUL and half a surrogate pair", raw_("value", '"a\\u0000b\\ud800"'), "parse_error", /\\u0000/),
  refuse(
    "two hundred thousand levels",
    raw_("value", deep(200_000)),
    "parse_error",
    /\/value: expected a number, got an array/,
  ),
  refuse(
    "ten thousand levels",
    raw_("value", deep(10_000)),
    "parse_error",
    /\/value: expected a number, got an array/,
  ),

  refuse(
    "30 February",
    with_({ timestamp: "2026-02-30T00:00:00Z" }),
    "invalid_timestamp",
    /"2026-02-30T00:00:00Z" is not a valid RFC 3339/,
    {
      timestamp: null,
      value: 100,
    },
  ),
  refuse("no zone", with_({ timestamp: "2026-01-02T00:00:00" }), "invalid_timestamp", /not a valid RFC 3339/),
  refuse(
    "a wrong leap second",
    with_({ timestamp: "2026-01-02T23:59:60Z" }),
    "invalid_timestamp",
    /not a valid/,
  ),
  refuse(
    "a megabyte of timestamp",
    with_({ timestamp: megabyte }),
    "invalid_timestamp",
    /1000000 characters/,
  ),
  refuse(
    "beyond five minutes",
    with_({ timestamp: ago(300_001) }),
    "invalid_timestamp",
    /after it was received \(at most 5 min\)/,
    {
      timestamp: new Date(RECEIVED_MS + 300_001),
    },
  ),
  refuse(
    "beyond five years",
    with_({ timestamp: "2021-01-11T23:59:59.999999Z" }),
    "invalid_timestamp",
    /5 years before it was received/,
  ),
  refuse("the year 0000", with_({ timestamp: "0000-01-01T00:00:00Z" }), "invalid_timestamp", /before/),
  refuse(
    "the year 9999",
    with_({ timestamp: "9999-12-31T23:59:59.999Z" }),
    "invalid_timestamp",
    /after it was received/,
  ),

  refuse("quality 49.999", with_({ quality: 49.999 }), "out_of_range", /quality 49.999 is below 50/),
  refuse("quality 100.5", with_({ quality: 100.5 }), "out_of_range", /quality 100.5 is above 100/),
  refuse(
    "812.4 bar",
    with_({ value: 812.4 }),
    "out_of_range",
    /pressure 812.4 bar is above 700 bar \(ISO 4413/,
    { value: 812.4, unit: "bar" },
  ),
  refuse("-0.001 bar", with_({ value: -0.001 }), "out_of_range", /below 0 bar/),
  refuse(
    "12000 psi keeps value and unit",
    with_({ value: 12_000, unit: "psi" }),
    "out_of_range",
    /pressure 12000 psi = 827\.\d+ bar is above 700 bar/,
    {
      value: 12_000,
      unit: "psi",
    },
  ),
  refuse("1e308", with_({ value: 1e308 }), "out_of_range", /1e\+308 bar is above 700/, { value: 1e308 }),
  refuse("1e308 of an alias", with_({ value: 1e308, unit: "MPa" }), "out_of_range", /above 700 bar/, {
    value: 1e308,
    unit: "MPa",
  }),
  refuse(
    "-1.8e308 is as far as doubles go",
    with_({ value: -1.7976931348623157e308 }),
    "out_of_range",
    /below 0 bar/,
  ),

  refuse("an empty unit", with_({ unit: "" }), "invalid_unit", /unit is empty/, { unit: "" }),
  refuse(
    "furlong",
    with_({ unit: "furlong" }),
    "invalid_unit",
    /unit "furlong" is not known; known are bar/,
    { unit: "furlong", value: 100 },
  ),
  refuse("milli is not mega", with_({ unit: "mPa" }), "invalid_unit", /"mPa" is not known/),
  refuse("a megabyte of unit", with_({ unit: megabyte }), "invalid_unit", /1000000 characters/, {
    unit: "x".repeat(64),
  }),
  refuse("a unit with NUL", raw_("unit", '"b\\u0000r"'), "invalid_unit", /\\u0000/, { unit: "b\ufffdr" }),
  refuse("a unit from elsewhere", with_({ unit: "巴🛠" }), "invalid_unit", /巴🛠/, { unit: "巴🛠" }),
  refuse("prototype names are not units", with_({ unit: "__proto__" }), "invalid_unit", /not known/),
];

const FIRST = reading(2, 0, 50);
const TWINS = [
  FIRST,
  FIRST,
  { ...FIRST, quality: 60 },
  { ...FIRST, value: 5, unit: "MPa" },
  { ...FIRST, value: 51 },
  { ...FIRST, value: 6, unit: "MPa" },
].map((r) => JSON.stringify(r));

test("each reading of one batch ends where its rule says, with details and the reading as sent", async () => {
  const texts = [...CASES.map(({ json }) => json), ...TWINS];
  const body = Buffer.from(`{"readings":[${texts.join(",")}]}`);
  const meta = bench.meta(texts.length);
  await bench.add(meta, body);
  await bench.work("w");

  const stored = CASES.filter((c) => c.stored);
  expect(await bench.counts(meta.job_id)).toEqual({
    total: texts.length,
    inserted: stored.length + 1,
    duplicate: 3,
    quarantined: texts.length - stored.length - 4,
    status: "completed",
  });
  const rows = await bench.database.sql<
    {
      text: string;
      timestamp: Date;
      sensor_id: string;
      value: number;
      unit: string;
      quality: number;
      sign: string;
    }[]
  >`
    SELECT "timestamp"::text AS text, "timestamp", sensor_id, value, unit, quality, value::text AS sign FROM diagnostics_sensordata`;
  expect(rows).toHaveLength(stored.length + 1);
  expect(rows.filter(({ sign }) => sign === "-0")).toEqual([]);
  for (const { name, stored: want, json } of stored) {
    const sent = JSON.parse(json) as { timestamp: string; sensor_id: string };
    const found = rows.filter(
      (row) =>
        row.sensor_id === sent.sensor_id.toLowerCase() &&
        (want!.timestamp
          ? row.text === want!.timestamp
          : row.timestamp.getTime() === Date.parse(sent.timestamp)),
    );
    const { timestamp: _, ...fields } = want!;
    expect({ name, found: found.length }).toEqual({ name, found: 1 });
    expect(found[0]).toMatchObject(fields);
  }
});

test("the quarantine holds exactly the refused ones", async () => {
  const rows = new Map((await bench.quarantine()).map((row) => [row.ordinal, row]));
  const twins = CASES.length;
  expect([...rows.keys()].sort((a, b) => a - b)).toEqual([
    ...CASES.flatMap((c, i) => (c.refused ? [i] : [])),
    twins + 4,
    twins + 5,
  ]);
  for (const [i, { name, refused, json }] of CASES.entries()) {
    if (!refused) continue;
    const { reason, details, ...fields } = refused;
    const row = rows.get(i)!;
    expect({ name, reason: row.reason }).toEqual({ name, reason });
    expect(row.reason_details).toMatch(details);
    expect(row.reason_details.length).toBeLessThan(700);
    expect(row).toMatchObject(fields);
    // Beyond what PostgreSQL's json parser takes, the reading is kept as its own text.
    if (name.endsWith("thousand levels")) expect(row.raw === json).toBe(true);
    else expect(Bun.deepEquals(row.raw, JSON.parse(json.replace("1e999", '"Infinity"')))).toBe(true);
  }
  for (const [at, value, unit, shown] of [
    [twins + 4, 51, "bar", "51 bar"],
    [twins + 5, 6, "MPa", "6 MPa = 60 bar"],
  ] as const) {
    expect(rows.get(at)).toMatchObject({
      reason: "duplicate",
      reason_details: `${shown} differs from 50 bar, which this sensor already has at this timestamp`,
      value,
      unit,
      sensor_id: sensor(2),
    });
  }
});

test("a conflict with a stored reading names both values, also when it was converted", async () => {
  const job_id = await bench.offer([{ ...FIRST, value: 6, unit: "MPa" }, FIRST]);
  await bench.work("w2");
  expect(await bench.counts(job_id)).toMatchObject({ inserted: 0, duplicate: 1, quarantined: 1 });
  const row = (await bench.quarantine()).find((r) => r.job_id === job_id);
  expect(row).toMatchObject({
    reason: "duplicate",
    value: 6,
    unit: "MPa",
    reason_details: "6 MPa = 60 bar differs from 50 bar, which this sensor already has at this timestamp",
  });
});

test("a batch for an unknown system: all readings in quarantine, the job failed with that message", async () => {
  const unknown = "550e8400-e29b-41d4-a716-00000000dead";
  const job_id = await bench.offer([reading(9, 1), null, "x", { value: 1 }], unknown);
  const known = await bench.offer([reading(9, 1)]);
  await bench.work("w3");
  const job = await bench.ended(job_id);
  const message = `system ${unknown} is not registered`;
  expect(job).toMatchObject({
    status: "failed",
    error_message: message,
    quarantined_readings: 4,
    inserted_readings: 0,
  });
  expect(await bench.counts(job_id)).toMatchObject({ status: "failed", total: 4, quarantined: 4 });
  const rows = (await bench.quarantine()).filter((r) => r.job_id === job_id);
  expect(rows.map(({ reason, reason_details }) => [reason, reason_details])).toEqual(
    Array.from({ length: 4 }, () => ["system_not_found", message]),
  );
  expect(rows.map(({ raw }) => raw)).toEqual([reading(9, 1), null, "x", { value: 1 }]);
  expect(rows[0]).toMatchObject({ sensor_id: sensor(9), value: 100, unit: "bar" });
  expect((await bench.counts(known)).inserted).toBe(1);
});
