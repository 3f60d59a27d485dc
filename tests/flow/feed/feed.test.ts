import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { ImportSummary } from "../../../src/feed/import/summary.ts";
import type { SimulationSummary } from "../../../src/feed/simulate/summary.ts";
import { choosePort } from "../../../src/services/free-port.ts";
import { runProgram } from "../../support/fault/program.ts";
import { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

const DEADLINE_MS = 180_000;

let stack: Stack;
let folder: string;
let port: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hydraulic-feed-"));
  port = String(await choosePort(undefined, []));
  stack = await Stack.create();
  await stack.start("all", { PORT: port });
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

const feed = (...args: string[]) => runProgram([...args, "--url", stack.url], {}, "", DEADLINE_MS);

async function stored(): Promise<number> {
  const [row] = await stack.reckoning.sql<{ n: number }[]>`
    SELECT count(*)::int AS n FROM diagnostics_sensordata`;
  return row!.n;
}

async function quarantined(): Promise<Record<string, number>> {
  const rows = await stack.reckoning.sql<{ reason: string; n: number }[]>`
    SELECT reason, count(*)::int AS n FROM diagnostics_quarantined_reading GROUP BY reason`;
  return Object.fromEntries(rows.map(({ reason, n }) => [reason, n]));
}

describe("simulate against the service", () => {
  test(
    "adds up with every kind of fault, and the tables hold the same figures",
    async () => {
      const args = ["simulate", "--rate", "5000", "--readings", "10000", "--users", "4", "--faults", "0.14"];
      const { code, stdout, stderr } = await feed(...args, "--json");
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const summary = JSON.parse(stdout) as SimulationSummary;
      expect(await stored()).toBe(summary.inserted);
      const injected = Object.entries(summary.quarantined).map(([reason, { injected: n }]) => [reason, n]);
      expect(await quarantined()).toEqual(Object.fromEntries(injected));
      expect(Object.values(summary.quarantined).every(({ actual }) => actual === 200)).toBe(true);
    },
    DEADLINE_MS,
  );

  test(
    "adds up although the service is killed and started again in the middle",
    async () => {
      const before = await stored();
      const args = ["simulate", "--rate", "2000", "--readings", "12000", "--users", "2", "--seed", "2"];
      const running = feed(...args, "--fault", "duplicate=0.05", "--fault", "identical=0.05", "--json");
      await until("rows arrive", async () => (await stored()) > before, DEADLINE_MS);
      await stack.programs.at(-1)!.kill();
      await stack.start("all", { PORT: port });
      const { code, stdout } = await running;
      const summary = JSON.parse(stdout) as SimulationSummary;
      expect(summary.checks.filter((check) => !check.ok)).toEqual([]);
      expect(code).toBe(0);
      expect(summary.retries.connection).toBeGreaterThan(0);
      expect(summary).toMatchObject({ inserted: 10_800, duplicate: 600 });
      expect((await stored()) - before).toBe(10_800);
    },
    DEADLINE_MS,
  );
});

describe("import into the service", () => {
  test(
    "converts units, reports what is quarantined by line, and brings nothing twice",
    async () => {
      const lines = Array.from({ length: 2000 }, (_, i) => `${i},${(1500 + (i % 100)).toFixed(1)},104,5.5`);
      lines[99] = "99,12000,104,5.5";
      lines[499] = "499,1500,104,";
      lines[1499] = "1499,1500,300,5.5";
      const path = join(folder, "press.csv.gz");
      await Bun.write(path, gzipSync(`s,p,t,v\n${lines.join("\n")}\n`));
      const report = join(folder, "report.tsv");
      const columns = ["p=psi", "t=°F", "v=mm/s"].flatMap((column) => ["--column", column]);
      const args = ["import", path, "--seconds", "s", "--start", "2026-01-01T00:00:00Z", ...columns];
      const before = await stored();
      const first = await feed(...args, "--batch", "500", "--report", report, "--json");
      expect(first.code).toBe(1);
      expect((JSON.parse(first.stdout) as ImportSummary).counts).toMatchObject({
        rows: 2000,
        readings: 5999,
        inserted: 5997,
        quarantined: 2,
        empty_cells: 1,
        by_reason: { out_of_range: 2 },
      });
      const findings = (await Bun.file(report).text()).trimEnd().split("\n").slice(1);
      expect(findings).toEqual([
        expect.stringMatching(/^101\t101\tp\tout_of_range\t.*12000 psi/),
        expect.stringMatching(/^1501\t1501\tt\tout_of_range\t.*300 /),
      ]);
      expect((await stored()) - before).toBe(5997);

      const again = await feed(...args, "--batch", "500", "--allow-quarantined", "--json");
      expect(again.code).toBe(0);
      expect((JSON.parse(again.stdout) as ImportSummary).counts).toMatchObject({ replayed_batches: 12 });
      const other = await feed(...args, "--batch", "700", "--allow-quarantined", "--json");
      expect((JSON.parse(other.stdout) as ImportSummary).counts).toMatchObject({
        inserted: 0,
        duplicate: 5997,
        quarantined: 2,
      });
      expect((await stored()) - before).toBe(5997);
    },
    DEADLINE_MS,
  );
});
