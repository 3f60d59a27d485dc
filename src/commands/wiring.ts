/** What the parts of a started process share. */
import type { Registry } from "prom-client";
import type { Database } from "../store/pool.ts";
import type { queryMetrics } from "../store/query-metrics.ts";
import type { Environment } from "./environment.ts";
import type { Tracing } from "./start-tracing.ts";
import type { Stopping } from "./stopping.ts";

/** Everything that the two roles share. */
export interface Wiring extends Environment {
  readonly database: Database;
  readonly onQuery: ReturnType<typeof queryMetrics>;
  readonly metrics: Registry;
  readonly tracing: Tracing;
  readonly stopping: Stopping;
  /** Unique for this life of the process. */
  readonly processName: string;
}
