/** What became of readings under review, as a metric. */
import { Counter, type Registry } from "prom-client";

const NAME = "hydraulic_review_readings_total";

/** @returns to be called with the outcome of each reading; desks of one process share the counter */
export function reviewMetrics(registry: Registry): (outcome: string) => void {
  const known = registry.getSingleMetric(NAME) as Counter<"outcome"> | undefined;
  const readings =
    known ??
    new Counter({
      name: NAME,
      help: "Quarantined readings that reviewers decided about, by outcome",
      labelNames: ["outcome"],
      registers: [registry],
    });
  return (outcome) => readings.inc({ outcome });
}
