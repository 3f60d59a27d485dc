/** What k6 sends: valid, never the same twice, and bad exactly where the counters expect it. */
import { describe, expect, test } from "bun:test";
import { Bodies } from "../../../load/k6/bodies.ts";
import { SCENARIO_NAMES } from "../../../load/k6/plan.ts";
import { MAX_BATCHES, type RunShape, SENSORS } from "../../../load/k6/rig.ts";
import { optionsOf, SCENARIOS } from "../../../load/k6/scenarios.ts";
import { Expected } from "../../../load/run/expected.ts";
import { ReadingColumns } from "../../../src/contract/columns.ts";
import { isUuid } from "../../../src/contract/job-id.ts";
import type { Refusal } from "../../../src/contract/refusal.ts";
import { checkReadings } from "../../../src/contract/rules.ts";
import { createUnitRegistry } from "../../../src/contract/units.ts";

const NOW_MS = Date.UTC(2026, 10, 27, 12);
const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const SETTINGS = { units: createUnitRegistry(), maxFuture_ms: 300_000, maxPast_years: 5 };

const shapeOf = (batch: number, faults = false, run = 7): RunShape => ({
  run,
  start_s: NOW_MS / 1000 - MAX_BATCHES,
  system_id: SYSTEM,
  batch,
  faults,
});

interface Sent {
  readonly sensor_id: string;
  readonly timestamp: string;
  readonly value: number;
}
const parsed = (body: string) => JSON.parse(body) as { system_id: string; readings: Sent[] };

function judged(readings: readonly unknown[]): { columns: ReadingColumns; refusals: Refusal[] } {
  const columns = new ReadingColumns(readings.length);
  const refusals: Refusal[] = [];
  checkReadings(readings, 0, NOW_MS, SETTINGS, columns, refusals);
  return { columns, refusals };
}

const SOUND = SCENARIO_NAMES.filter((name) => !SCENARIOS[name].faults);

describe("batches", () => {
  test.each(SOUND)("of %s are good readings, as many as the scenario says", (name) => {
    const { batch, rigs } = SCENARIOS[name];
    const bodies = new Bodies(shapeOf(batch));
    for (const [rig, n] of [
      [0, 0],
      [rigs - 1, 1],
      [1, MAX_BATCHES - 1],
    ] as const) {
      const { system_id, readings } = parsed(bodies.body(rig, n));
      expect({ system_id, readings: readings.length }).toEqual({ system_id: SYSTEM, readings: batch });
      expect(readings.every(({ sensor_id }) => isUuid(sensor_id))).toBe(true);
      const { columns, refusals } = judged(readings);
      expect({ refusals, good: columns.length }).toEqual({ refusals: [], good: batch });
    }
  });

  test("are never the same: no body, no sensor with its time, no value of a place twice in a row", () => {
    const bodies = new Bodies(shapeOf(200));
    const seen = new Set<string>();
    const texts = new Set<string>();
    let readings = 0;
    for (let rig = 0; rig < 8; rig += 1) {
      for (let n = 0; n < 40; n += 1) {
        const body = bodies.body(rig, n);
        texts.add(body);
        for (const { sensor_id, timestamp } of parsed(body).readings) seen.add(`${sensor_id} ${timestamp}`);
        readings += 200;
      }
    }
    expect({ bodies: texts.size, readings: seen.size }).toEqual({ bodies: 320, readings });
    const values = (n: number) => parsed(bodies.body(0, n)).readings.map(({ value }) => value);
    const [first, second] = [values(0), values(1)];
    expect(first.filter((value, i) => value === second[i])).toEqual([]);
  });

  test("of two runs share no sensor", () => {
    const sensors = (run: number) =>
      new Set(parsed(new Bodies(shapeOf(200, false, run)).body(3, 5)).readings.map((r) => r.sensor_id));
    const [one, other] = [sensors(7), sensors(8)];
    expect({ one: one.size, other: other.size, shared: one.intersection(other).size }).toEqual({
      one: SENSORS,
      other: SENSORS,
      shared: 0,
    });
  });

  test("end after a day of them: readings must not come from the future", () => {
    expect(() => new Bodies(shapeOf(200)).body(0, MAX_BATCHES)).toThrow("at most 86400 batches");
  });
});

describe("bad readings", () => {
  const shape = shapeOf(1_000, true);
  const bodies = new Bodies(shape);

  test("are 5 % of a batch, and the rules refuse each for the reason that is expected", () => {
    const { readings } = parsed(bodies.body(2, 0));
    const { columns, refusals } = judged(readings);
    const { reasons, inserted, identical, kept, quarantined } = new Expected(shape).outcomeOf(0);
    const { duplicate = 0, ...byRules } = reasons;
    const found = Object.groupBy(refusals, ({ reason }) => reason);
    expect(Object.fromEntries(Object.entries(found).map(([reason, all]) => [reason, all!.length]))).toEqual(
      byRules as Record<string, number>,
    );
    expect(columns.length).toBe(inserted + identical + kept + duplicate);
    expect(quarantined + identical + kept).toBe(readings.length / 20);
    for (const share of [identical, kept, duplicate, ...Object.values(byRules)])
      expect(share).toBeGreaterThan(2);
  });

  test("that repeat a reading repeat one of the same batch, with its value or another, or the rig's kept one", () => {
    const { readings } = parsed(bodies.body(2, 3));
    const { columns } = judged(readings);
    const firsts = new Map<string, number>();
    const repeated = { same: 0, other: 0 };
    for (let row = 0; row < columns.length; row += 1) {
      const key = `${columns.sensor[row]} ${columns.timestamp_us[row]}`;
      const first = firsts.get(key);
      if (first === undefined) firsts.set(key, columns.value[row]!);
      else repeated[first === columns.value[row] ? "same" : "other"] += 1;
    }
    const { identical, kept, reasons } = new Expected(shape).outcomeOf(3);
    // The first kept one of a batch repeats nothing of that batch.
    expect(repeated).toEqual({ same: identical + kept - 1, other: reasons.duplicate! });
  });

  test("fill whole batches now and then: of a system that nobody registered", () => {
    const foreign = Array.from({ length: 100 }, (_, n) => parsed(bodies.body(1, n)).system_id).filter(
      (id) => id !== SYSTEM,
    );
    expect({ batches: foreign.length, systems: new Set(foreign).size }).toEqual({ batches: 2, systems: 2 });
    expect(foreign.every(isUuid)).toBe(true);
  });
});

describe("scenarios", () => {
  test.each(SCENARIO_NAMES)(
    "%s has bounds that fail a run, for answers and for what the service does",
    (name) => {
      const { thresholds, bounds, pace } = SCENARIOS[name];
      expect(Object.values(thresholds).flat()).not.toEqual([]);
      expect(thresholds.rows_accepted).toHaveLength(1);
      // Beyond the knee of a ramp answers may be slow and requests refused; the knee itself has a bound.
      if (pace !== null && pace.length > 1) expect(bounds.knee_rows_per_s).toBeGreaterThanOrEqual(10_000);
      else
        expect({ ...thresholds, ...bounds }).toMatchObject({
          errors: ["count==0"],
          stored_p95_ms: expect.any(Number),
        });
    },
  );

  test.each(SCENARIO_NAMES)("%s hands its bounds to k6, and the pace in requests a second", (name) => {
    const { thresholds, pace, batch, default_s } = SCENARIOS[name];
    const options = optionsOf(SCENARIOS[name], default_s);
    expect(options.thresholds).toEqual(thresholds as typeof options.thresholds & object);
    const { ingest } = options.scenarios as unknown as Record<string, Record<string, unknown>>;
    if (pace === null)
      expect(ingest).toMatchObject({ executor: "constant-vus", vus: 64, duration: `${default_s}s` });
    else if (pace.length === 1)
      expect(ingest).toMatchObject({ rate: pace[0]! / batch, duration: `${default_s}s`, maxVUs: 64 });
    else {
      const held = (ingest!.stages as { target: number; duration: string }[]).filter((_, i) => i % 2 === 1);
      expect(held).toEqual(
        pace.map((rows_per_s) => ({ target: rows_per_s / batch, duration: `${default_s / pace.length}s` })),
      );
    }
  });

  test("keep to what a batch may hold and to whole requests a second", () => {
    for (const { batch, pace } of Object.values(SCENARIOS)) {
      expect(batch % SENSORS).toBe(0);
      for (const rows_per_s of pace ?? []) expect(Number.isInteger(rows_per_s / batch)).toBe(true);
    }
  });
});
