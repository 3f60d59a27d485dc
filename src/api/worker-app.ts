/**
 * The HTTP app of a process that is only a worker: probes and metrics, nothing of the API. Without it orchestrators
 * cannot tell whether a worker works, and Prometheus cannot ask it.
 */
import { Hono } from "hono";
import { NO_TRACER } from "../ops/trace.ts";
import { answerErrors } from "./answer-errors.ts";
import type { App, AppEnv } from "./app-env.ts";
import { DependencyCheck, type DependencyStates } from "./dependency-check.ts";
import type { ApiDeps } from "./deps.ts";
import { HttpMetrics } from "./http-metrics.ts";
import { observe } from "./middleware/observe.ts";
import { mountMetrics } from "./routes/metrics.ts";
import { answerReadiness, mountLive, type Readiness, STOPPING } from "./routes/probes.ts";
import { mountUnmatched } from "./unmatched.ts";

export interface WorkerAppDeps
  extends Pick<ApiDeps, "clock" | "log" | "metrics" | "streamHealth" | "database"> {
  /** Fires when somebody wants the process to stop. */
  readonly wanted: AbortSignal;
  /** The ingest threads of this process. */
  readonly workers: () => readonly { readonly state: string }[];
}

/** `GET /livez`, `GET /readyz` and `GET /metrics`; everything else is a problem. */
export function createWorkerApp(deps: WorkerAppDeps): App {
  const app: App = new Hono<AppEnv>({ strict: false });
  app.use(observe(deps.clock, deps.log, new HttpMetrics(deps.metrics), NO_TRACER));
  answerErrors(app, deps);
  mountLive(app);
  const check = new DependencyCheck(deps);
  app.get("/readyz", async (c) => {
    if (deps.wanted.aborted) return answerReadiness(c, STOPPING);
    return answerReadiness(c, workerReadinessOf(await check.run(), deps.workers()));
  });
  mountMetrics(app, deps);
  mountUnmatched(app);
  return app;
}

/**
 * Ready: batches are taken from the stream and stored. A full backlog is no reason against it, because that is what
 * a worker is there to end.
 */
export function workerReadinessOf(
  { redis, postgres }: Pick<DependencyStates, "redis" | "postgres">,
  threads: readonly { readonly state: string }[],
): Readiness {
  const running = threads.filter(({ state }) => state === "running").length;
  const idle = [
    ...(redis.state === "down" ? ["Redis is down or takes no writes"] : []),
    ...(postgres.state === "down" ? ["PostgreSQL is down: batches wait"] : []),
    ...(running === 0 ? ["no ingest thread runs"] : []),
  ];
  const slow =
    running > 0 && running < threads.length ? [`${running} of ${threads.length} ingest threads run`] : [];
  const status = idle.length > 0 ? "unavailable" : slow.length > 0 ? "degraded" : "ready";
  return { status, reasons: [...idle, ...slow] };
}
