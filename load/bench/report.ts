/** Results for people and for the record. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../src/commands/environment.ts";
import type { CpuTimes } from "./cpu.ts";
import type { HttpRun } from "./http-runs.ts";
import type { Machine } from "./machine.ts";
import { HTTP_PHASES, type HttpPhase } from "./options.ts";
import type { PacedRun } from "./paced-run.ts";
import { STAGES } from "./stages.ts";
import type { StoredRuns } from "./stored.ts";
import type { Volume } from "./volume.ts";
import type { WorkerRuns } from "./worker-processes.ts";

export interface RawRun {
  readonly tool: string;
  readonly ms: number;
  readonly rows_per_s: number;
}

/** Older results have not every kind of run. */
export interface Repetition extends Partial<Record<HttpPhase, HttpRun>> {
  readonly raw?: RawRun;
}

export interface Result {
  readonly date: string;
  readonly machine: Machine;
  readonly rows: number;
  readonly data: string;
  readonly repetitions: readonly Repetition[];
  readonly paced: PacedRun | undefined;
  readonly stored?: StoredRuns | undefined;
  readonly workers?: readonly WorkerRuns[] | undefined;
}

/** Of issue 7: shares of raw COPY, ms, cores. */
const TARGETS = { large: 0.85, lines: 0.85, conflicts: 0.5, small: 0.6, late: 0.5 } as const;
/** Of the speed on an empty table. */
const STORED_TARGET = 0.9;
const PACED_TARGETS = { accept_p95_ms: 50, queryable_p95_ms: 100, cores: 0.25 } as const;
export const NAMES: Readonly<Record<HttpPhase, string>> = {
  large: "10,000 readings a request",
  lines: "line protocol, 10,000 a request",
  conflicts: "1 % conflicting, 1 % identical",
  small: "100 readings a request",
  late: "10 % late, into compressed chunks",
};
const RESULTS = join(ROOT, "load/results");

/** The run in the middle, by speed: a whole run, so that its stage times belong to its rate. */
function median<T extends { readonly rows_per_s: number }>(runs: readonly T[]): T | undefined {
  return runs.toSorted((a, b) => a.rows_per_s - b.rows_per_s)[Math.floor((runs.length - 1) / 2)];
}

/** The median run of each kind that was run. */
export type Summary = Repetition;

export function summary({ repetitions }: Pick<Result, "repetitions">): Summary {
  const raw = median(repetitions.flatMap((repetition) => repetition.raw ?? []));
  const runs = HTTP_PHASES.map((phase) => [phase, median(repetitions.flatMap((one) => one[phase] ?? []))]);
  return { ...(raw ? { raw } : {}), ...Object.fromEntries(runs.filter(([, run]) => run !== undefined)) };
}

const number = (n: number) => Math.round(n).toLocaleString("en-US");
const met = (yes: boolean) => (yes ? "met" : "missed");
export const cells = (parts: readonly string[], widths: readonly number[]) =>
  parts.map((part, i) => (i === 0 ? part.padEnd(widths[i]!) : part.padStart(widths[i]!))).join("  ");

export const ratioOf = (run: { rows_per_s: number } | undefined, raw: RawRun | undefined) =>
  run && raw ? run.rows_per_s / raw.rows_per_s : undefined;

const cpuText = ({ service, postgres, redis, generator }: CpuTimes) =>
  `service ${service ?? "?"} s, PostgreSQL ${postgres ?? "?"} s, Redis ${redis ?? "?"} s, load generator ${generator} s`;

/** The whole result as text. */
export function report(result: Result): string {
  const median = summary(result);
  const { raw } = median;
  const { paced, machine } = result;
  const widths = [34, 10, 8, 14, 22];
  const row = (phase: HttpPhase) => {
    const run = median[phase];
    if (!run) return [];
    const ratio = ratioOf(run, raw);
    const target = TARGETS[phase];
    const verdict = ratio === undefined ? "" : `${target} ${met(ratio >= target)}`;
    const parts = [NAMES[phase], number(run.rows_per_s), ratio?.toFixed(2) ?? "-", verdict, latencyText(run)];
    return [cells(parts, widths)];
  };
  return [
    "",
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, ${machine.kernel}; Bun ${machine.bun}, ` +
      `PostgreSQL ${machine.postgres}, TimescaleDB ${machine.timescaledb}, Redis ${machine.redis}; commit ${machine.commit}; load before ${machine.load_before}`,
    `${result.data}; median of ${result.repetitions.length}`,
    "",
    cells(["", "rows/s", "of raw", "target", "accept p50/p95 ms"], widths),
    ...(raw
      ? [cells([`raw binary COPY (${raw.tool})`, number(raw.rows_per_s), "1.00", "", ""], widths)]
      : []),
    ...HTTP_PHASES.flatMap(row),
    ...storedLines(result.stored, median.large),
    ...(result.workers ?? []).flatMap(workerLines),
    "",
    ...HTTP_PHASES.flatMap((phase) => stageLines(NAMES[phase], median[phase])),
    ...(paced ? pacedLines(paced) : []),
    "",
  ].join("\n");
}

const latencyText = ({ accept }: HttpRun) => `${accept.p50} / ${accept.p95}`;

function stageLines(name: string, run: HttpRun | undefined): string[] {
  if (!run) return [];
  const { groups, seconds } = run.stages;
  const stages = STAGES.map((stage) => `${stage} ${((seconds[stage] / run.rows) * 1e7).toFixed(1)}`);
  return [
    `${name}: ${run.requests} requests in ${groups} transactions, ${(run.accepted_ms / 1000).toFixed(2)} s to the last 202, ` +
      `${(run.committed_ms / 1000).toFixed(2)} s to the last commit`,
    `  stages, ms per 10,000 rows: ${stages.join(", ")}`,
    `  CPU: ${cpuText(run.cpu)}`,
    ...(run.volume ? [volumeLine(run.volume, run.rows)] : []),
  ];
}

function volumeLine(volume: Volume, rows: number): string {
  const each = (bytes: number) => Math.round(bytes / rows);
  const { http, redis_in, redis_out, wal, stored } = volume;
  return `  bytes a reading: HTTP ${each(http)}, Redis in ${each(redis_in)} and out ${each(redis_out)}, WAL ${each(wal)}, stored ${each(stored)}`;
}

function pacedLines({ accept, queryable, cpu, ...run }: PacedRun): string[] {
  const { accept_p95_ms, queryable_p95_ms, cores: most } = PACED_TARGETS;
  const cores = coresOf(cpu, run.elapsed_s);
  return [
    `paced ${number(run.rows_per_s)} rows/s for ${run.elapsed_s} s, ${run.requests} requests:`,
    `  accept p50 ${accept.p50}, p95 ${accept.p95}, p99 ${accept.p99} ms (${accept_p95_ms} ${met(accept.p95 < accept_p95_ms)})`,
    `  queryable after p50 ${queryable.p50}, p95 ${queryable.p95} ms (${queryable_p95_ms} ${met(queryable.p95 < queryable_p95_ms)})`,
    `  service, PostgreSQL and Redis ${cores?.toFixed(2) ?? "?"} cores (${most} ${cores === null ? "not known" : met(cores < most)}); CPU: ${cpuText(cpu)}`,
  ];
}

function storedLines(stored: StoredRuns | undefined, empty: HttpRun | undefined): string[] {
  const run = median(stored?.runs ?? []);
  if (!stored || !run) return [];
  const ratio = empty ? run.rows_per_s / empty.rows_per_s : undefined;
  const verdict =
    ratio === undefined
      ? ""
      : `, ${ratio.toFixed(2)} of an empty one (${STORED_TARGET} ${met(ratio >= STORED_TARGET)})`;
  return [`with ${number(stored.rows)} rows in the table: ${number(run.rows_per_s)} rows/s${verdict}`];
}

function workerLines({ fsync, ...runs }: WorkerRuns): string[] {
  const [one, two] = [median(runs.one), median(runs.two)];
  if (!one || !two) return [];
  const ratio = (two.rows_per_s / one.rows_per_s).toFixed(2);
  return [
    `fsync ${fsync ? "on" : "off"}: one worker process ${number(one.rows_per_s)}, two ${number(two.rows_per_s)} rows/s (${ratio})`,
  ];
}

/** Cores that everything but the load generator keeps busy, or null where that is not known. */
function coresOf({ service, postgres, redis }: CpuTimes, elapsed_s: number): number | null {
  if (service === null || postgres === null || redis === null) return null;
  return (service + postgres + redis) / elapsed_s;
}

/** Write the result of the day, and its line into the table of all results. */
export async function save(result: Result): Promise<string> {
  await mkdir(RESULTS, { recursive: true });
  const name = `${result.date.slice(0, 10)}-bench.json`;
  await Bun.write(join(RESULTS, name), `${JSON.stringify(result, null, 2)}\n`);
  const names = (await readdir(RESULTS)).filter((file) => file.endsWith("-bench.json")).sort();
  const rows = await Promise.all(
    names.map(async (file) => tableRow(file, (await Bun.file(join(RESULTS, file)).json()) as Result)),
  );
  await Bun.write(join(RESULTS, "README.md"), `${README}${rows.join("\n")}\n`);
  return name;
}

const README = `# Results of \`bun run bench\`

Each line is one run on one machine; compare the share of raw COPY, never rows/s of two machines. The JSON has every
repetition, the stage times, processor times and the machine. docs/performance.md says what the figures mean.

| run | commit | machine | load before | raw COPY rows/s | 10,000 a request | as lines | with conflicts | 100 a request | 10 % late | accept p95 | queryable p95 | cores |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`;

function tableRow(file: string, result: Result): string {
  const { raw, ...runs } = summary(result);
  const share = (phase: HttpPhase) => {
    const run = runs[phase];
    return run ? `${number(run.rows_per_s)} (${ratioOf(run, raw)?.toFixed(2) ?? "-"})` : "-";
  };
  const { machine, paced } = result;
  const columns = [
    `[${file.slice(0, 10)}](${file})`,
    machine.commit,
    `${machine.cpu}, ${machine.cores} cores`,
    String(machine.load_before),
    raw ? number(raw.rows_per_s) : "-",
    ...HTTP_PHASES.map(share),
    paced ? `${paced.accept.p95} ms` : "-",
    paced ? `${paced.queryable.p95} ms` : "-",
    paced ? (coresOf(paced.cpu, paced.elapsed_s)?.toFixed(2) ?? "-") : "-",
  ];
  return `| ${columns.join(" | ")} |`;
}
