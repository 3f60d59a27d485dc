/** Rates from counters that begin anew with each process. */
import { expect, test } from "bun:test";
import { OverviewRates } from "../../../src/api/overview-rates.ts";

const beat = (process: string, inserted: number, quarantined = 0) => ({
  process,
  threads: [],
  counts: { inserted, judged: inserted + quarantined, quarantined },
});
const NOTHING = { accepted_rows_per_s: null, committed_rows_per_s: null, quarantined_share: null };

test("there are no rates at the first look, whatever the counters say", () => {
  expect(new OverviewRates().note(0, 5_000, [beat("a", 900)])).toEqual(NOTHING);
});

test("rates are differences over the last 10 s, over all processes", () => {
  const rates = new OverviewRates();
  rates.note(0, 5_000, [beat("a", 900)]);
  expect(rates.note(2_000, 5_500, [beat("a", 1_000, 25), beat("b", 75)])).toEqual({
    accepted_rows_per_s: 250,
    committed_rows_per_s: 87.5,
    quarantined_share: 0.125,
  });
  rates.note(4_000, 5_500, [beat("b", 75)]);
  expect(rates.note(13_000, 5_500, [beat("b", 165)])).toEqual({
    accepted_rows_per_s: 0,
    committed_rows_per_s: 10,
    quarantined_share: 0,
  });
});

test("a counter that was lost gives 0, not less", () => {
  const rates = new OverviewRates();
  rates.note(0, 5_000, [beat("a", 900)]);
  expect(rates.note(1_000, 3, [beat("a", 3)])).toEqual({
    accepted_rows_per_s: 0,
    committed_rows_per_s: 0,
    quarantined_share: null,
  });
});

test("after a pause it begins anew", () => {
  const rates = new OverviewRates();
  rates.note(0, 5_000, [beat("a", 900)]);
  expect(rates.note(15_001, 9_000, [beat("a", 9_000)])).toEqual(NOTHING);
});
