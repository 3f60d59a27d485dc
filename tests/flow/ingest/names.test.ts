/** Readings that name their sensor: which sensor they are of, what is registered, and what the quarantine says. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { uuidV5 } from "../../../src/contract/name-uuid.ts";
import type { SeriesKey } from "../../../src/contract/series.ts";
import { MappingStore } from "../../../src/store/mappings.ts";
import { type IngestBench, reading, START_MS, SYSTEM, sensor, USER } from "../../support/ingest-bench.ts";
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

const named = (name: string, second = 0, more: object = {}) => ({
  sensor: name,
  timestamp: new Date(START_MS + second * 1000).toISOString(),
  value: 100,
  unit: "bar",
  ...more,
});
const idOf = (name: string) => uuidV5(SYSTEM, name);
const map = (key: SeriesKey, sensor_id: string, unit: string | null = null) =>
  new MappingStore(bench.database).set({
    system_id: SYSTEM,
    key,
    sensor_id,
    unit,
    actor: { id: USER, name: "u" },
  });
async function sensors() {
  const rows = await bench.database.sql<{ id: string; name: string; unit: string }[]>`
    SELECT id, name, unit FROM diagnostics_sensor ORDER BY name`;
  return [...rows];
}
const refusals = async () =>
  (await bench.quarantine()).map(({ reason, sensor_id, reason_details: details }) => ({
    reason,
    sensor_id,
    details,
  }));

describe("a name without a mapping", () => {
  test("registers a sensor of its own, under its name, and is the same sensor from then on", async () => {
    await review.send([
      named("main pump: pressure"),
      named("main pump: pressure", 1),
      named("return °C", 0, { value: 40, unit: "°C" }),
    ]);
    await review.send([named("main pump: pressure", 2, { unit: "psi", value: 1000 })]);
    expect(await sensors()).toEqual([
      { id: idOf("main pump: pressure"), name: "main pump: pressure", unit: "bar" },
      { id: idOf("return °C"), name: "return °C", unit: "celsius" },
    ]);
    expect((await bench.rows()).map(({ sensor_id }) => sensor_id).sort()).toEqual(
      [...Array(3).fill(idOf("main pump: pressure")), idOf("return °C")].sort(),
    );
  });

  test("that is no name for a list gets one, and stays a sensor of its own", async () => {
    const names = ["a", " a", "a\n", "a\u0007", "x".repeat(300), `${"x".repeat(299)}y`];
    await review.send(names.map((name) => named(name)));
    const found = await sensors();
    expect(found.map(({ id }) => id).sort()).toEqual(names.map(idOf).sort());
    expect(new Set(found.map(({ name }) => name)).size).toBe(names.length);
    expect(found.find(({ id }) => id === idOf("a"))?.name).toBe("a");
    for (const { name } of found) {
      expect(name.length).toBeLessThanOrEqual(150);
      expect(name).toMatch(/^\S(.*\S)?$/);
    }
  });

  test("that another sensor has as its name gets an addition", async () => {
    await bench.database.sql`INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit)
      VALUES (${sensor(7)}, ${SYSTEM}, 'pump', 'pressure', 'bar')`;
    await review.send([named("pump")]);
    const found = await sensors();
    expect(found.map(({ id }) => id).sort()).toEqual([sensor(7), idOf("pump")].sort());
    expect(found.find(({ id }) => id === idOf("pump"))?.name).toMatch(/^pump-[0-9a-f]{8}$/);
  });

  test("is refused in strict mode, and the name is said", async () => {
    await bench.offer([named("pump")]);
    await bench.work("w", { sensor_registration: "strict" });
    expect(await refusals()).toEqual([
      {
        reason: "system_not_found",
        sensor_id: idOf("pump"),
        details: `no mapping of system ${SYSTEM} knows "pump", nor is there a sensor for it (${idOf("pump")})`,
      },
    ]);
    expect(await sensors()).toEqual([]);
  });

  test("and its id are the same sensor: one value a timestamp, conflicts are told with the unit that counts", async () => {
    await review.send([named("pump")]);
    await review.send([
      { ...named("pump", 0, { value: 101 }), unit: undefined },
      { ...reading(0, 0), sensor_id: idOf("pump") },
    ]);
    expect(await refusals()).toEqual([
      {
        reason: "duplicate",
        sensor_id: idOf("pump"),
        details: "101 bar differs from 100 bar, which this sensor already has at this timestamp",
      },
    ]);
    const [row] = await bench.quarantine();
    expect(row).toMatchObject({ value: 101, unit: "bar", raw: { sensor: "pump", value: 101 } });
    expect(row!.raw).not.toHaveProperty("sensor_id");
  });
});

describe("a mapping", () => {
  test("says the sensor, and the unit of values without one", async () => {
    await review.send([reading(1, 0)]);
    await map({ name: "pump" }, sensor(1), "psi");
    await review.send([
      { ...named("pump", 1, { value: 1000 }), unit: undefined },
      named("pump", 2, { value: 70, unit: "bar" }),
      { ...named("pump", 3, { value: 20_000 }), unit: undefined },
    ]);
    const rows = await bench.rows();
    expect(rows.map(({ sensor_id }) => sensor_id)).toEqual([sensor(1), sensor(1), sensor(1)]);
    expect(rows.map(({ value }) => Math.round(value * 1000) / 1000)).toEqual([100, 68.948, 70]);
    expect(await bench.quarantine()).toMatchObject([
      { reason: "out_of_range", sensor_id: sensor(1), value: 20_000, unit: "psi" },
    ]);
    expect(await sensors()).toHaveLength(1);
  });

  test("is found again after each change, within one thread", async () => {
    await review.send([reading(1, 0), reading(2, 0)]);
    const pipeline = bench.start("w");
    const sent = async (second: number) => {
      const job_id = await bench.offer([named("pump", second)]);
      await bench.ended(job_id);
      return (await bench.rows()).find(({ timestamp }) => timestamp.getTime() === START_MS + second * 1000)
        ?.sensor_id;
    };
    expect(await sent(1)).toBe(idOf("pump"));
    const store = new MappingStore(bench.database);
    let second = 2;
    const until = async (sensor_id: string) => {
      const end = performance.now() + 60_000;
      while ((await sent(second++)) !== sensor_id) expect(performance.now()).toBeLessThan(end);
    };
    const { id } = await map({ name: "pump" }, sensor(1));
    await until(sensor(1));
    await map({ name: "pump" }, sensor(2));
    await until(sensor(2));
    await store.remove(SYSTEM, id, { id: USER, name: "u" });
    await until(idOf("pump"));
    await pipeline.drain();
  });

  test("to a sensor that was archived since then refuses its readings", async () => {
    await review.send([reading(1, 0)]);
    await map({ name: "pump" }, sensor(1));
    await bench.database.sql`UPDATE diagnostics_sensor SET archived_at = now(), updated_at = now()`;
    await review.send([named("pump", 1)]);
    expect(await refusals()).toMatchObject([
      { reason: "system_not_found", details: `sensor ${sensor(1)} is archived` },
    ]);
  });
});

describe("a name without a unit", () => {
  test("is refused while nobody says one, and takes that of its sensor once it has one", async () => {
    const bare = (second: number) => ({ ...named("pump", second), unit: undefined });
    await review.send([bare(0)]);
    expect(await refusals()).toEqual([
      {
        reason: "invalid_unit",
        sensor_id: idOf("pump"),
        details: 'nobody says the unit of "pump": not the reading, nor a mapping, nor a registered sensor',
      },
    ]);
    await review.send([named("pump", 1)]);
    await review.send([bare(2)]);
    expect((await bench.rows()).map(({ unit }) => unit)).toEqual(["bar", "bar"]);
  });
});

describe("structure is asked as of any reading:", () => {
  test.each([
    [{ sensor: "" }, '/sensor: expected a name of 1 to 512 characters, got the string ""'],
    [{ sensor: 5 }, "/sensor: expected a name of 1 to 512 characters, got the number 5"],
    [{ sensor_id: "x", sensor: "pump" }, '/sensor_id: expected a UUID (not nil), got the string "x"'],
    [{ value: "1" }, '/value: expected a number, got the string "1"'],
    [{ unit: 1 }, "/unit: expected a string, got the number 1"],
  ])("%j", async (change, details) => {
    await review.send([named("pump", 0, change)]);
    expect(await refusals()).toMatchObject([{ reason: "parse_error", details }]);
  });
});

describe("a review", () => {
  const decide = async (action: "approve" | "fix" | "revalidate", more: object = {}) => {
    const ids = await review.ids();
    return review.desk().desk.decide(decision({ action, selection: { ids }, ...more }), ids);
  };

  test("finds the sensor by the mapping of today", async () => {
    await review.send([reading(1, 0)]);
    await bench.offer([named("pump", 1)]);
    await bench.work("w", { sensor_registration: "strict" });
    await map({ name: "pump" }, sensor(1));
    expect(await decide("revalidate")).toMatchObject({ stored: 1, failing: {} });
    expect((await bench.rows()).map(({ sensor_id }) => sensor_id)).toEqual([sensor(1), sensor(1)]);
  });

  test("approves a value out of range of a name, and registers its sensor under it", async () => {
    await review.send([named("pump", 0, { value: 900 })]);
    expect(await decide("approve")).toMatchObject({ stored: 1 });
    expect(await bench.rows()).toMatchObject([{ sensor_id: idOf("pump"), value: 900 }]);
    expect(await sensors()).toMatchObject([{ name: "pump" }]);
  });

  test("may say the unit, and that goes before the mapping's", async () => {
    await review.send([reading(1, 0)]);
    await map({ name: "pump" }, sensor(1), "psi");
    await review.send([named("pump", 1, { value: 800, unit: "furlong" })]);
    expect(await decide("fix", { change: { set: { unit: "bar", value: 80 } } })).toMatchObject({ stored: 1 });
    expect((await bench.rows()).map(({ value }) => value)).toEqual([100, 80]);
  });
});
