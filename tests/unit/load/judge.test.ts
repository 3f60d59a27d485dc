/** What a run is judged by: bounds, the knee of a ramp, memory; and what is told and kept of it. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judge } from "../../../load/run/judge.ts";
import { type RampShape, rampOf } from "../../../load/run/knee.ts";
import { growthOf } from "../../../load/run/memory.ts";
import { passed, report } from "../../../load/run/report.ts";
import type { LoadResult } from "../../../load/run/result.ts";
import { save } from "../../../load/run/save.ts";
import type { Look } from "../../../load/run/watch.ts";
import { jobId, sentBatch } from "../../support/load.ts";

const folder = mkdtempSync(join(tmpdir(), "load-results-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MIB = 2 ** 20;
const none = { stored: null, growth: null, ramp: null };

describe("bounds", () => {
  const run = {
    thresholds: [
      { metric: "accept_ms", rule: "p(95)<50", ok: true },
      { metric: "errors", rule: "count==0", ok: false },
    ],
    metrics: { accept_ms: { "p(95)": 12.34 }, errors: { count: 3 } },
  };

  test("of k6 are told with what it measured", () => {
    expect(judge({}, run, none)).toEqual([
      { rule: "accept_ms p(95)<50", found: "12.3", ok: true },
      { rule: "errors count==0", found: "3", ok: false },
    ]);
  });

  test.each([
    [{ stored_p95_ms: 500 }, { stored: { p50: 1, p95: 499, p99: 900 } }, true],
    [{ stored_p95_ms: 500 }, { stored: { p50: 1, p95: 500, p99: 900 } }, false],
    [{ memory_growth: 1.05 }, { growth: { minute_5: 100, end: 105, share: 1.05 } }, true],
    [{ memory_growth: 1.05 }, { growth: { minute_5: 100, end: 106, share: 1.06 } }, false],
    [{ memory_growth: 1.05 }, {}, null],
    [{ knee_rows_per_s: 10_000 }, { ramp: { steps: [], knee: 10_000 } }, true],
    [{ knee_rows_per_s: 10_000 }, { ramp: { steps: [], knee: null } }, false],
  ])("of what k6 does not see: %j with %j is %p", (bounds, measured, ok) => {
    const judged = judge(bounds, { thresholds: [], metrics: {} }, { ...none, ...measured });
    expect(judged.map((bound) => bound.ok)).toEqual([ok]);
  });
});

describe("the knee", () => {
  const shape: RampShape = { pace: [1_000, 2_000, 3_000], step_s: 1, batch: 100 };
  /** Batches of a step, evenly over its second. */
  const stepOf = (step: number, batches: number, took_ms = 5, status = 202) =>
    Array.from({ length: batches }, (_, i) => ({
      ...sentBatch(step, i, status, step * 1000 + Math.floor((i * 1000) / batches)),
      took_ms,
    }));
  const jobsOf = (sent: readonly { rig: number; n: number }[], ms: (rig: number) => number) =>
    sent.map(({ rig, n }) => ({
      job_id: jobId(rig, n),
      status: "completed" as const,
      total_readings: 100,
      inserted_readings: 100,
      duplicate_readings: 0,
      quarantined_readings: 0,
      created_at_ms: 0,
      completed_at_ms: ms(rig),
    }));

  test("is the last step when all are in bounds", () => {
    const sent = [...stepOf(0, 10), ...stepOf(1, 20), ...stepOf(2, 30)];
    expect(
      rampOf(
        shape,
        sent,
        jobsOf(sent, () => 20),
      ),
    ).toMatchObject({
      knee: 3_000,
      steps: [{ accepted: 1_000 }, { accepted: 2_000 }, { accepted: 3_000, beyond: null }],
    });
  });

  test.each([
    ["slow answers", stepOf(1, 20, 150), () => 20, "accept p95"],
    ["a backlog", stepOf(1, 20), (rig: number) => (rig === 1 ? 1_500 : 20), "backlog"],
    [
      "refusals",
      [...stepOf(1, 19), ...stepOf(9, 1, 5, 503).map((one) => ({ ...one, at_ms: 1_999 }))],
      () => 20,
      "1 requests not accepted",
    ],
    ["k6 being too slow", stepOf(1, 15), () => 20, "k6 could not send more"],
  ])("is before the step with %s, whatever comes later", (_, second, ms, beyond) => {
    const sent = [...stepOf(0, 10), ...second, ...stepOf(2, 30)];
    const ramp = rampOf(shape, sent, jobsOf(sent, ms));
    expect({ knee: ramp.knee, beyond: ramp.steps[1]?.beyond }).toEqual({ knee: 1_000, beyond });
  });

  test("is nowhere when the first step is out of bounds already", () => {
    expect(rampOf(shape, stepOf(0, 5), []).knee).toBeNull();
  });
});

describe("memory", () => {
  const looksFor = (seconds: number, rss: (at_s: number) => number | null): Look[] =>
    Array.from({ length: seconds }, (_, i) => ({ at_s: i + 1, rss_bytes: rss(i + 1), backlog: 0 }));

  test("is that of the end against minute 5; what came before does not count", () => {
    const looks = looksFor(1_800, (s) => (s < 300 ? 900 : 100 + s / 100) * MIB);
    expect(growthOf(looks)?.share).toBeCloseTo(117.7 / 103.3, 2);
  });

  test("of one moment says nothing: a spike does not count", () => {
    expect(growthOf(looksFor(900, (s) => (s === 895 ? 500 : 100) * MIB))?.share).toBe(1);
  });

  test("is not judged in a short run, nor where it cannot be known", () => {
    expect(growthOf(looksFor(500, () => MIB))).toBeNull();
    expect(growthOf(looksFor(900, () => null))).toBeNull();
    expect(growthOf([])).toBeNull();
  });
});

describe("a result", () => {
  const result: LoadResult = {
    date: "2026-11-27T12:00:00.000Z",
    scenario: "steady",
    seconds: 60,
    target: "own stack",
    machine: null,
    k6: { version: "v1.8.1", cpu_s: 3, elapsed_s: 60 },
    rows_accepted: 599_000,
    rows_per_s: 9_983,
    requests: { accepted: 599, refused: 1, unknown: 1 },
    not_accepted: { 0: 1, 429: 1 },
    accept: { p50: 2, p95: 4, p99: 9 },
    stored: { p50: 5, p95: 9, p99: 20 },
    job_ended: null,
    looked: null,
    use: null,
    ramp: null,
    data: { readings: 599_000, sensors: 160, jobs: 599, quarantined: 0, unknown: 1, unknown_there: 0 },
    bounds: [{ rule: "errors count==0", found: "0", ok: true }],
  };
  const broken = { ...result, bounds: [{ rule: "errors count==0", found: "2", ok: false }] };
  const wrong = { ...result, data: { wrong: "a job is there twice" } };

  test("passes with bounds kept, or not judged, and data right", () => {
    expect([result, broken, wrong].map(passed)).toEqual([true, false, false]);
    expect(passed({ ...result, bounds: [{ rule: "memory", found: "short", ok: null }] })).toBe(true);
  });

  test("tells what was not accepted, which bound is broken and which data is wrong", () => {
    expect(report(broken)).toMatch(/599 accepted, 1 refused, 1 unknown \(1 without answer, 1 429\)/);
    expect(report(broken)).toMatch(/BROKEN +errors count==0 {2}\(2\)[\s\S]*data: right[\s\S]*FAILED\n$/);
    expect(report(wrong)).toMatch(/kept +errors[\s\S]*data: WRONG: a job is there twice\nFAILED\n$/);
    expect(report(result)).toMatch(/of 1 requests without a clear answer 0 are there, whole\npassed\n$/);
  });

  test("is kept by day and scenario, with a line in the table of all", async () => {
    expect(await save(result, folder)).toBe("2026-11-27-load-steady.json");
    await save({ ...broken, scenario: "small" }, folder);
    await save({ ...result, rows_per_s: 10_001 }, folder);
    const table = readFileSync(join(folder, "load.md"), "utf8").trimEnd().split("\n").slice(-2);
    expect(table[0]).toMatch(
      /^\| \[2026-11-27\]\(2026-11-27-load-small.json\) .* broken: errors count==0 \|$/,
    );
    expect(table[1]).toMatch(/^\| \[2026-11-27\]\(2026-11-27-load-steady.json\) .* 10,001 .* kept \|$/);
    const stored = JSON.parse(readFileSync(join(folder, "2026-11-27-load-steady.json"), "utf8"));
    expect(stored).toMatchObject({ scenario: "steady", rows_per_s: 10_001 });
  });
});
