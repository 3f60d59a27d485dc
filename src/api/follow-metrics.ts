/** Prometheus metrics of requests that follow jobs. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { JobWatch } from "./job-watch.ts";
import { Places } from "./limits/places.ts";

/** Event streams of one process. A user may have a wall of displays, and a program that follows many jobs. */
const STREAMS = { what: "event streams", all: 1_000, of_one_user: 100 };

/** Places for server-sent events of whatever kind, with their metrics. */
export function eventStreams(registry: Registry): Places {
  const refused = new Counter({
    name: "hydraulic_event_streams_refused_total",
    help: "Requests for events that found no place: of their user (user), or at all (all)",
    labelNames: ["bound"],
    registers: [registry],
  });
  for (const bound of ["user", "all"]) refused.inc({ bound }, 0);
  const places = new Places(STREAMS, (bound) => refused.inc({ bound }));
  new Gauge({
    name: "hydraulic_event_streams",
    help: "Streams of server-sent events that are open",
    registers: [registry],
    collect() {
      this.set(places.taken);
    },
  });
  return places;
}

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
