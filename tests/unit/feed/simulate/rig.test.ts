import { describe, expect, test } from "bun:test";
import { Chance } from "../../../../src/feed/simulate/chance.ts";
import { Rig, SENSORS } from "../../../../src/feed/simulate/rig.ts";

const index = (name: string) => SENSORS.findIndex((sensor) => sensor.name === name);

/** Each sensor's values of a run: rows[tick][sensor]. */
function record(seed: number, step_s: number, ticks: number): number[][] {
  const rig = new Rig(new Chance(seed, "test"));
  return Array.from({ length: ticks }, () => {
    rig.advance(step_s);
    return [...rig.values];
  });
}

function column(rows: number[][], name: string): number[] {
  return rows.map((row) => row[index(name)]!);
}

function correlation(a: number[], b: number[]): number {
  const mean = (xs: number[]) => xs.reduce((s, x) => s + x, 0) / xs.length;
  const [ma, mb] = [mean(a), mean(b)];
  const covariance = a.reduce((s, x, i) => s + (x - ma) * (b[i]! - mb), 0);
  const spread = (xs: number[], m: number) => Math.sqrt(xs.reduce((s, x) => s + (x - m) ** 2, 0));
  return covariance / (spread(a, ma) * spread(b, mb));
}

const span = (xs: number[]) => Math.max(...xs) - Math.min(...xs);

describe("a simulated rig", () => {
  const seeds = [1, 2, 3, 4, 5];

  test.each(seeds)("seed %d: flow follows speed, pressure follows the load, all quantities move", (seed) => {
    const rows = record(seed, 0.1, 6000);
    expect(correlation(column(rows, "pump_speed"), column(rows, "pump_flow"))).toBeGreaterThan(0.9);
    expect(correlation(column(rows, "supply_pressure"), column(rows, "load_pressure"))).toBeGreaterThan(0.95);
    expect(correlation(column(rows, "case_drain_flow"), column(rows, "supply_pressure"))).toBeGreaterThan(
      0.8,
    );
    expect(correlation(column(rows, "return_pressure"), column(rows, "pump_flow"))).toBeGreaterThan(0.9);
    expect(span(column(rows, "pump_speed"))).toBeGreaterThan(400);
    expect(span(column(rows, "supply_pressure"))).toBeGreaterThan(100);
  });

  test.each(seeds)("seed %d: load cycles return with their period", (seed) => {
    const pressure = column(record(seed, 1, 1200), "supply_pressure");
    const middle = (Math.max(...pressure) + Math.min(...pressure)) / 2;
    const rises = pressure.filter((p, i) => i > 0 && pressure[i - 1]! < middle && p >= middle).length;
    // 1,200 s of cycles between 45 and 70 s, each with one rise.
    expect(rises).toBeGreaterThanOrEqual(16);
    expect(rises).toBeLessThanOrEqual(28);
  });

  test.each(seeds)("seed %d: the oil warms slowly to a balance", (seed) => {
    const oil = column(record(seed, 1, 4 * 3600), "tank_temperature");
    const step = Math.max(...oil.slice(1).map((t, i) => Math.abs(t - oil[i]!)));
    expect(step).toBeLessThan(0.4);
    expect(span(oil.slice(2 * 3600))).toBeLessThan(3);
    expect(Math.min(...oil)).toBeGreaterThan(20);
    expect(Math.max(...oil)).toBeLessThan(85);
  });

  test.each([1e-5, 0.01, 1, 30, 3600])("stays within physical limits at steps of %d s", (step_s) => {
    for (const seed of seeds) {
      for (const row of record(seed, step_s, 2000)) {
        const by = (name: string) => row[index(name)]!;
        expect(row.every(Number.isFinite)).toBe(true);
        expect(by("pump_speed")).toBeWithin(800, 1600);
        expect(by("pump_flow")).toBeWithin(15, 60);
        expect(by("supply_pressure")).toBeWithin(0, 300);
        expect(by("load_pressure")).toBeLessThanOrEqual(by("supply_pressure") + 2);
        expect(by("case_temperature")).toBeWithin(18, 100);
      }
    }
  });

  test("differs from its neighbour and repeats itself", () => {
    expect(record(1, 0.1, 100)).toEqual(record(1, 0.1, 100));
    expect(record(1, 0.1, 100)).not.toEqual(record(2, 0.1, 100));
  });
});

describe("chance", () => {
  test("is even, normal where asked, and the same for the same seed and purpose", () => {
    const chance = new Chance(7, "a");
    const evens = Array.from({ length: 20_000 }, () => chance.uniform());
    expect(evens.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(evens.reduce((s, x) => s + x, 0) / evens.length).toBeCloseTo(0.5, 1);
    const normals = Array.from({ length: 20_000 }, () => chance.normal());
    const variance = normals.reduce((s, x) => s + x * x, 0) / normals.length;
    expect(variance).toBeWithin(0.95, 1.05);
    expect(new Chance(7, "a").uniform()).toBe(new Chance(7, "a").uniform());
    expect(new Chance(7, "a").uniform()).not.toBe(new Chance(7, "b").uniform());
  });
});
