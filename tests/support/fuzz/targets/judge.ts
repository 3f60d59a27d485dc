/** What every reader of a body promises: each of its readings is stored or refused, and none may end an ingest thread. */
import type { BatchReadings } from "../../../../src/contract/batch-readings.ts";
import { ReadingColumns } from "../../../../src/contract/columns.ts";
import type { Refusal } from "../../../../src/contract/refusal.ts";
import { BatchRules, type RuleSettings } from "../../../../src/contract/rules.ts";
import { SeriesMap } from "../../../../src/contract/series.ts";
import { createUnitRegistry } from "../../../../src/contract/units.ts";

export const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
export const RECEIVED_MS = Date.UTC(2026, 0, 15, 12);
const settings: RuleSettings = {
  units: createUnitRegistry(),
  maxFuture_ms: 300_000,
  maxPast_years: 5,
  naming: { series: new SeriesMap(SYSTEM), sensors: new Map() },
};
const UNSTORABLE = /[\0\ud800-\udfff]/u;

/** @returns how many were good, and the reasons of the others @throws when one is neither, or cannot be kept */
export function judged(readings: BatchReadings): string {
  const columns = new ReadingColumns(1);
  const refusals: Refusal[] = [];
  readings.judge(new BatchRules(0, RECEIVED_MS, settings, columns, refusals));
  if (columns.length + refusals.length !== readings.length)
    throw new Error(`${columns.length} good and ${refusals.length} refused of ${readings.length}`);
  const ordinals = new Set(refusals.map(({ ordinal }) => ordinal));
  if (ordinals.size !== refusals.length) throw new Error("a reading is refused twice");
  for (const { ordinal, details } of refusals) {
    if (UNSTORABLE.test(details)) throw new Error(`PostgreSQL cannot store ${JSON.stringify(details)}`);
    // What the quarantine keeps.
    if (JSON.stringify(readings.raw(ordinal)) === undefined)
      throw new Error(`reading ${ordinal} cannot be kept`);
  }
  const reasons = [...new Set(refusals.map(({ reason }) => reason))].sort();
  return `${Math.min(columns.length, 3)} good, ${reasons.join(" ")}`;
}
