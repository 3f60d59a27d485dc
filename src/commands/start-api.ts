/** Wires an API process. */
import { createApp } from "../api/app.ts";
import { DeadLetterDesk } from "../api/dead-letter-desk.ts";
import { OverviewHistory } from "../api/overview-history.ts";
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
import { AlertStore } from "../store/alerts.ts";
import { DeadLetterRecord } from "../store/dead-letter-record.ts";
import { JobStore } from "../store/jobs.ts";
import { MappingStore } from "../store/mappings.ts";
import { QuarantineStore } from "../store/quarantine.ts";
import { createQueries } from "../store/queries/queries.ts";
import { SensorRangeStore } from "../store/sensor-ranges.ts";
import { SensorStore } from "../store/sensors.ts";
import { SystemStore } from "../store/systems.ts";
import { UserStore } from "../store/users.ts";
import { DeliveryLog } from "../store/webhooks/deliveries.ts";
import { WebhookStore } from "../store/webhooks/webhooks.ts";
import { Allowances } from "../stream/allowance.ts";
import { ready, requestClient, subscriberClient } from "../stream/connection.ts";
import { DeadLetters } from "../stream/dead-letters.ts";
import { inspectKeeping } from "../stream/durability.ts";
import { StreamHealth } from "../stream/health.ts";
import { JobSignals } from "../stream/job-signals.ts";
import { JobBoard } from "../stream/jobs.ts";
import { Producer } from "../stream/producer.ts";
import { streamMetrics } from "../stream/stream-metrics.ts";
import { WorkerBoard } from "../stream/worker-board.ts";
import { alertLimitsOf } from "./alert-limits.ts";
import { readUnits, streamBounds } from "./environment.ts";
import { announcePartitions, openIdempotency } from "./open-partitions.ts";
import { openReaders } from "./open-readers.ts";
import { openRegister } from "./open-register.ts";
import { openReplicas } from "./open-replicas.ts";
import { apiPlace, listen } from "./port.ts";
import { startRecentBatches } from "./start-losses.ts";
import type { Wiring } from "./wiring.ts";

const REDIS_DEADLINE_MS = 10_000;
/** Of the grace period, for requests in work: with the defaults, longer than the longest query. */
const SERVER_SHARE = 0.65;

/**
 * The API and the console.
 * @param supervisor of the ingest threads, when they run in this process too
 * @throws {CommandError} when the port is taken
 */
export async function startApi(wiring: Wiring, supervisor: Supervisor | null): Promise<RunningServer> {
  const { config, log, services, database, metrics, stopping } = wiring;
  const redis = requestClient(services.redisUrl, (err) => log.warn({ err: err.message }, "Redis connection"));
  const jobSignals = new JobSignals(
    subscriberClient(services.redisUrl, (err) => log.warn({ err: err.message }, "Redis connection")),
  );
  stopping.last("API's Redis client", () => {
    jobSignals.close();
    redis.disconnect();
  });
  await ready(redis, REDIS_DEADLINE_MS);
  const { reader, stored, replica } = openReaders(wiring);
  const units = createUnitRegistry(await readUnits(config));
  const rules = { units, registration: config.SENSOR_REGISTRATION };
  const review = openDesk(database, `${wiring.processName}:desk`, rules, reviewMetrics(metrics));
  stopping.last("review desk", review.close);
  const access = await openRegister(wiring);
  const systems = new SystemStore(database);
  const systemNames = new SystemNames({ systems, clock: systemClock, log });
  await systemNames.start();
  stopping.last("names of systems", () => systemNames.stop());
  const bounds = streamBounds(config);
  const replicas = await openReplicas(wiring, redis);
  const partitions = await announcePartitions(wiring, redis);
  const streamHealth = new StreamHealth(redis, bounds, partitions.count);
  streamMetrics(metrics, streamHealth);
  const workerBoard = new WorkerBoard(redis);
  const overviewHistory = new OverviewHistory({ streamHealth, workerBoard, clock: systemClock, log });
  overviewHistory.start();
  stopping.last("overview's history", () => overviewHistory.stop());
  const recentBatches = await startRecentBatches(wiring, redis);
  const closing = new AbortController();
  const hurry = new AbortController();
  const app = createApp({
    config,
    clock: systemClock,
    log,
    metrics,
    tracer: wiring.tracing.tracer,
    producer: new Producer(redis, bounds, replicas),
    recentBatches,
    idempotency: openIdempotency(wiring, redis, partitions, replicas),
    jobBoard: new JobBoard(redis),
    jobSignals,
    streamHealth,
    keeping: () => inspectKeeping(redis),
    workerBoard,
    overviewHistory,
    stop: { wanted: stopping.wanted, closing: closing.signal, hurry: hurry.signal },
    allowances: new Allowances(redis, systemClock),
    users: new UserStore(database),
    ...access,
    jobs: new JobStore(database),
    quarantine: new QuarantineStore(database),
    deadLetters: new DeadLetterDesk(new DeadLetters(redis, partitions.count), new DeadLetterRecord(database)),
    systems,
    systemNames,
    sensors: new SensorStore(database),
    mappings: new MappingStore(database),
    alertLimits: alertLimitsOf(config),
    alerts: new AlertStore(database),
    ranges: new SensorRangeStore(database),
    units,
    queries: createQueries(reader, stored),
    replica,
    review: review.desk,
    webhooks: new WebhookStore(database),
    deliveries: new DeliveryLog(database),
    webhookTargets: new Targets(new Networks(config.WEBHOOK_ALLOWED_NETWORKS)),
    database,
    workers: () => (supervisor?.summaries() ?? []).map(toWorker),
  });
  mountConsole(app, { onError: (err) => log.error({ err }, "the console could not be bundled") });
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
