/** The unit registry over HTTP: complete, exact, and cached. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createUnitRegistry, toCanonical } from "../../../src/contract/units.ts";
import { ApiBench, type TestApi } from "../../support/api.ts";
import { expectProblem } from "../../support/problem.ts";
import { bodyOf } from "../../support/registry.ts";

interface UnitList {
  items: {
    symbol: string;
    quantity: string;
    min: number | null;
    max: number | null;
    source: string | null;
    aliases: { spellings: string[]; offset: string; factor: string }[];
  }[];
}

const own = { symbol: "ppm", name: "parts per million", quantity: "water content" };
let bench: ApiBench;
let api: TestApi;
let token: string;
beforeAll(async () => {
  bench = await ApiBench.create();
  api = await bench.start({ units: [own] });
  token = (await api.tokenFor("producer")).token;
});
afterAll(() => bench.close());

const get = (ifNoneMatch?: string) =>
  api.call(token, "GET", "/api/v1/units", undefined, ifNoneMatch ? { "If-None-Match": ifNoneMatch } : {});

describe("the list of units", () => {
  test("has every unit with its range, the operator's own included", async () => {
    const { items } = await bodyOf<UnitList>(await get());
    expect(items.map(({ symbol }) => symbol)).toEqual(
      createUnitRegistry([own])
        .list()
        .map(({ symbol }) => symbol),
    );
    expect(items[0]).toMatchObject({
      symbol: "bar",
      quantity: "pressure",
      min: 0,
      max: 700,
      source: "ISO 4413",
    });
    expect(items.at(-1)).toEqual({ ...own, min: null, max: null, source: null, aliases: [] });
  });

  test("has every alias with constants that convert to the very same double as ingest", async () => {
    const units = createUnitRegistry([own]);
    const { items } = await bodyOf<UnitList>(await get());
    let compared = 0;
    for (const { symbol, aliases } of items) {
      for (const { spellings, offset, factor } of aliases) {
        const [multiplier = "", divisor = "1"] = factor.split("/");
        for (const spelling of spellings) {
          const use = units.lookup(spelling);
          expect(use?.unit.symbol).toBe(symbol);
          for (const value of [-40, 0, 1, 32, 123.456, 1e6]) {
            const converted = ((value + Number(offset)) * Number(multiplier)) / Number(divisor);
            expect(converted, `${value} ${spelling}`).toBe(toCanonical(use!, value));
            compared += 1;
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(300);
    const celsius = items.find(({ symbol }) => symbol === "celsius");
    expect(celsius?.aliases[1]).toMatchObject({ offset: "-32", factor: "5/9" });
  });

  test("is kept by caches of one user, and not sent again while it is the same", async () => {
    const first = await get();
    const tag = first.headers.get("ETag") ?? "";
    expect(tag).toMatch(/^"[\w-]{20,}"$/);
    expect(first.headers.get("Content-Type")).toBe("application/json");
    expect(first.headers.get("Cache-Control")).toBe("private, max-age=300");
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      const again = await get(known);
      expect(again.status, known).toBe(304);
      expect(again.headers.get("ETag")).toBe(tag);
      expect(await again.text()).toBe("");
    }
    for (const other of ['"other"', "nonsense"]) expect((await get(other)).status).toBe(200);
    const without = await bench.start();
    const changed = await without.call(token, "GET", "/api/v1/units", undefined, { "If-None-Match": tag });
    expect(changed.status).toBe(200);
  });

  test("is for nobody without a token", async () => {
    await expectProblem(await api.fetch("/api/v1/units"), "authentication-required");
  });
});
