/** Timestamps under review: judged by when the batch was received, however long the reading waited. */
import { expect, test } from "bun:test";
import { DEFAULT_MAX_FUTURE_MS, DEFAULT_MAX_PAST_YEARS } from "../../src/contract/rules.ts";
import { createUnitRegistry } from "../../src/contract/units.ts";
import { candidates, judge } from "../../src/review/judge.ts";
import type { QuarantinedRow } from "../../src/store/review/readings.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const RECEIVED_MS = Date.UTC(2026, 0, 15, 12);
const HOUR_MS = 3_600_000;
const rules = {
  units: createUnitRegistry(),
  registration: "auto" as const,
  maxFuture_ms: DEFAULT_MAX_FUTURE_MS,
  maxPast_years: DEFAULT_MAX_PAST_YEARS,
};
const registry = { systems: new Map([[SYSTEM, false]]), series: new Map(), sensors: new Map() };

function refusalsOf(timestamp: string, waited_ms: number): string[] {
  const raw = { sensor_id: "550e8400-e29b-41d4-a716-446655440001", timestamp, value: 900, unit: "bar" };
  const row = { id: 1, system_id: SYSTEM, received_ms: RECEIVED_MS, raw } as unknown as QuarantinedRow;
  const judged = judge(candidates([row], null), "approve", registry, rules, RECEIVED_MS + waited_ms);
  return judged.refusals.map(({ reason }) => reason);
}

test("what was young enough when it was received can be approved years later", () => {
  expect(refusalsOf("2021-01-15T12:00:01Z", 1_000 * HOUR_MS)).toEqual([]);
  expect(refusalsOf("2021-01-15T11:59:59Z", 0)).toEqual(["invalid_timestamp"]);
});

test("what was ahead of its receipt can be approved once its time has come, and not before", () => {
  expect(refusalsOf("2026-01-15T13:00:00Z", HOUR_MS)).toEqual([]);
  expect(refusalsOf("2026-01-15T13:00:00Z", 0)).toEqual(["invalid_timestamp"]);
});
