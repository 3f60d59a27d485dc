/** Wires the maintenance of a worker process. */
import { Maintenance, PATIENCE } from "../ingest/maintenance.ts";
import { maintenanceMetrics } from "../ingest/maintenance-metrics.ts";
import { systemClock } from "../ops/clock.ts";
import type { Wiring } from "./start.ts";

/** Every worker follows; one of all processes leads. */
export function startMaintenance({ config, log, services, metrics, stopping, processName }: Wiring): void {
  const maintenance = new Maintenance(
    {
      database_url: services.databaseUrl,
      session_name: `${processName}:upkeep`.slice(-63),
      interval_ms: config.ROLLUP_INTERVAL_MS,
      retention_days: config.RETENTION_DAYS,
      alerts: {
        share: config.QUARANTINE_ALERT_SHARE,
        window_s: config.QUARANTINE_ALERT_WINDOW_MINUTES * 60,
        min_readings: config.QUARANTINE_ALERT_MIN_READINGS,
      },
      patience: PATIENCE,
    },
    systemClock,
    log,
    maintenanceMetrics(metrics),
  );
  maintenance.start();
  stopping.last("maintenance", (left_ms) => maintenance.stop(left_ms / 2));
}
