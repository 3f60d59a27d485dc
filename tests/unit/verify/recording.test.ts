/** The made-up recording: the same from the same seed, each key once, answers of the same size at every size. */
import { describe, expect, test } from "bun:test";
import type { ReadingColumns } from "../../../src/contract/columns.ts";
import { createUnitRegistry } from "../../../src/contract/units.ts";
import { Recording, SPAN_MS } from "../../../src/verify/benchmark/recording.ts";

const HOUR_MS = 3_600_000;
const END_MS = Date.UTC(2026, 0, 20, 12, 7);
const SYSTEM_ID = "0d3c41d2-7f4c-4a52-9b7e-2f5a3b0f6f11";
const recording = (rows: number, seed = 1) =>
  new Recording({ rows, system_id: SYSTEM_ID, end_ms: END_MS, seed });

interface Row {
  readonly sensor_id: string;
  readonly at_ms: number;
  readonly value: number;
  readonly unit: string;
}
function* rowsOf(groups: Iterable<ReadingColumns>): Generator<Row> {
  for (const group of groups)
    for (let i = 0; i < group.length; i += 1)
      yield {
        sensor_id: group.sensors[group.sensor[i]!]!,
        at_ms: group.timestamp_us[i]! / 1000,
        value: group.value[i]!,
        unit: group.units[group.unit[i]!]!,
      };
}

describe.each([100_000, 1_000_000])("%d readings", (rows) => {
  const made = recording(rows);
  const all = [...rowsOf(made.groups(20_000))];

  test("are about as many, all within the span, no key twice", () => {
    expect(Math.abs(all.length - rows) / rows).toBeLessThan(0.01);
    const keys = new Set(all.map(({ sensor_id, at_ms }) => `${sensor_id} ${at_ms}`));
    expect(keys.size).toBe(all.length);
    for (const { at_ms } of all) {
      if (at_ms < made.start_ms || at_ms >= END_MS) throw new Error(`${at_ms} is outside of the span`);
    }
  });

  test("come in the order of minutes, as they are sent", () => {
    const minutes = all.map(({ at_ms }) => Math.floor(at_ms / 60_000));
    expect(minutes.every((minute, i) => i === 0 || minute >= minutes[i - 1]!)).toBe(true);
  });

  test("belong to 100 sensors, each in its unit and within the unit's range", () => {
    const units = createUnitRegistry();
    const known = new Map(made.sensors.map((sensor) => [sensor.id, sensor.unit]));
    expect(known.size).toBe(100);
    const seen = new Set<string>();
    for (const { sensor_id, unit, value } of all) {
      seen.add(sensor_id);
      const limits = units.lookup(unit)!.range;
      if (known.get(sensor_id) !== unit || value < limits.min || value > limits.max)
        throw new Error(`${sensor_id}: ${value} ${unit}`);
    }
    expect(seen.size).toBe(100);
  });
});

test("the last day of four sensors is at 1 Hz from 1M readings on, the whole of it when there are enough", () => {
  const small = recording(1_000_000);
  expect(END_MS - small.fast_from_ms).toBe(25 * HOUR_MS);
  const [fast] = small.fastSensors;
  const last = [...rowsOf(small.groups(50_000))].filter(
    ({ sensor_id, at_ms }) => sensor_id === fast!.id && at_ms >= END_MS - 24 * HOUR_MS,
  );
  expect(last).toHaveLength(86_400);
  expect(END_MS - recording(25_000_000).fast_from_ms).toBe(SPAN_MS);
});

test("the same seed makes the same rows, another one others", () => {
  const sum = (made: Recording) => {
    const hash = new Bun.CryptoHasher("sha256");
    for (const { sensor_id, at_ms, value } of rowsOf(made.groups(10_000)))
      hash.update(`${sensor_id}${at_ms}${value}`);
    return hash.digest("hex");
  };
  expect(sum(recording(50_000))).toBe(sum(recording(50_000)));
  expect(sum(recording(50_000, 2))).not.toBe(sum(recording(50_000)));
});
