/** All routes of those who look after the service. */
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { OverviewSampler } from "../overview-sampler.ts";
import { mountAlertAcknowledge } from "./alert-acknowledge.ts";
import { mountAlerts } from "./alerts.ts";
import { mountAudit } from "./audit.ts";
import { mountDeadLetter } from "./dead-letter.ts";
import { mountDeadLetterActions } from "./dead-letter-actions.ts";
import { mountDeadLetters } from "./dead-letters.ts";
import { mountJobReplay } from "./job-replay.ts";
import { mountOverview } from "./overview.ts";
import { mountOverviewEvents } from "./overview-events.ts";
import { mountOverviewHistory } from "./overview-history.ts";
import { mountWorkers } from "./workers.ts";

export function mountOversight(app: App, deps: RouteDeps): void {
  mountAudit(app, deps);
  mountAlerts(app, deps);
  mountAlertAcknowledge(app, deps);
  mountWorkers(app, deps);
  const sampler = new OverviewSampler(deps);
  mountOverview(app, deps, sampler);
  mountOverviewEvents(app, deps, sampler);
  mountOverviewHistory(app, deps);
  mountDeadLetters(app, deps);
  mountDeadLetter(app, deps);
  mountDeadLetterActions(app, deps);
  mountJobReplay(app, deps);
}
