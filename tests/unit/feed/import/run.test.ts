import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Mapping } from "../../../../src/feed/import/mapping.ts";
import { FindingLog } from "../../../../src/feed/import/report.ts";
import { Import, type ImportRun } from "../../../../src/feed/import/run.ts";
import { inspectFile } from "../../../../src/feed/import/source.ts";
import { isWhole } from "../../../../src/feed/import/summary.ts";
import { systemClock } from "../../../../src/ops/clock.ts";
import { sleep } from "../../../../src/ops/retry.ts";
import { FakeService, type Scripted } from "../../../support/fake-service.ts";
import { clientOf } from "../../../support/feed.ts";
import { until } from "../../../support/until.ts";

const SYSTEM = "550e8400-e29b-41d4-a716-446655440000";
const SURROUNDINGS = { clock: systemClock, random: Math.random, sleep };
const MAPPING: Mapping = {
  time: { start: "2026-01-01T00:00:00Z", columns: { s: 1 } },
  columns: { PS1: { unit: "bar" }, TS1: { unit: "celsius" } },
};

let fake: FakeService;
let folder: string;
let stop: AbortController;
beforeEach(async () => {
  fake = await FakeService.start({ page: 3, polls_until_done: 0 });
  folder = await mkdtemp(join(tmpdir(), "hydraulic-import-"));
  stop = new AbortController();
});
afterEach(async () => {
  await fake.stop();
  await rm(folder, { recursive: true });
});

/** s, PS1, TS1 for `rows` rows; `change` replaces lines by number. */
function csv(rows: number, change: Record<number, string> = {}): string {
  const lines = ["s,PS1,TS1", ...Array.from({ length: rows }, (_, i) => `${i},${100 + (i % 50)},40.5`)];
  for (const [line, text] of Object.entries(change)) lines[Number(line) - 1] = text;
  return `${lines.join("\n")}\n`;
}

async function start(content: string | Uint8Array, changes: Partial<ImportRun> = {}) {
  const path = join(folder, "data");
  await Bun.write(path, content);
  const shown: string[] = [];
  const findings = new FindingLog(join(folder, "report.tsv"), 1000, (text) => shown.push(text));
  await findings.open();
  const retry = { deadline_ms: 60_000, first_backoff_ms: 5, max_backoff_ms: 20 };
  const run = new Import({
    source: await inspectFile(path),
    mapping: MAPPING,
    system_id: SYSTEM,
    client: clientOf(fake.url, SURROUNDINGS, retry),
    batch_size: 7,
    concurrency: 3,
    wait_ms: 60_000,
    findings,
    onHeader: () => undefined,
    stop: stop.signal,
    abandon: new AbortController().signal,
    ...changes,
  });
  return { run, shown, findings };
}

async function importAll(content: string | Uint8Array, changes: Partial<ImportRun> = {}) {
  const started = await start(content, changes);
  await started.run.run();
  await started.findings.close();
  return started;
}

describe("an import brings every reading of a file once", () => {
  test.each([
    ["plain", csv(500)],
    ["gzip", gzipSync(csv(500))],
    ["CRLF with a byte order mark", `\ufeff${csv(500).replaceAll("\n", "\r\n")}`],
  ])("%s", async (_name, content) => {
    const { run } = await importAll(content);
    expect(fake.stored.size).toBe(1000);
    expect(run.counts).toMatchObject({
      rows: 500,
      readings: 1000,
      batches: 143,
      inserted: 1000,
      empty_lines: 0,
    });
    expect(isWhole(run.counts, run.failures, false, false)).toBe(true);
  });

  test("also through refusals, faults and lost connections", async () => {
    const trouble: Scripted[] = ["drop", "drop-after", { status: 503 }, { status: 429 }, { status: 500 }];
    fake.script("ingest", ...trouble, ...trouble);
    fake.script("job", "drop", { status: 503 });
    const { run } = await importAll(csv(200));
    expect(run.failures).toEqual([]);
    expect(run.counts.inserted).toBe(400);
    expect(fake.jobs.size).toBe(run.counts.batches);
  });

  test("a second run of the same file and mapping brings nothing twice", async () => {
    await importAll(csv(200));
    const jobs = fake.jobs.size;
    const { run } = await importAll(csv(200));
    expect(fake.jobs.size).toBe(jobs);
    expect(run.counts).toMatchObject({ inserted: 400, replayed_batches: run.counts.batches });
  });

  test("with another batch size it is sent again, and the service counts identical readings", async () => {
    await importAll(csv(200));
    const { run } = await importAll(csv(200), { batch_size: 11 });
    expect(run.counts).toMatchObject({ inserted: 0, duplicate: 400, replayed_batches: 0 });
    expect(isWhole(run.counts, run.failures, false, false)).toBe(true);
  });

  test("holds no more batches than allowed, however slow the service", async () => {
    await fake.stop();
    fake = await FakeService.start({ polls_until_done: 1_000_000 });
    const { run } = await start(csv(500), { wait_ms: 300 });
    const running = run.run();
    await until("the lanes are full", () => fake.count("ingest") === 3);
    await running;
    expect(fake.count("ingest")).toBe(3);
    expect(run.failures[0]).toContain("is still processing");
  });
});

describe("what goes wrong is told with its line and column", () => {
  const damaged = csv(60, {
    5: "3,900,40",
    6: "4,,40",
    20: "18,100,warm",
    30: "28,100",
    31: "",
    40: ",100,40",
    50: '48,"1000",-300',
  });

  test("in the order of the file where the service decides, and counted", async () => {
    const { run, shown } = await importAll(damaged);
    const texts = shown
      .map((text) => text.replace(/(out_of_range).*/, "$1"))
      .sort((a, b) => lineOf(a) - lineOf(b));
    expect(texts).toEqual([
      "line 5, PS1: out_of_range",
      'line 20, TS1: unreadable: "warm" is not a number',
      "line 30: unreadable: 2 cells, but the header has 3",
      "line 40, s: unreadable: the time is empty",
      "line 50, PS1: out_of_range",
      "line 50, TS1: out_of_range",
    ]);
    expect(run.counts).toMatchObject({
      rows: 59,
      empty_lines: 1,
      empty_cells: 1,
      unreadable_cells: 5,
      unreadable_lines: 1,
      readings: 112,
      inserted: 109,
      quarantined: 3,
      by_reason: { out_of_range: 3 },
    });
    const { counts } = run;
    expect(counts.rows * 2).toBe(counts.readings + counts.empty_cells + counts.unreadable_cells);
    expect(isWhole(run.counts, run.failures, false, true)).toBe(false);
    const report = await Bun.file(join(folder, "report.tsv")).text();
    expect(report.split("\n")).toHaveLength(8);
    expect(report).toContain("\n5\t5\tPS1\tout_of_range\t");
  });

  test("over several pages of the quarantine, and allowed if that is wished", async () => {
    const hot = csv(40, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [i + 2, `${i},100,999`])));
    const { run, shown } = await importAll(hot, { batch_size: 80 });
    expect(shown.map(lineOf)).toEqual(Array.from({ length: 40 }, (_, i) => i + 2));
    expect(run.counts.by_reason).toEqual({ out_of_range: 40 });
    expect(isWhole(run.counts, run.failures, false, false)).toBe(false);
    expect(isWhole(run.counts, run.failures, false, true)).toBe(true);
  });

  test("lines swallowed by a quote without end", async () => {
    const { run, shown } = await importAll(csv(20, { 15: '13,"100,40' }));
    expect(shown).toEqual([
      expect.stringMatching(/^lines 15-21: unreadable: a quote opened here is not closed/),
    ]);
    expect(run.counts).toMatchObject({ rows: 13, inserted: 26, unreadable_lines: 7 });
    expect(isWhole(run.counts, run.failures, false, true)).toBe(false);
  });

  test("damage in the middle of a gzip file, after what lay before it", async () => {
    const packed = gzipSync(csv(20_000), { level: 0 });
    const { run } = await importAll(packed.subarray(0, packed.length / 2), { batch_size: 500 });
    expect(run.failures).toEqual([expect.stringMatching(/^the file cannot be read beyond line \d+: /)]);
    expect(run.counts.inserted).toBe(fake.stored.size);
    expect(fake.stored.size).toBeGreaterThan(0);
    expect(run.counts.unaccounted()).toBe(0);
  });
});

describe("an import that cannot go on ends", () => {
  test("at a batch that is refused, and says which lines it held", async () => {
    fake.script("ingest", { status: 403, body: { detail: "not a producer" } });
    const { run } = await importAll(csv(500), { concurrency: 1 });
    expect(run.failures).toEqual(["the batch of lines 2-5 was refused with 403: not a producer"]);
    expect(fake.count("ingest")).toBeLessThan(5);
    expect(isWhole(run.counts, run.failures, false, true)).toBe(false);
  });

  test("at a system that is not registered; once it is, the same import goes through", async () => {
    const system_id = "00000000-0000-4000-8000-000000000001";
    const first = await importAll(csv(500), { system_id, concurrency: 1 });
    expect(first.run.failures[0]).toContain("is not registered");
    expect(first.run.counts.by_reason).toEqual({ system_not_found: 7 });
    fake.registerSystem(system_id);
    const second = await importAll(csv(500), { system_id });
    expect(second.run.failures).toEqual([]);
    expect(second.run.counts.inserted).toBe(1000);
  });

  test("when it is stopped, with batches under way taken to their end, and goes on later", async () => {
    const { run } = await start(csv(2000), { concurrency: 2 });
    const running = run.run();
    await until("some batches are sent", () => fake.count("ingest") >= 5);
    stop.abort();
    await running;
    expect(run.counts.readings).toBeLessThan(4000);
    expect(run.counts.unaccounted()).toBe(0);
    stop = new AbortController();
    const again = await importAll(csv(2000));
    expect(again.run.counts.inserted).toBe(4000);
    expect(again.run.counts.replayed_batches).toBe(run.counts.batches);
    expect(fake.stored.size).toBe(4000);
  });

  test("at a service that loses a reading, which is noticed", async () => {
    fake.tamper = (record) => ({ ...record, inserted_readings: record.inserted_readings - 1 });
    const { run } = await importAll(csv(10));
    expect(run.counts.unaccounted()).toBe(run.counts.batches);
    expect(isWhole(run.counts, run.failures, false, true)).toBe(false);
  });
});

function lineOf(text: string): number {
  return Number(/^lines? (\d+)/.exec(text)?.[1]);
}
