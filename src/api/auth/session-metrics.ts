/** Prometheus metrics of browsers' sessions. */
import { Counter, type Registry } from "prom-client";

/** What happens to sessions. */
const EVENTS = ["begun", "renewed", "ended"] as const;
export type SessionEvent = (typeof EVENTS)[number];

/** @returns counts what happened to one */
export function sessionMetrics(registry: Registry): (event: SessionEvent) => void {
  const sessions = new Counter({
    name: "access_sessions_total",
    help: "Sessions of browsers: begun with a password, renewed, ended by their visitors",
    labelNames: ["event"],
    registers: [registry],
  });
  for (const event of EVENTS) sessions.inc({ event }, 0);
  return (event) => sessions.inc({ event });
}
