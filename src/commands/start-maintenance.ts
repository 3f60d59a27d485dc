/** Wires the maintenance of a worker process. */
import { Maintenance, PATIENCE } from "../ingest/maintenance.ts";
import { maintenanceMetrics } from "../ingest/maintenance-metrics.ts";
import { systemClock } from "../ops/clock.ts";
import { alertLimitsOf } from "./alert-limits.ts";
import type { Wiring } from "./wiring.ts";

const ALERT_QUIET_S = 300;

/** Every worker follows; one of all processes leads. */
export function startMaintenance({ config, log, services, metrics, stopping, processName }: Wiring): void {
  const maintenance = new Maintenance(
    {
      database_url: services.databaseUrl,
      session_name: `${processName}:upkeep`.slice(-63),
      interval_ms: config.ROLLUP_INTERVAL_MS,
      retention_days: config.RETENTION_DAYS,
      alerts: { ...alertLimitsOf(config), quiet_s: ALERT_QUIET_S },
      patience: PATIENCE,
    },
    systemClock,
    log,
    maintenanceMetrics(metrics),
  );
  maintenance.start();
  stopping.last("maintenance", (left_ms) => maintenance.stop(left_ms / 2));
}
