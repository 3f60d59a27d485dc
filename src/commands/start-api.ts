/** Wires an API process. */
import { createApp } from "../api/app.ts";
import type { App } from "../api/app-env.ts";
import { DeadLetterDesk } from "../api/dead-letter-desk.ts";
import type { RunningServer } from "../api/server.ts";
import { SystemNames } from "../api/system-names.ts";
import { mountConsole } from "../console/console.ts";
import { createUnitRegistry } from "../contract/units.ts";
import type { Supervisor, WorkerSummary } from "../ingest/supervisor.ts";
import { Networks } from "../notify/networks.ts";
import { Targets } from "../notify/target.ts";
import { systemClock } from "../ops/clock.ts";
import { openDesk } from "../review/open-desk.ts";
import { reviewMetrics } from "../review/review-metrics.ts";
import { DeadLetterRecord } from "../store/dead-letter-record.ts";
import { createQueries } from "../store/queries/queries.ts";
import type { SystemStore } from "../store/systems.ts";
import { DeadLetters } from "../stream/dead-letters.ts";
import { alertLimitsOf } from "./alert-limits.ts";
import { readUnits } from "./environment.ts";
import { openReaders } from "./open-readers.ts";
import { openRegister } from "./open-register.ts";
import { connectRedis, openStream } from "./open-stream.ts";
import { apiPlace, listen } from "./port.ts";
import { storesOf } from "./stores.ts";
import type { Wiring } from "./wiring.ts";

/** Of the grace period, for requests in work: with the defaults, longer than the longest query. */
const SERVER_SHARE = 0.65;

/**
 * The API and the console.
 * @param supervisor of the ingest threads, when they run in this process too
 * @throws {CommandError} when the port is taken
 */
export async function startApi(wiring: Wiring, supervisor: Supervisor | null): Promise<RunningServer> {
  const { config, log, database, metrics, stopping } = wiring;
  const { redis, jobSignals } = await connectRedis(wiring);
  const { reader, stored, replica } = openReaders(wiring);
  const units = createUnitRegistry(await readUnits(config));
  const rules = { units, registration: config.SENSOR_REGISTRATION };
  const review = openDesk(database, `${wiring.processName}:desk`, rules, reviewMetrics(metrics));
  stopping.last("review desk", review.close);
  const access = await openRegister(wiring);
  const stores = storesOf(database);
  const systemNames = await startSystemNames(wiring, stores.systems);
  const { partitions, ...stream } = await openStream(wiring, redis);
  const closing = new AbortController();
  const hurry = new AbortController();
  const app = createApp({
    config,
    clock: systemClock,
    log,
    metrics,
    tracer: wiring.tracing.tracer,
    jobSignals,
    ...stream,
    stop: { wanted: stopping.wanted, closing: closing.signal, hurry: hurry.signal },
    ...stores,
    ...access,
    deadLetters: new DeadLetterDesk(new DeadLetters(redis, partitions.count), new DeadLetterRecord(database)),
    systemNames,
    alertLimits: alertLimitsOf(config),
    units,
    queries: createQueries(reader, stored),
    replica,
    review: review.desk,
    webhookTargets: new Targets(new Networks(config.WEBHOOK_ALLOWED_NETWORKS)),
    database,
    workers: () => (supervisor?.summaries() ?? []).map(toWorker),
  });
  mountConsole(app, { onError: (err) => log.error({ err }, "the console could not be bundled") });
  return serve(app, wiring, closing, hurry);
}

async function startSystemNames({ log, stopping }: Wiring, systems: SystemStore): Promise<SystemNames> {
  const systemNames = new SystemNames({ systems, clock: systemClock, log });
  await systemNames.start();
  stopping.last("names of systems", () => systemNames.stop());
  return systemNames;
}

/** Accepts requests from now on. @param closing and `hurry`: the steps of the stop, as `StopSignals` has them */
function serve(app: App, wiring: Wiring, closing: AbortController, hurry: AbortController): RunningServer {
  const { config, stopping } = wiring;
  const server = listen(app, apiPlace(config), wiring);
  stopping.delay(config.SHUTDOWN_DELAY_MS);
  stopping.last("HTTP server", (left_ms) => {
    closing.abort();
    return server.stop(left_ms * SERVER_SHARE, () => hurry.abort());
  });
  return server;
}

const toWorker = ({ consumer, state, silent_ms, restarts }: WorkerSummary) => ({
  name: consumer,
  state,
  heartbeat_age_ms: silent_ms,
  restarts,
});
