/** When this process began, as Prometheus' clients name it: a value that changes is a restart. */
import { Gauge, type Registry } from "prom-client";

/** Adds the gauge to `registry`. @param started_ms since the epoch */
export function processMetrics(registry: Registry, started_ms = performance.timeOrigin): void {
  new Gauge({
    name: "process_start_time_seconds",
    help: "Start time of the process since unix epoch in seconds.",
    registers: [registry],
  }).set(started_ms / 1000);
}
