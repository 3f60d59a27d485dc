/** All routes that read the quarantine. */
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { mountQuarantineCounts } from "./quarantine-counts.ts";
import { mountQuarantineIncidents } from "./quarantine-incidents.ts";
import { mountQuarantineList } from "./quarantine-list.ts";
import { mountQuarantinedReading } from "./quarantined-reading.ts";

/** The route of one reading takes every path of one more word: what else begins so is mounted before. */
export function mountQuarantine(app: App, deps: RouteDeps): void {
  mountQuarantineList(app, deps);
  mountQuarantineCounts(app, deps);
  mountQuarantineIncidents(app, deps);
  mountQuarantinedReading(app, deps);
}
