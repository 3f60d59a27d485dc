/** What reviews' tasks did, as metrics. */
import { Counter, type Registry } from "prom-client";

/** @returns to be called with the outcome of each reading */
export function reviewMetrics(registry: Registry): (outcome: string) => void {
  const readings = new Counter({
    name: "hydraulic_review_readings_total",
    help: "Quarantined readings that tasks of reviewers dealt with, by outcome",
    labelNames: ["outcome"],
    registers: [registry],
  });
  return (outcome) => readings.inc({ outcome });
}
