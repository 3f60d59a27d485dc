/** Prometheus metrics of the query pool. */
import { Histogram, type Registry } from "prom-client";
import type { DatabaseSettings } from "./pool.ts";

/** Registers the histogram and returns what the pool calls after each query. */
export function queryMetrics(registry: Registry): NonNullable<DatabaseSettings["onQuery"]> {
  const durations = new Histogram({
    name: "hydraulic_query_seconds",
    help: "Duration of a labelled query",
    labelNames: ["query", "ok"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  return (query, duration_ms, ok) => durations.observe({ query, ok: String(ok) }, duration_ms / 1000);
}
