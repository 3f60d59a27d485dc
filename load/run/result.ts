/** One run, for people and for the record. */
import { Histogram } from "../../src/feed/histogram.ts";
import type { CpuTimes } from "../bench/cpu.ts";
import type { Latency } from "../bench/http-runs.ts";
import { latencyOf } from "../bench/http-runs.ts";
import type { Machine } from "../bench/machine.ts";
import type { ScenarioName } from "../k6/plan.ts";
import type { Checked } from "./check.ts";
import type { HeldJob } from "./held.ts";
import type { Bound } from "./judge.ts";
import type { K6Run } from "./k6.ts";
import type { Ramp } from "./knee.ts";
import type { Growth } from "./memory.ts";
import { type Fate, fateOf } from "./record.ts";
import type { Look } from "./watch.ts";

/** Of processes, while k6 ran. */
export interface Use {
  /** Seconds of processor time; `generator` of them is the command itself, not k6. */
  readonly cpu: CpuTimes;
  /** Of a worker process; null: the service is one process. */
  readonly worker_cpu_s: number | null;
  /** Memory of the service's processes, bytes: the most that was seen. */
  readonly rss_peak_bytes: number | null;
  readonly growth: Growth | null;
  /** Batches in the stream: the most that was seen. */
  readonly backlog_peak: number;
}

export interface LoadResult {
  readonly date: string;
  readonly scenario: ScenarioName;
  /** As asked for, s. */
  readonly seconds: number;
  readonly target: string;
  /** null: a service that was given. */
  readonly machine: Machine | null;
  readonly k6: { readonly version: string; readonly cpu_s: number; readonly elapsed_s: number };
  readonly rows_accepted: number;
  readonly rows_per_s: number;
  readonly requests: Readonly<Record<Fate, number>>;
  /** Refused and unknown requests by status; 0: no answer. */
  readonly not_accepted: Readonly<Record<string, number>>;
  /** ms, as k6 saw it. */
  readonly accept: Latency;
  /** From acceptance until the rows are stored, by the jobs' own times, ms. */
  readonly stored: Latency | null;
  /** Until a producer who asks is told of the end, and answers to people at the console; ms. */
  readonly job_ended: Latency | null;
  readonly looked: Latency | null;
  readonly use: Use | null;
  readonly ramp: Ramp | null;
  readonly data: Omit<Checked, "held"> | { readonly wrong: string };
  readonly bounds: readonly Bound[];
}

/** What k6 saw; everything that needs no look into the service. */
export function seenByK6(run: K6Run) {
  const requests = { accepted: 0, refused: 0, unknown: 0 };
  const not_accepted: Record<string, number> = {};
  for (const batch of run.sent) {
    const fate = fateOf(batch);
    requests[fate] += 1;
    if (fate !== "accepted") not_accepted[batch.status] = (not_accepted[batch.status] ?? 0) + 1;
  }
  const { count = 0, rate = 0 } = run.metrics.rows_accepted ?? {};
  return {
    k6: { version: run.version, cpu_s: round(run.cpu_s, 100), elapsed_s: round(run.elapsed_s, 10) },
    rows_accepted: count,
    rows_per_s: Math.round(rate),
    requests,
    not_accepted,
    accept: trendOf(run, "accept_ms") ?? { p50: 0, p95: 0, p99: 0 },
    job_ended: trendOf(run, "job_ended_ms"),
    looked: trendOf(run, "look_ms"),
  };
}

export function storedOf(jobs: readonly HeldJob[]): Latency {
  const stored = new Histogram();
  for (const { created_at_ms, completed_at_ms } of jobs)
    if (completed_at_ms !== null) stored.add(Math.max(0, completed_at_ms - created_at_ms));
  return latencyOf(stored);
}

export function peaksOf(looks: readonly Look[]): Pick<Use, "rss_peak_bytes" | "backlog_peak"> {
  const rss = looks.flatMap(({ rss_bytes }) => rss_bytes ?? []);
  return {
    rss_peak_bytes: rss.length === 0 ? null : rss.reduce((a, b) => Math.max(a, b)),
    backlog_peak: looks.reduce((most, { backlog }) => Math.max(most, backlog), 0),
  };
}

/** null: nothing of the kind was measured. */
function trendOf({ metrics }: K6Run, name: string): Latency | null {
  const values = metrics[name];
  if (values === undefined) return null;
  const at = (key: string) => round(values[key] ?? 0, 10);
  return { p50: at("p(50)"), p95: at("p(95)"), p99: at("p(99)") };
}

const round = (value: number, per: number) => Math.round(value * per) / per;
