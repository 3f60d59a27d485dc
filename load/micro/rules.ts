/**
 * What the rules cost: ms per batch of 10,000 readings, median and best of many runs after warm-up.
 * `bun load/micro/rules.ts [runs]`
 */
import { ReadingColumns } from "../../src/contract/columns.ts";
import type { Refusal } from "../../src/contract/refusal.ts";
import {
  checkReadings,
  DEFAULT_MAX_FUTURE_MS,
  DEFAULT_MAX_PAST_YEARS,
  type RuleSettings,
} from "../../src/contract/rules.ts";
import { formatTimestamp, parseTimestamp_us } from "../../src/contract/timestamp.ts";
import { createUnitRegistry } from "../../src/contract/units.ts";

const ROWS = 10_000;
const RECEIVED_MS = Date.UTC(2026, 0, 15, 12);
const SENSORS = 16;
const settings: RuleSettings = {
  units: createUnitRegistry(),
  maxFuture_ms: DEFAULT_MAX_FUTURE_MS,
  maxPast_years: DEFAULT_MAX_PAST_YEARS,
};

/** One reading as a producer sends it; `fault` picks one of five ways to be wrong. */
function reading(row: number, fault: number | undefined): Record<string, unknown> {
  const timestamp_us = (RECEIVED_MS - Math.floor(row / SENSORS) * 1000 - (row % 1000)) * 1000;
  const good = {
    sensor_id: `550e8400-e29b-41d4-a716-4466554400${String(row % SENSORS).padStart(2, "0")}`,
    timestamp: formatTimestamp(timestamp_us),
    value: 100 + (row % 500) / 10,
    unit: ["bar", "lpm", "psi", "kPa"][row % 4],
    quality: 90 + (row % 10),
  };
  switch (fault) {
    case 0:
      return { ...good, value: "NaN" };
    case 1:
      return { ...good, timestamp: "2024-02-30T00:00:00Z" };
    case 2:
      return { ...good, quality: 42 };
    case 3:
      return { ...good, unit: "furlong" };
    case 4:
      return { ...good, value: 1e6 };
    default:
      return good;
  }
}

/** The batch as JSON text, so that every run judges freshly decoded objects and not ones with cached hashes. */
function batchJson(isBad: (row: number) => boolean): string {
  return JSON.stringify(
    Array.from({ length: ROWS }, (_, row) => reading(row, isBad(row) ? row % 5 : undefined)),
  );
}

function measure(label: string, runs: number, json: string, work: (readings: unknown[]) => void): void {
  const times_ms: number[] = [];
  for (let run = 0; run < runs * 2; run++) {
    const readings = JSON.parse(json) as unknown[];
    const start_ms = performance.now();
    work(readings);
    if (run >= runs) times_ms.push(performance.now() - start_ms);
  }
  times_ms.sort((a, b) => a - b);
  const median_ms = times_ms[Math.floor(times_ms.length / 2)] ?? Number.NaN;
  const best_ms = times_ms[0] ?? Number.NaN;
  console.log(`${label.padEnd(28)} median ${median_ms.toFixed(2)} ms   best ${best_ms.toFixed(2)} ms`);
}

function check(readings: unknown[]): void {
  const columns = new ReadingColumns(ROWS);
  const refusals: Refusal[] = [];
  checkReadings(readings, 0, RECEIVED_MS, settings, columns, refusals);
  if (columns.length + refusals.length !== ROWS) throw new Error("a reading was lost");
}

const runs = Number(process.argv[2] ?? 200);
console.log(`${ROWS} readings a batch, ${runs} runs after as many to warm up, Bun ${Bun.version}`);
const good = batchJson(() => false);
measure("rules, all good", runs, good, check);
measure(
  "rules, 5 % bad",
  runs,
  batchJson((row) => row % 20 === 0),
  check,
);
measure(
  "rules, all bad",
  runs,
  batchJson(() => true),
  check,
);
measure("timestamps alone", runs, good, (readings) => {
  let sum = 0;
  for (const { timestamp } of readings as { timestamp: string }[]) sum += parseTimestamp_us(timestamp);
  if (Number.isNaN(sum)) throw new Error("a good timestamp was refused");
});
