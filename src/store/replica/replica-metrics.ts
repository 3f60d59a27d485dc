/** Prometheus figures of the read replica, as this process sees it. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { ReplicaWatch } from "./replica-watch.ts";
import type { FallbackReason, RoutingCounts } from "./routed-reader.ts";

const REASONS: readonly FallbackReason[] = ["unknown", "behind", "away", "foreign", "conflict", "error"];

/** Adds the metrics to `registry`. @returns what counts questions */
export function readReplicaMetrics(registry: Registry, watch: Pick<ReplicaWatch, "health">): RoutingCounts {
  new Gauge({
    name: "hydraulic_database_read_replica_up",
    help: "1 while questions go to the read replica, 0 while it is away or too far behind",
    registers: [registry],
    collect() {
      this.set(watch.health.state === "up" ? 1 : 0);
    },
  });
  new Gauge({
    name: "hydraulic_database_read_replica_lag_seconds",
    help: "What the read replica is behind the primary; NaN while that is not known",
    registers: [registry],
    collect() {
      const { lag_ms } = watch.health;
      this.set(lag_ms === null ? Number.NaN : lag_ms / 1000);
    },
  });
  const answered = new Counter({
    name: "hydraulic_database_read_replica_queries_total",
    help: "Statements that the read replica has answered",
    registers: [registry],
  });
  const fallbacks = new Counter({
    name: "hydraulic_database_read_replica_fallbacks_total",
    help: "Statements that the primary was asked in the place of the read replica",
    labelNames: ["reason"],
    registers: [registry],
  });
  for (const reason of REASONS) fallbacks.inc({ reason }, 0);
  return { answered: () => answered.inc(), fellBack: (reason) => fallbacks.inc({ reason }) };
}
