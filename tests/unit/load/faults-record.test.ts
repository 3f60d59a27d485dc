/** What a run of faults tells: which faults were around a moment, how long recovery took, and a line for the record. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FaultResult, passed, report } from "../../../load/faults/result.ts";
import { save } from "../../../load/faults/save.ts";
import { type PlannedFault, scheduleOf } from "../../../load/faults/schedule.ts";
import { Timeline } from "../../../load/faults/timeline.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "faults-record-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const faults: readonly PlannedFault[] = scheduleOf(7, 6).flat();

test("the faults around a moment are the last before it and the first after it", async () => {
  const timeline = new Timeline();
  const begun: number[] = [];
  const before = Date.now() - 1;
  for (const fault of faults) {
    await Bun.sleep(3);
    await timeline.during(fault, async () => {
      begun.push(Date.now());
    });
  }
  const numbers = (lines: readonly string[]) => lines.map((line) => Number(/^\d+/.exec(line)?.[0]));
  expect(numbers(timeline.around(begun[3]!, 2))).toEqual([3, 4, 5, 6]);
  expect(numbers(timeline.around(before, 2))).toEqual([1, 2]);
  expect(numbers(timeline.around(null, 2))).toEqual([5, 6]);
});

test("a fault that fails is not counted as done, one that this machine cannot do is counted apart", async () => {
  const timeline = new Timeline();
  const [first, second, third] = faults;
  await timeline.during(first!, async () => undefined);
  await timeline
    .during(second!, async () => {
      throw new Error("it did not come about");
    })
    .catch(() => undefined);
  timeline.notDone(third!);
  expect({ done: timeline.done, not_done: timeline.not_done }).toEqual({ done: 1, not_done: 1 });
  expect(timeline.kinds()[third!.kind]).toMatchObject({ not_done: 1 });
  expect(timeline.around(null).at(-1)).toContain("not ended");
});

test("recovery is told over all rounds and for each kind, with the worst round and what it waited for", () => {
  const timeline = new Timeline();
  const [first, second] = faults;
  for (const took_ms of [100, 300, 200])
    timeline.recovered([first!], { took_ms, last: ["redis is not ready"] });
  timeline.recovered([first!, second!], { took_ms: 4_000.4, last: ["api-1 is not ready"] });
  expect(timeline.recovery()).toEqual({ p50: 200, p95: 4_000, max: 4_000 });
  expect(timeline.worst).toMatchObject({ took_ms: 4_000, last: ["api-1 is not ready"] });
  expect(timeline.worst.faults).toHaveLength(2);
});

const result: FaultResult = {
  ...{ date: "2026-11-27T12:00:00.000Z", seed: 7, count: 1_000, day: "2026-11-27", bound_s: 60 },
  machine: {
    ...{ cpu: "Chip", cores: 2, memory_gib: 8, kernel: "Linux", bun: "1", postgres: "17", timescaledb: "2" },
    ...{ redis: "8", commit: "abcdef0", load_before: 0.1 },
  },
  ...{
    elapsed_s: 1_200,
    rounds: 350,
    done: 990,
    not_done: 10,
    no_disks: "no file system can be mounted here",
  },
  recovery: { p50: 500, p95: 3_000, max: 9_000 },
  worst: { took_ms: 9_000, last: ["api-1 is not ready"], faults: ["1. kill-api api-1 at +1 ms"] },
  kinds: {},
  sends: { accepted: 20_000, replayed: 3, refused: 4, unknown: 5, cut: 6 },
  statuses: { "0": 3, "503": 2 },
  reviews: { batches: 90, readings: 4_000, decisions: 80, tasks: 60, again: 3 },
  ...{ failed_starts: 0, own_ends: [], verify: "clean", failure: null },
  data: {
    ...{ differences: 0, jobs: 20_000, readings: 1_000_000, inserted: 900_000, duplicate: 40_000 },
    ...{ quarantined: 60_000, failed_jobs: 600, unknown: 5, unknown_there: 2 },
  },
};

test("a run passes only without a failure and without a difference", () => {
  expect(passed(result)).toBe(true);
  expect(passed({ ...result, data: { ...result.data!, differences: 1 } })).toBe(false);
  expect(passed({ ...result, data: null })).toBe(false);
  expect(passed({ ...result, failure: "not recovered" })).toBe(false);
  expect(report(result)).toContain("990 done in 350 rounds and 1200 s; 10 not done: no file system");
  expect(report(result)).toEndWith("passed\n");
  expect(report({ ...result, failure: "not recovered" })).toEndWith("not recovered\nFAILED\n");
});

test("a run is a file of its day and seed, and all runs are a table", async () => {
  expect(await save(result, folder)).toBe("2026-11-27-faults-7.json");
  const wrong = { ...result, seed: 8, data: { ...result.data!, differences: 3 } };
  await save(wrong, folder);
  const rows = readFileSync(join(folder, "faults.md"), "utf8").trimEnd().split("\n").slice(-2);
  expect(rows[0]).toMatch(
    /^\| \[2026-11-27\]\(2026-11-27-faults-7\.json\) \| 7 \| 990 \| 10 \| abcdef0 .* \| right \|$/,
  );
  expect(rows[1]).toContain("| 3 differences |");
});
