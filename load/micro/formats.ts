/**
 * What a format costs, ms per batch of 10,000 readings: counted by the API, read and judged by an ingest thread.
 * Median and best of many runs after warm-up. `bun load/micro/formats.ts [runs]`
 */
import { ReadingColumns } from "../../src/contract/columns.ts";
import type { BodyFormat } from "../../src/contract/formats/body-format.ts";
import { countReadings, readReadings } from "../../src/contract/formats/decode.ts";
import { BatchRules, DEFAULT_MAX_FUTURE_MS, DEFAULT_MAX_PAST_YEARS } from "../../src/contract/rules.ts";
import { SeriesMap } from "../../src/contract/series.ts";
import { formatTimestamp } from "../../src/contract/timestamp.ts";
import { createUnitRegistry } from "../../src/contract/units.ts";

const ROWS = 10_000;
const SENSORS = 64;
const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const RECEIVED_MS = Date.UTC(2026, 0, 15, 12);
const lines = { precision: "ns", received_us: RECEIVED_MS * 1000 } as const;
const settings = {
  units: createUnitRegistry(),
  maxFuture_ms: DEFAULT_MAX_FUTURE_MS,
  maxPast_years: DEFAULT_MAX_PAST_YEARS,
  naming: { series: new SeriesMap(SYSTEM), sensors: new Map() },
};

const readings = Array.from({ length: ROWS }, (_, row) => ({
  sensor_id: `550e8400-e29b-41d4-a716-4466554400${(row % SENSORS).toString(16).padStart(2, "0")}`,
  timestamp: formatTimestamp((RECEIVED_MS - (ROWS - row) * 1000) * 1000),
  value: ((row * 7919) % 70_000) / 100,
  unit: "bar",
  quality: 90 + (row % 10),
}));
const ns = (row: number) => `${RECEIVED_MS - (ROWS - row) * 1000}000000`;
const named = readings.map(({ sensor_id, ...rest }) => ({ sensor: `rig 1, ${sensor_id}`, ...rest }));
const records = (list: readonly object[]) => list.map((one) => JSON.stringify(one)).join("\n");
const csv = readings.map((one) => Object.values(one).join(",")).join("\n");

const BODIES: readonly [string, BodyFormat, string][] = [
  ["JSON", "json", JSON.stringify({ system_id: SYSTEM, readings })],
  ["JSON, by names", "json", JSON.stringify({ system_id: SYSTEM, readings: named })],
  ["NDJSON", "ndjson", records(readings)],
  ["CSV", "csv", `${Object.keys(readings[0]!).join(",")}\n${csv}`],
  [
    "line protocol, a field each",
    "line",
    readings
      .map(({ sensor_id, value }, row) => `pump,sensor=${sensor_id},unit=bar value=${value} ${ns(row)}`)
      .join("\n"),
  ],
  [
    "line protocol, ten fields",
    "line",
    Array.from({ length: ROWS / 10 }, (_, row) => {
      const fields = Array.from({ length: 10 }, (_, n) => `p${n}=${readings[row * 10 + n]!.value}`);
      return `pump,host=rig-1,unit=bar ${fields.join(",")} ${ns(row)}`;
    }).join("\n"),
  ],
];

function measured(runs: number, work: () => void): string {
  const times_ms: number[] = [];
  for (let run = 0; run < runs * 2; run++) {
    const start_ms = performance.now();
    work();
    if (run >= runs) times_ms.push(performance.now() - start_ms);
  }
  times_ms.sort((a, b) => a - b);
  return `${times_ms[Math.floor(runs / 2)]!.toFixed(2)} (${times_ms[0]!.toFixed(2)})`.padStart(14);
}

const runs = Number(process.argv[2] ?? 200);
console.log(
  `${ROWS} readings, ms: median (best) of ${runs} runs after as many to warm up, Bun ${Bun.version}`,
);
console.log(`${"".padEnd(30)}${["count", "read", "judge"].map((name) => name.padStart(14)).join("")}`);
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
for (const [label, format, text] of BODIES) {
  const body = Buffer.from(text);
  const read = () => readReadings(format, body.toString("utf8"), ROWS, lines);
  const judge = (batch: ReturnType<typeof read>) => {
    const columns = new ReadingColumns(ROWS);
    batch.judge(new BatchRules(0, RECEIVED_MS, settings, columns, []));
    if (columns.length !== ROWS) throw new Error(`${label}: a good reading was refused`);
  };
  // Of JSON the API checks the envelope as a document.
  const count = () =>
    void (format === "json" ? JSON.parse(utf8.decode(body)) : countReadings(format, utf8.decode(body)));
  const batch = read();
  const row = [measured(runs, count), measured(runs, read), measured(runs, () => judge(batch))];
  console.log(`${label.padEnd(30)}${row.join("")}`);
}
