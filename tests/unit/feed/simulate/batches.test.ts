import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ReadingColumns } from "../../../../src/contract/columns.ts";
import type { Refusal } from "../../../../src/contract/refusal.ts";
import { checkReadings } from "../../../../src/contract/rules.ts";
import { parseTimestamp_us } from "../../../../src/contract/timestamp.ts";
import { createUnitRegistry } from "../../../../src/contract/units.ts";
import {
  type PlannedBatch,
  SimulatedBatches,
  type SimulationPlan,
} from "../../../../src/feed/simulate/batches.ts";
import { FAULT_KINDS, type FaultKind, faultShares } from "../../../../src/feed/simulate/faults.ts";

const START_MS = Date.UTC(2026, 5, 1, 12);
const NO_FAULTS = faultShares(0, new Map());
const PLAN: SimulationPlan = {
  seed: 1,
  system_id: "550e8400-e29b-41d4-a716-446655440000",
  users: 3,
  rate: 1000,
  batch: 100,
  readings: 3050,
  start_us: START_MS * 1000,
  shares: NO_FAULTS,
};
const RULES = { units: createUnitRegistry(), maxFuture_ms: 300_000, maxPast_years: 5 };

interface Sent {
  readonly system_id: string;
  readonly readings: { sensor_id: string; timestamp: string; value: number; quality?: number }[];
}

function all(plan: SimulationPlan): PlannedBatch[] {
  const batches = new SimulatedBatches(plan);
  const list: PlannedBatch[] = [];
  for (let batch = batches.next(); batch; batch = batches.next()) list.push(batch);
  return list;
}

const sentOf = (batch: PlannedBatch) => JSON.parse(batch.body) as Sent;

/** What a service that follows the rules makes of the batches, by reason. */
function judge(batches: readonly PlannedBatch[], system_id: string) {
  const counts: Record<string, number> = { inserted: 0, identical: 0 };
  const stored = new Map<string, number>();
  const add = (what: string, n = 1) => {
    counts[what] = (counts[what] ?? 0) + n;
  };
  for (const batch of batches) {
    const sent = sentOf(batch);
    if (sent.system_id !== system_id) {
      add("system_not_found", sent.readings.length);
      continue;
    }
    const columns = new ReadingColumns(sent.readings.length);
    const refusals: Refusal[] = [];
    checkReadings(sent.readings, 0, START_MS, RULES, columns, refusals);
    for (const { reason } of refusals) add(reason);
    for (let row = 0; row < columns.length; row += 1) {
      const key = `${columns.sensors[columns.sensor[row]!]} ${columns.timestamp_us[row]}`;
      const value = columns.value[row]!;
      if (!stored.has(key)) add("inserted");
      else add(stored.get(key) === value ? "identical" : "duplicate");
      if (!stored.has(key)) stored.set(key, value);
    }
  }
  return counts;
}

/** What the batches say must become of them, in the same form. */
function expectedOf(batches: readonly PlannedBatch[]) {
  const counts: Record<string, number> = { inserted: 0, identical: 0 };
  const add = (what: string, n: number) => {
    if (n > 0) counts[what] = (counts[what] ?? 0) + n;
  };
  for (const { expected } of batches) {
    add("inserted", expected.inserted);
    add("identical", expected.duplicate);
    for (const [reason, n] of Object.entries(expected.quarantined)) add(reason, n);
  }
  return counts;
}

describe("the batches of a plan", () => {
  test("are the same, byte for byte, for the same seed and start", () => {
    const plan = { ...PLAN, shares: faultShares(0.2, new Map()) };
    expect(all(plan)).toEqual(all(plan));
    expect(all({ ...plan, seed: 2 })[0]!.body).not.toBe(all(plan)[0]!.body);
  });

  test("hold every reading once, in turn for each user, due when the last one is measured", () => {
    const batches = all(PLAN);
    expect(batches.map((b) => b.readings)).toEqual([...Array<number>(30).fill(100), 50]);
    expect(batches.map((b) => b.user).slice(0, 4)).toEqual([0, 1, 2, 0]);
    expect(batches.map((b) => b.due_ms).slice(0, 3)).toEqual([100, 200, 300]);
    const keys = batches.flatMap((b) => sentOf(b).readings.map((r) => `${r.sensor_id} ${r.timestamp}`));
    expect(new Set(keys).size).toBe(3050);
  });

  test("carry stamps that have passed when their batch is due, but for the staggering", () => {
    const stagger_us = ((PLAN.users - 1) * PLAN.batch * 1e6) / PLAN.rate;
    for (const batch of all(PLAN)) {
      for (const { timestamp } of sentOf(batch).readings) {
        const since_us = parseTimestamp_us(timestamp) - PLAN.start_us;
        expect(since_us).toBeGreaterThanOrEqual(0);
        expect(since_us).toBeLessThanOrEqual(batch.due_ms * 1000 + stagger_us);
      }
    }
  });

  test("without faults are accepted whole by the rules", () => {
    for (const seed of [1, 2, 3]) {
      const plan = { ...PLAN, seed, readings: 20_000, batch: 1000 };
      expect(judge(all(plan), plan.system_id)).toEqual({ inserted: 20_000, identical: 0 });
    }
  });

  test("have sensors of their own for each rig, seed and system", () => {
    const sensors = (plan: SimulationPlan) =>
      new Set(all(plan).flatMap((b) => sentOf(b).readings.map((r) => r.sensor_id)));
    const mine = sensors(PLAN);
    expect(mine.size).toBe(24);
    for (const other of [
      { ...PLAN, seed: 2 },
      { ...PLAN, system_id: "550e8400-e29b-41d4-a716-446655440009" },
    ]) {
      expect(mine.intersection(sensors(other)).size).toBe(0);
    }
  });
});

describe("injected faults", () => {
  test("of every kind become what they are named after, in exactly the asked share", () => {
    for (const kind of FAULT_KINDS) {
      const shares = faultShares(0, new Map<FaultKind, number>([[kind, 0.1]]));
      const plan = { ...PLAN, readings: 10_000, shares };
      const batches = all(plan);
      const judged = judge(batches, plan.system_id);
      expect(judged[kind]).toBe(1000);
      expect(judged.inserted).toBe(9000);
      expect(judged).toEqual(expectedOf(batches));
    }
  });

  test("of a whole batch go to a system that is not registered, and its job must fail", () => {
    const shares = faultShares(0, new Map<FaultKind, number>([["system_not_found", 0.25]]));
    const failing = all({ ...PLAN, readings: 4000, shares }).filter((b) => b.expected.fails);
    expect(failing.length).toBe(10);
    expect(failing.every((b) => sentOf(b).system_id !== PLAN.system_id)).toBe(true);
  });

  test("repeat readings of the same batch and of an earlier one", () => {
    const shares = faultShares(0, new Map<FaultKind, number>([["duplicate", 0.2]]));
    const batches = all({ ...PLAN, users: 1, shares });
    const keysOf = (b: PlannedBatch) => sentOf(b).readings.map((r) => `${r.sensor_id} ${r.timestamp}`);
    const within = batches.filter((b) => new Set(keysOf(b)).size < b.readings).length;
    const earlier = batches.slice(1).filter((b, i) => {
      const before = new Set(keysOf(batches[i]!));
      return keysOf(b).some((key) => before.has(key));
    }).length;
    expect(within).toBeGreaterThan(20);
    expect(earlier).toBeGreaterThan(20);
  });

  test("in any mixture: what the batches promise is what the rules find, and nothing is left over", () => {
    const share = fc.double({ min: 0, max: 1 / FAULT_KINDS.length, noNaN: true });
    const shares = fc
      .tuple(...FAULT_KINDS.map(() => share))
      .map((list) => faultShares(0, new Map(FAULT_KINDS.map((kind, i) => [kind, list[i]!]))));
    const plan = fc.record({
      seed: fc.nat(),
      users: fc.integer({ min: 1, max: 8 }),
      batch: fc.integer({ min: 1, max: 300 }),
      readings: fc.integer({ min: 1, max: 2000 }),
      rate: fc.double({ min: 1, max: 1e6, noNaN: true }),
      shares,
    });
    fc.assert(
      fc.property(plan, (generated) => {
        const whole = { ...PLAN, ...generated };
        // Late stamps of slow plans must not run into the future for the judge.
        const start_us = PLAN.start_us - ((whole.readings + whole.users * whole.batch) / whole.rate) * 1e6;
        const batches = all({ ...whole, start_us: Math.floor(start_us) });
        const expected = expectedOf(batches);
        expect(Object.values(expected).reduce((sum, n) => sum + n, 0)).toBe(whole.readings);
        expect(judge(batches, whole.system_id)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test("cannot be more than everything", () => {
    expect(() => faultShares(0.5, new Map([["parse_error", 0.6]]))).toThrow(RangeError);
    expect(() => faultShares(0, new Map([["parse_error", -0.1]]))).toThrow(RangeError);
    const spread = faultShares(0.06, new Map<FaultKind, number>([["invalid_unit", 0.5]]));
    expect(spread.invalid_unit).toBe(0.5);
    expect(spread.parse_error).toBeCloseTo(0.01, 12);
  });
});
