/** The Prometheus metric of lost jobs. */
import { Counter, type Registry } from "prom-client";

/** Registers it. @returns counts lost jobs */
export function lossMetrics(registry: Registry): (jobs: number) => void {
  const lost = new Counter({
    name: "hydraulic_jobs_lost_total",
    help: "Accepted batches that Redis lost before they were stored; their jobs have failed and say so",
    registers: [registry],
  });
  return (jobs) => lost.inc(jobs);
}
