/** Prometheus metrics of ingest, fed by the threads' messages. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { FromThread, GroupReport } from "./messages.ts";
import type { WorkerSummary } from "./supervisor.ts";

const STAGES = ["parse", "check", "encode", "copy", "commit"] as const;
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Registers the metrics and returns what hears the threads.
 * @param workers asked at each scrape
 */
export function ingestMetrics(registry: Registry, workers: () => readonly WorkerSummary[]) {
  const registers = [registry];
  const jobs = new Counter({
    name: "hydraulic_jobs_total",
    help: "Jobs by end state",
    labelNames: ["status"],
    registers,
  });
  const retries = new Counter({
    name: "hydraulic_ingest_retries_total",
    help: "Repeats while Redis or PostgreSQL was away",
    labelNames: ["fault"],
    registers,
  });
  const dead = new Counter({
    name: "hydraulic_dead_letters_total",
    help: "Entries moved to the dead letters",
    registers,
  });
  const countRows = rowCounters(registry);
  const timeGroup = groupTimes(registry);
  workerGauges(registry, workers);

  return (message: FromThread): void => {
    if (message.kind === "committed") {
      const { report } = message;
      countRows(report);
      jobs.inc({ status: "completed" }, report.jobs_completed);
      jobs.inc({ status: "failed" }, report.jobs_failed);
      timeGroup(report);
    } else if (message.kind === "retrying") retries.inc({ fault: message.fault });
    else if (message.kind === "dead_letter") {
      dead.inc();
      jobs.inc({ status: "failed" });
    }
  };
}

/** What became of the readings of a group, and by which way its rows were written. */
function rowCounters(registry: Registry): (report: GroupReport) => void {
  const registers = [registry];
  const readings = new Counter({
    name: "hydraulic_readings_total",
    help: "Readings by outcome: inserted, duplicate_identical, or the reason of their quarantine",
    labelNames: ["outcome"],
    registers,
  });
  const rows = new Counter({ name: "hydraulic_copy_rows_total", help: "Rows written by COPY", registers });
  const groups = new Counter({
    name: "hydraulic_copy_groups_total",
    help: "Transactions by way: direct, sifted (stored keys were looked up and left out), or staged (by way of a table)",
    labelNames: ["way"],
    registers,
  });
  return (report) => {
    readings.inc({ outcome: "inserted" }, report.inserted);
    readings.inc({ outcome: "duplicate_identical" }, report.duplicate);
    for (const [reason, n] of Object.entries(report.quarantined)) readings.inc({ outcome: reason }, n);
    rows.inc(report.inserted);
    groups.inc({ way: report.way });
  };
}

/** How long a group took, and its oldest job. */
function groupTimes(registry: Registry): (report: GroupReport) => void {
  const registers = [registry];
  const stages = new Histogram({
    name: "hydraulic_ingest_stage_seconds",
    help: "Duration of a stage for one group",
    labelNames: ["stage"],
    buckets: SECONDS,
    registers,
  });
  const age = new Histogram({
    name: "hydraulic_accept_to_commit_seconds",
    help: "From acceptance to COMMIT, oldest job of each group",
    buckets: SECONDS,
    registers,
  });
  return (report) => {
    for (const stage of STAGES) stages.observe({ stage }, report[`${stage}_ms`] / 1000);
    age.observe(report.oldest_ms / 1000);
  };
}

function workerGauges(registry: Registry, workers: () => readonly WorkerSummary[]): void {
  const registers = [registry];
  new Gauge({
    name: "hydraulic_workers",
    help: "Ingest threads by state",
    labelNames: ["state"],
    registers,
    collect() {
      this.reset();
      for (const { state } of workers()) this.inc({ state });
    },
  });
  new Gauge({
    name: "hydraulic_worker_restarts",
    help: "Restarts of each thread since the process began",
    labelNames: ["slot"],
    registers,
    collect() {
      for (const { slot, restarts } of workers()) this.set({ slot }, restarts);
    },
  });
  new Gauge({
    name: "hydraulic_worker_entries",
    help: "Entries in the hands of each thread",
    labelNames: ["slot"],
    registers,
    collect() {
      for (const { slot, in_hand } of workers()) this.set({ slot }, in_hand);
    },
  });
}
