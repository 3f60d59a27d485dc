/** Wires the sending of webhooks of a worker process. */
import packageFile from "../../package.json" with { type: "json" };
import { DISPATCH, Dispatcher } from "../notify/dispatcher.ts";
import { Networks } from "../notify/networks.ts";
import { notifyMetrics } from "../notify/notify-metrics.ts";
import { Targets } from "../notify/target.ts";
import { systemClock } from "../ops/clock.ts";
import type { Wiring } from "./wiring.ts";

/** Every worker follows; one of all processes sends. */
export function startWebhooks(wiring: Wiring): void {
  const { config, log, services, metrics, stopping, processName } = wiring;
  const dispatcher = new Dispatcher(
    {
      ...DISPATCH,
      database_url: services.databaseUrl,
      session_name: `${processName}:webhooks`.slice(-63),
      user_agent: `hydraulic-ingest/${packageFile.version}`,
      tracer: wiring.tracing.tracer,
    },
    new Targets(new Networks(config.WEBHOOK_ALLOWED_NETWORKS)),
    systemClock,
    log,
    notifyMetrics(metrics),
  );
  dispatcher.start();
  stopping.last("webhooks", (left_ms) => dispatcher.stop(left_ms / 2));
}
