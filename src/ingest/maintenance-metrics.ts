/** Prometheus metrics of the maintenance. Only the leader's figures move; those of the others are 0. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { MaintenanceReport } from "./maintenance.ts";

/** Registers the metrics and returns what the actor reports to. */
export function maintenanceMetrics(registry: Registry): MaintenanceReport {
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const leading = gauge("hydraulic_maintenance_leading", "1 while this process leads the maintenance");
  const lag = gauge("hydraulic_rollup_lag_seconds", "Age of the oldest dirty hour, since it was found dirty");
  const dirty = gauge("hydraulic_rollup_dirty_hours", "Hours of systems that wait to be aggregated again");
  const taken = counter("hydraulic_rollup_log_rows_total", "Rows taken from the log of dirty hours");
  const aggregated = counter("hydraulic_rollup_hours_total", "Hours of systems aggregated again");
  const chunks = counter(
    "hydraulic_retention_chunks_dropped_total",
    "Chunks of readings dropped by retention",
  );
  const open = gauge(
    "hydraulic_quarantine_alerts_open",
    "Systems with too large a share of quarantined readings",
  );
  const raised = counter("hydraulic_quarantine_alerts_total", "Alerts raised");
  const failures = counter("hydraulic_maintenance_failures_total", "Rounds that ended with an error");
  return {
    onLeading(isLeading) {
      leading.set(isLeading ? 1 : 0);
      if (isLeading) return;
      lag.set(0);
      dirty.set(0);
      open.set(0);
    },
    onTaken: (rows) => taken.inc(rows),
    onAggregated: (hours) => aggregated.inc(hours),
    onDropped: (dropped) => chunks.inc(dropped.chunks),
    onBacklog: (backlog) => {
      lag.set(backlog.oldest_s);
      dirty.set(backlog.dirty_hours);
    },
    onAlerts: (alerts) => {
      open.set(alerts.open);
      raised.inc(alerts.raised);
    },
    onFailed: () => failures.inc(),
  };
}
