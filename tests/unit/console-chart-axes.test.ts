/** The axes of the console's charts: lines that can be told apart at every scale, and a stretch around what is constant. */
import { describe, expect, test } from "bun:test";
import { labelsSize, offsetsOf, valueLabels, valueRange } from "../../src/console/client/ui/chart-axes.ts";

describe("labels of values", () => {
  test.each([
    [[0, 50, 100], 50, ["0", "50", "100"]],
    [[-60, -40.0000001, -20], 20, ["-60", "-40", "-20"]],
    [[2.5, 5, 7.5], 2.5, ["2.5", "5.0", "7.5"]],
    [[0, 0.25, 0.5], 0.25, ["0.00", "0.25", "0.50"]],
    [[-0, 0.1], 0.1, ["0.0", "0.1"]],
    [[1_000_000, 1_100_000], 100_000, ["1,000,000", "1,100,000"]],
    [[4.2e9, 4.25e9], 5e7, ["4.20e+9", "4.25e+9"]],
    [[9e-7, 1e-6], 1e-7, ["9.0e-7", "1.0e-6"]],
    [[100.00105, 100.0011], 5e-5, ["100.00105", "100.00110"]],
  ])("%p at a step of %p", (values, step, expected) => {
    expect(valueLabels(values, step)).toEqual(expected);
  });

  test("no two lines have one label, from 1e-9 to 1e9, around nought and far from it", () => {
    for (let power = -9; power <= 9; power += 1)
      for (const step of [1, 2, 2.5, 5].map((one) => one * 10 ** power))
        for (const from of [-3 * step, 0, 997 * step]) {
          const labels = valueLabels(
            [0, 1, 2, 3, 4, 5, 6].map((n) => from + n * step),
            step,
          );
          expect(new Set(labels).size).toBe(7);
        }
  });

  test("long ones have room", () => {
    expect(labelsSize(null)).toBe(labelsSize(["0"]));
    expect(labelsSize(["100.00105"])).toBeGreaterThan(labelsSize(["100"]));
  });
});

test.each([
  [undefined, 10, 20, 10, 20],
  [undefined, -20, -10, -20, -10],
  [undefined, 125, 125, 124, 126],
  [undefined, 1e-6, 1e-6, 9.5e-7, 1.05e-6],
  [undefined, -1e6, -1e6, -1.05e6, -9.5e5],
  [undefined, 0, 0, -0.5, 0.5],
  [0, 5, 10, 0, 10],
])("with the floor %p, values from %p to %p have room, and fill it", (floor, min, max, low, high) => {
  const [from, to] = valueRange(floor, min, max);
  expect(from).toBeLessThanOrEqual(low);
  expect(to).toBeGreaterThanOrEqual(high);
  expect(to - from).toBeLessThanOrEqual((high - low) * 25);
  expect(valueRange(floor, null, null)).toEqual([0, 1]);
});

test("times of one offset are told by it, whatever their stretch", () => {
  const s = Date.UTC(2026, 6, 10) / 1000;
  const at = (min: number, max: number) => offsetsOf({ min, max } as Parameters<typeof offsetsOf>[0]);
  expect(at(s, s + 60)).toBe(at(s, s));
  expect(at(s, s).length).toBeGreaterThan(0);
});
