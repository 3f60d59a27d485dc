/** Line protocol from the stream to the tables: sensors by mappings and tags, times to the microsecond, what is kept. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { countLineFields } from "../../../src/contract/formats/line-scan.ts";
import { uuidV5 } from "../../../src/contract/name-uuid.ts";
import { type FieldKey, seriesName } from "../../../src/contract/series.ts";
import { MappingStore } from "../../../src/store/mappings.ts";
import { type IngestBench, RECEIVED_MS, reading, SYSTEM, sensor, USER } from "../../support/ingest-bench.ts";
import { decision, ReviewBench } from "../../support/review.ts";

let review: ReviewBench;
let bench: IngestBench;
beforeAll(async () => {
  review = await ReviewBench.create();
  bench = review.ingest;
});
afterEach(async () => {
  await review.clear();
  await bench.database.sql`TRUNCATE diagnostics_sensor_mapping, diagnostics_sensor_range, diagnostics_sensor`;
});
afterAll(() => review.close());

const AT_MS = RECEIVED_MS - 3_600_000;
const ns = (second: number, more = 0) => BigInt(AT_MS + second * 1000) * 1_000_000n + BigInt(more);
const key = (tags: Record<string, string> = {}): FieldKey => ({
  measurement: "pump",
  field: "pressure",
  tags,
});
const idOf = (tags: Record<string, string> = {}) => uuidV5(SYSTEM, seriesName(key(tags)));
async function send(...lines: string[]): Promise<void> {
  const body = lines.join("\n");
  await bench.offerBody("line", body, countLineFields(body));
  await bench.work("w");
}
const map = (field: FieldKey, sensor_id: string, unit: string | null = null) =>
  new MappingStore(bench.database).set({
    system_id: SYSTEM,
    key: field,
    sensor_id,
    unit,
    actor: { id: USER, name: "u" },
  });
const decide = async (action: "fix" | "revalidate", more: object = {}) => {
  const ids = await review.ids();
  return review.desk().desk.decide(decision({ action, selection: { ids }, ...more }), ids);
};

test("a field with a unit registers its sensor, and the tag is converted every time", async () => {
  await send(`pump,host=a,unit=psi pressure=1000 ${ns(0)}`);
  await send(`pump,host=a,unit=psi pressure=1000 ${ns(1)}`, `pump,unit=bar,host=a pressure=70i ${ns(2)}`);
  expect(
    (await bench.rows()).map(({ sensor_id, value }) => [sensor_id, Math.round(value * 10) / 10]),
  ).toEqual([
    [idOf({ host: "a" }), 68.9],
    [idOf({ host: "a" }), 68.9],
    [idOf({ host: "a" }), 70],
  ]);
  const sensors = await bench.database.sql`SELECT name, unit FROM diagnostics_sensor`;
  expect([...sensors]).toEqual([{ name: "pump,host=a pressure", unit: "bar" }]);
});

test("times are cut to microseconds, and a line without one has the time of its receipt", async () => {
  await send(`pump,unit=bar pressure=1 ${ns(0, 123_456_789)}`, "pump,unit=bar pressure=2");
  const rows = await bench.database.sql`
    SELECT "timestamp"::text AS at, value FROM diagnostics_sensordata ORDER BY value`;
  expect([...rows]).toEqual([
    { at: "2026-01-11 23:00:00.123456+00", value: 1 },
    { at: "2026-01-12 00:00:00+00", value: 2 },
  ]);
});

test("a quality in a tag counts, and does not make another sensor", async () => {
  await send(
    `pump,unit=bar,quality=72.5 pressure=1 ${ns(0)}`,
    `pump,unit=bar pressure=2 ${ns(1)}`,
    `pump,unit=bar,quality=49 pressure=3 ${ns(2)}`,
  );
  expect((await bench.rows()).map(({ sensor_id, quality }) => [sensor_id, quality])).toEqual([
    [idOf(), 72.5],
    [idOf(), 100],
  ]);
  expect(await bench.quarantine()).toMatchObject([
    { reason: "out_of_range", quality: 49, sensor_id: idOf() },
  ]);
});

test("what is refused is kept as it was received, to the nanosecond", async () => {
  await send(
    `pump,host=a\\ b,unit=bar pressure=900,state="on",ok=t,bad= ${ns(0, 1)}`,
    "no fields",
    `pump,unit=bar pressure=1 12x`,
  );
  const tags = { host: "a b", unit: "bar" };
  const timestamp = "2026-01-11T23:00:00.000000001Z";
  expect(
    (await bench.quarantine()).map(({ reason, reason_details, raw }) => [reason, reason_details, raw]),
  ).toEqual([
    [
      "out_of_range",
      "pressure 900 bar is above 700 bar (ISO 4413)",
      { measurement: "pump", tags, field: "pressure", value: 900, timestamp },
    ],
    [
      "parse_error",
      '/value: expected a number, got the string "on"',
      { measurement: "pump", tags, field: "state", value: "on", timestamp },
    ],
    [
      "parse_error",
      "/value: expected a number, got true",
      { measurement: "pump", tags, field: "ok", value: true, timestamp },
    ],
    ["parse_error", '"bad=" is not a field with a value', "pump,host=a\\ b,unit=bar bad="],
    ["parse_error", '"fields" is not a field with a value', "no fields"],
    [
      "invalid_timestamp",
      'timestamp "12x" is not a whole number of ns since 1970',
      { measurement: "pump", tags: { unit: "bar" }, field: "pressure", value: 1, timestamp: "12x" },
    ],
  ]);
});

test("a mapping of the most tags says sensor and unit; two alike are of no use", async () => {
  await review.send([reading(1, 0), reading(2, 0), reading(3, 0)]);
  await map(key(), sensor(1));
  await map(key({ line: "1" }), sensor(2), "psi");
  await map(key({ host: "b" }), sensor(3));
  await send(
    `pump,host=a pressure=1 ${ns(0)}`,
    `pump,host=a,line=1 pressure=145.0377377 ${ns(0)}`,
    `pump,host=b pressure=3 ${ns(0)}`,
    `pump,host=b,line=1 pressure=4 ${ns(0)}`,
  );
  const rows = (await bench.rows()).filter(({ timestamp }) => timestamp.getTime() === AT_MS);
  expect(rows.map(({ sensor_id, value }) => [sensor_id, Math.round(value)])).toEqual([
    [sensor(1), 1],
    [sensor(2), 10],
    [sensor(3), 3],
  ]);
  expect(await bench.quarantine()).toMatchObject([
    {
      reason: "system_not_found",
      reason_details:
        '"pump,host=b,line=1 pressure" fits several mappings of the system alike: "pump,host=b pressure" and "pump,line=1 pressure"',
      sensor_id: null,
      value: 4,
    },
  ]);
});

test("what nobody gave a unit waits in quarantine, and is stored once a mapping says one", async () => {
  await review.send([reading(1, 0)]);
  await send(`pump,host=a pressure=1.25 ${ns(0)}`);
  expect(await bench.quarantine()).toMatchObject([
    {
      reason: "invalid_unit",
      reason_details:
        'nobody says the unit of "pump,host=a pressure": not the reading, nor a mapping, nor a registered sensor',
      sensor_id: idOf({ host: "a" }),
    },
  ]);
  await map(key(), sensor(1), "MPa");
  expect(await decide("revalidate")).toMatchObject({ stored: 1 });
  expect((await bench.rows()).at(-1)).toMatchObject({ sensor_id: sensor(1), value: 12.5 });
});

test("a reviewer may say the unit of what has none, or has a wrong one", async () => {
  await send(`pump,host=a pressure=1 ${ns(0)}`, `pump,host=a,unit=furlong pressure=2 ${ns(1)}`);
  expect(await decide("fix", { change: { set: { unit: "bar" } } })).toMatchObject({ stored: 2, failing: {} });
  expect((await bench.rows()).map(({ value, unit }) => [value, unit])).toEqual([
    [1, "bar"],
    [2, "bar"],
  ]);
});
