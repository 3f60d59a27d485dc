/** What the benchmark sends and says: its figures are only worth something if these are right. */
import { describe, expect, test } from "bun:test";
import { compare } from "../../../load/bench/compare.ts";
import { Dataset } from "../../../load/bench/dataset.ts";
import type { HttpRun } from "../../../load/bench/http-runs.ts";
import { readOptions } from "../../../load/bench/options.ts";
import type { Repetition, Result } from "../../../load/bench/report.ts";

interface SentReading {
  readonly sensor_id: string;
  readonly timestamp: string;
  readonly value: number;
}

const SHAPE = {
  system_id: "6b1f3c52-9d0e-4a7b-8c11-d7a4f0e2b365",
  start_ms: Date.UTC(2026, 0, 5),
  interval_ms: 20,
};
const data = new Dataset({ rows: 1_000, ...SHAPE });
const readingsOf = (bodies: Iterable<Buffer>) =>
  [...bodies].flatMap((body) => (JSON.parse(body.toString()) as { readings: SentReading[] }).readings);
const keyOf = ({ sensor_id, timestamp }: SentReading) => `${sensor_id} ${timestamp}`;

describe("what is sent", () => {
  test("has every reading once, and the same in line protocol", () => {
    const readings = readingsOf(data.bodies(300));
    expect(new Set(readings.map(keyOf)).size).toBe(1_000);
    const lines = [...data.lines(300)].flatMap((body) => body.toString().trimEnd().split("\n"));
    const values = lines.map((line) => Number(/value=(\S+)/.exec(line)?.[1]));
    expect(values).toEqual(readings.map(({ value }) => value));
  });

  test("with conflicts: one in a hundred is stored as it is, one in a hundred with another value", () => {
    const stored = new Map(readingsOf(data.storedBefore(300)).map((one) => [keyOf(one), one.value]));
    const sent = readingsOf(data.contradicting(300));
    const met = sent.filter((one) => stored.has(keyOf(one)));
    const conflicting = met.filter((one) => stored.get(keyOf(one)) !== one.value).length;
    expect(data.contradictions()).toEqual({ identical: met.length - conflicting, conflicting });
    expect([stored.size, met.length, conflicting]).toEqual([20, 20, 10]);
  });

  test("with late ones: one in ten of every batch, each once", () => {
    const late = new Dataset({ rows: 100, ...SHAPE, start_ms: SHAPE.start_ms - 1_000_000 });
    const fresh = new Dataset({ rows: 900, ...SHAPE });
    const bodies = [...fresh.bodiesWith(late, 200)];
    for (const body of bodies) {
      const early = readingsOf([body]).filter(({ timestamp }) => Date.parse(timestamp) < SHAPE.start_ms);
      expect(early).toHaveLength(20);
    }
    expect(new Set(readingsOf(bodies).map(keyOf)).size).toBe(1_000);
  });
});

describe("the guard", () => {
  const run = (rows_per_s: number) => ({ rows_per_s }) as HttpRun;
  const result = (...shares: readonly number[]) =>
    ({
      repetitions: shares.map(
        (share): Repetition => ({
          raw: { tool: "", ms: 1, rows_per_s: 1_000 },
          large: run(1_000 * share),
          small: run(500),
        }),
      ),
    }) as unknown as Result;

  test.each([
    [[0.9, 0.8, 0.85], 0.84, null],
    [[0.9, 0.8, 0.85], 0.95, "slower"],
    [[0.86, 0.85, 0.85], 0.8, "faster"],
  ] as const)("shares %p beside %p: %p", (now, stored, moved) => {
    const [large, small] = compare(result(...now), result(stored));
    expect(large).toMatchObject({ phase: "large", moved });
    expect(small).toMatchObject({ phase: "small", moved: null, noise: 0 });
  });

  test("leaves out what one of the runs does not have", () => {
    expect(compare(result(0.9), { repetitions: [] } as unknown as Result)).toEqual([]);
  });
});

describe("the command line", () => {
  test("--quick compares and saves nothing; a run of some phases saves nothing", () => {
    expect(readOptions(["--quick"])).toMatchObject({ compare: true, save: false });
    expect(readOptions([])).toMatchObject({ compare: false, save: true, repetitions: 5, rows: 1_000_000 });
    expect(readOptions(["--only", "small,raw"])).toMatchObject({ save: false, http: ["small"] });
    expect(readOptions(["--help"])).toBeNull();
  });

  test.each([
    ["--only", "huge"],
    ["--rows", "0"],
    ["--stored", "many"],
    ["--fast", "1"],
  ])("%p %p is refused by name", (name, value) => {
    expect(() => readOptions([name, value])).toThrow(name.slice(2));
  });
});
