/** Readings judged by the rules, one by one or together, and what became of them. */
import { expect } from "bun:test";
import { ReadingColumns } from "../../src/contract/columns.ts";
import type { Refusal } from "../../src/contract/refusal.ts";
import { checkReadings, type RuleSettings } from "../../src/contract/rules.ts";
import { createUnitRegistry } from "../../src/contract/units.ts";

export const RECEIVED_MS = Date.UTC(2026, 0, 15, 12);
export const SENSOR = "550e8400-e29b-41d4-a716-446655440001";
export const settings: RuleSettings = {
  units: createUnitRegistry(),
  maxFuture_ms: 300_000,
  maxPast_years: 5,
};
export const good = {
  sensor_id: SENSOR,
  timestamp: "2026-01-15T11:59:59Z",
  value: 150.5,
  unit: "bar",
  quality: 98,
};

export interface Verdict {
  columns: ReadingColumns;
  refusals: Refusal[];
}

export function judge(
  readings: readonly unknown[],
  with_: Partial<RuleSettings> = {},
  now_ms = RECEIVED_MS,
): Verdict {
  const columns = new ReadingColumns(16);
  const refusals: Refusal[] = [];
  checkReadings(readings, 3, now_ms, { ...settings, ...with_ }, columns, refusals);
  return { columns, refusals };
}

/** Reason and details of a reading that must be refused. */
export function refused(reading: unknown, with_: Partial<RuleSettings> = {}, now_ms = RECEIVED_MS): Refusal {
  const { columns, refusals } = judge([reading], with_, now_ms);
  expect(columns.length).toBe(0);
  expect(refusals).toHaveLength(1);
  return refusals[0]!;
}

/** The stored value of a reading that must be accepted. */
export function stored(reading: unknown, with_: Partial<RuleSettings> = {}, now_ms = RECEIVED_MS): number {
  const { columns, refusals } = judge([reading], with_, now_ms);
  expect(refusals).toEqual([]);
  expect(columns.length).toBe(1);
  return columns.value[0]!;
}
