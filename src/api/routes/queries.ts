/** All routes that read stored data. */
import type { App } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { mountCompleteness } from "./completeness.ts";
import { mountGaps } from "./gaps.ts";
import { mountHourly } from "./hourly.ts";
import { mountJobs } from "./jobs.ts";
import { mountLatest } from "./latest.ts";
import { mountReadings } from "./readings.ts";
import { mountSeries } from "./series.ts";
import { mountSkew } from "./skew.ts";

export function mountQueries(app: App, deps: RouteDeps): void {
  mountReadings(app, deps);
  mountSeries(app, deps);
  mountHourly(app, deps);
  mountLatest(app, deps);
  mountJobs(app, deps);
  mountCompleteness(app, deps);
  mountGaps(app, deps);
  mountSkew(app, deps);
}
