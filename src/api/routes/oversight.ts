/** All routes of those who look after the service. */
import type { App, RouteDeps } from "../deps.ts";
import { mountAudit } from "./audit.ts";
import { mountUsers } from "./users.ts";

export function mountOversight(app: App, deps: RouteDeps): void {
  mountAudit(app, deps);
  mountUsers(app, deps);
}
