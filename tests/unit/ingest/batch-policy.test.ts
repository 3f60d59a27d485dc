import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BatchPolicy } from "../../../src/ingest/batch-policy.ts";

const BOUNDS = { entries: 256, rows: 40_000, bytes: 8_388_608 };
const after = (...groups: [entries: number, rows: number, bytes: number][]) => {
  const policy = new BatchPolicy(BOUNDS);
  for (const group of groups) policy.saw(...group);
  return policy.count;
};

describe("how many entries are asked for", () => {
  test.each<[string, [number, number, number][], number]>([
    ["a few at first", [], 4],
    ["doubles while entries are small", [[4, 400, 4_000]], 8],
    ["doubles again and again", Array.from({ length: 4 }, () => [4, 400, 4_000]), 64],
    ["up to the bound of entries", Array.from({ length: 20 }, () => [4, 400, 4_000]), 256],
    [
      "follows the rows",
      [
        [4, 20_000, 4_000],
        [4, 20_000, 4_000],
      ],
      8,
    ],
    [
      "falls at once when entries grow",
      [...Array.from({ length: 9 }, () => [4, 4, 4] as [number, number, number]), [256, 2_560_000, 1_000]],
      4,
    ],
    ["follows the bytes", [[4, 4, 4 * 4_194_304]], 2],
    ["is never below one", [[1, 10_000_000, 1]], 1],
    ["is never below one for huge bodies", [[1, 1, 268_435_456]], 1],
    ["learns nothing from nothing", [[0, 0, 0]], 4],
    ["copes with empty bodies", [[4, 0, 0]], 8],
  ])("%s", (_, groups, count) => {
    expect(after(...groups)).toBe(count);
  });
});

describe("portions", () => {
  const portions = (sizes: readonly number[]) =>
    new BatchPolicy({ ...BOUNDS, bytes: 10 }).portions(sizes, (size) => size);
  test.each<[number[], number[][]]>([
    [[], []],
    [[10], [[10]]],
    [[11], [[11]]],
    [
      [4, 6, 1],
      [[4, 6], [1]],
    ],
    [
      [11, 1, 9, 11],
      [[11], [1, 9], [11]],
    ],
    [[0, 0, 0], [[0, 0, 0]]],
  ])("of %j are %j", (sizes, expected) => {
    expect(portions(sizes)).toEqual(expected);
  });
  test("hold everything in order, and more than the bound only in a single item", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(15)), (sizes) => {
        const list = portions(sizes);
        expect(list.flat()).toEqual(sizes);
        for (const portion of list) {
          expect(portion.length === 1 || portion.reduce((a, b) => a + b, 0) <= 10).toBe(true);
          expect(portion.length).toBeGreaterThan(0);
        }
      }),
      { seed: 5 },
    );
  });
});
