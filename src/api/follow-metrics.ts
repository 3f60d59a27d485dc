/** Prometheus metrics of requests that follow jobs. */
import { Gauge, type Registry } from "prom-client";
import type { JobWatch } from "./job-watch.ts";

/** Registers the gauge of requests that follow jobs. */
export function followMetrics(registry: Registry, watch: Pick<JobWatch, "count">): void {
  new Gauge({
    name: "hydraulic_job_followers",
    help: "Requests that wait for the end of a job (waits) or stream its events (events)",
    labelNames: ["kind"],
    registers: [registry],
    collect() {
      for (const kind of ["waits", "events"] as const) this.set({ kind }, watch.count(kind));
    },
  });
}
