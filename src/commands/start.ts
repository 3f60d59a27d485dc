/**
 * `hydraulic start`: the composition root. Wires HTTP, stream and database together, starts them from the back to
 * the front, and stops them in the order in which a batch flows: accept nothing, finish what was accepted, close.
 */
import { hostname } from "node:os";
import { Registry } from "prom-client";
import { createApp } from "../api/app.ts";
import { DeadLetterDesk } from "../api/dead-letter-desk.ts";
import { OverviewHistory } from "../api/overview-history.ts";
import type { RunningServer } from "../api/server.ts";
import { SystemNames } from "../api/system-names.ts";

import { mountConsole } from "../console/console.ts";

import { createUnitRegistry } from "../contract/units.ts";
import { handOverRest } from "../ingest/hand-over.ts";
import { Heartbeat } from "../ingest/heartbeat.ts";
import { ingestMetrics } from "../ingest/ingest-metrics.ts";
import { JobMirror } from "../ingest/mirror.ts";
import { Supervisor, type WorkerSummary } from "../ingest/supervisor.ts";
import { Networks } from "../notify/networks.ts";
import { Targets } from "../notify/target.ts";
import { systemClock } from "../ops/clock.ts";
import { survivePrinting } from "../ops/log-output.ts";
import { openDesk } from "../review/open-desk.ts";
import { reviewMetrics } from "../review/review-metrics.ts";
import { ReviewRunner } from "../review/runner.ts";
import { checkDatabaseUrl } from "../services/given-urls.ts";
import { AlertStore } from "../store/alerts.ts";
import { DeadLetterRecord } from "../store/dead-letter-record.ts";
import { JobStore } from "../store/jobs.ts";
import { MappingStore } from "../store/mappings.ts";
import type { Database } from "../store/pool.ts";
import { QuarantineStore } from "../store/quarantine.ts";
import { createQueries } from "../store/queries/queries.ts";
import { queryMetrics } from "../store/query-metrics.ts";
import { SensorRangeStore } from "../store/sensor-ranges.ts";
import { SensorStore } from "../store/sensors.ts";
import { SystemStore } from "../store/systems.ts";
import { UserStore } from "../store/users.ts";
import { DeliveryLog } from "../store/webhooks/deliveries.ts";
import { WebhookStore } from "../store/webhooks/webhooks.ts";
import { Allowances } from "../stream/allowance.ts";
import { ready, requestClient, subscriberClient, workClient } from "../stream/connection.ts";
import { DeadLetters } from "../stream/dead-letters.ts";
import { inspectKeeping } from "../stream/durability.ts";
import { StreamHealth } from "../stream/health.ts";
import { JobSignals } from "../stream/job-signals.ts";
import { JobBoard } from "../stream/jobs.ts";
import { MirrorFeed } from "../stream/mirror-feed.ts";
import { Producer } from "../stream/producer.ts";
import { streamMetrics } from "../stream/stream-metrics.ts";
import { WorkerBoard } from "../stream/worker-board.ts";
import { alertLimitsOf } from "./alert-limits.ts";
import { banner } from "./banner.ts";
import { checkRedis } from "./check-redis.ts";
import {
  type Environment,
  openDatabase,
  openEnvironment,
  prepareDatabase,
  readUnits,
  streamBounds,
} from "./environment.ts";
import { announcePartitions, openIdempotency, watchPartitions } from "./open-partitions.ts";
import { openReaders } from "./open-readers.ts";
import { openRegister } from "./open-register.ts";
import { openReplicas } from "./open-replicas.ts";
import { apiPlace, listen, refuseTakenPort, workerPlace } from "./port.ts";
import { processMetrics } from "./process-metrics.ts";
import { seedDevelopment } from "./seed.ts";
import { startAppendOnly } from "./start-append-only.ts";
import { startLostJobs, startRecentBatches } from "./start-losses.ts";
import { startMaintenance } from "./start-maintenance.ts";
import { startTracing, type Tracing } from "./start-tracing.ts";
import { startWebhooks } from "./start-webhooks.ts";
import { startWorkerApp } from "./start-worker-app.ts";
import { Stopping } from "./stopping.ts";

export const ROLES_TO_START = ["all", "api", "worker"] as const;
export type RoleToStart = (typeof ROLES_TO_START)[number];

const REDIS_DEADLINE_MS = 10_000;
const HEARTBEATS_PER_TIMEOUT = 5;
const REVIEW_INTERVAL_MS = 500;
/** Of the grace period, for requests in work: with the defaults, longer than the longest query. */
const SERVER_SHARE = 0.65;

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

/**
 * Run until SIGINT or SIGTERM, then stop in flow order.
 * @throws {ConfigError} @throws {ServicesError} @throws {MigrationError} @throws {CommandError} when the port is taken
 */
export async function start(role: RoleToStart): Promise<void> {
  const stopping = new Stopping();
  stopping.listen();
  survivePrinting();
  try {
    await run(role, stopping);
  } finally {
    await stopping.runAll();
  }
}

async function run(role: RoleToStart, stopping: Stopping): Promise<void> {
  const environment = await openEnvironment(role === "worker" ? "work" : "serve", async (config) => {
    await readUnits(config);
    const place = role === "worker" ? workerPlace(config) : apiPlace(config);
    if (place) await refuseTakenPort(place);
    checkDatabaseUrl("DATABASE_READ_URL", config.DATABASE_READ_URL);
  });
  const { config, log, services } = environment;
  stopping.services(() => services.stop());
  stopping.bound(config.SHUTDOWN_GRACE_MS, log);
  for (const line of services.description) log.info(line);
  await stopping.untilWanted(() => bringUp(role, environment, stopping));
}

/** Connects, migrates and starts everything. */
async function bringUp(role: RoleToStart, environment: Environment, stopping: Stopping): Promise<void> {
  const { config, log } = environment;
  const processName = `${hostname().slice(0, 24)}:${process.pid}:${Date.now().toString(36)}`;
  const metrics = new Registry();
  processMetrics(metrics);
  const tracing = await startTracing({ config, log, metrics, stopping, processName });
  const onQuery = queryMetrics(metrics);
  const database = openDatabase(environment, onQuery);
  stopping.last("database pool", (left_ms) => database.close(left_ms / 2_000));
  await checkRedis(environment);
  const prepared = await prepareDatabase(database, environment);
  log.info(prepared, "database is up to date");
  if (config.APP_ENV === "development") await seedDevelopment(database);

  const wiring: Wiring = { ...environment, database, onQuery, metrics, tracing, stopping, processName };
  let supervisor: Supervisor | null = null;
  const probes = role === "worker" ? startWorkerApp(wiring, () => supervisor?.summaries() ?? []) : null;
  if (role !== "api") supervisor = await startWorkers(wiring);
  const api = role === "worker" ? null : await startApi(wiring, supervisor);
  if (api) process.stdout.write(banner(config, api.url));
  const server = api ?? probes;
  log.info({ role, pid: process.pid, ...(server ? { url: server.url } : {}) }, "ready");
}

/** Tasks of reviewers; one of all workers takes them. */
async function startReviews(wiring: Wiring): Promise<void> {
  const { config, log, services, database, metrics, stopping, processName } = wiring;
  const rules = {
    units: createUnitRegistry(await readUnits(config)),
    registration: config.SENSOR_REGISTRATION,
  };
  const { desk, tasks, close } = openDesk(database, `${processName}:review`, rules, reviewMetrics(metrics));
  const settings = {
    database_url: services.databaseUrl,
    session_name: `${processName}:reviews`.slice(-63),
    interval_ms: REVIEW_INTERVAL_MS,
  };
  const runner = new ReviewRunner(settings, desk, tasks, systemClock, log);
  runner.start();
  stopping.last("reviews", async (left_ms) => {
    await runner.stop(left_ms / 2);
    await close();
  });
}

async function startWorkers(wiring: Wiring): Promise<Supervisor> {
  const { config, log, services, database, metrics, tracing, stopping, processName } = wiring;
  const redis = workClient(services.redisUrl, (err) => log.warn({ err: err.message }, "Redis connection"));
  stopping.last("worker's Redis client", () => redis.disconnect());
  await ready(redis, REDIS_DEADLINE_MS);
  const { count } = await watchPartitions(wiring, redis);
  const mirror = new JobMirror(new MirrorFeed(redis, processName), new JobStore(database), count, log);
  mirror.start();
  stopping.last("job mirror", (left_ms) => mirror.stop(left_ms * 0.75));
  startLostJobs(wiring, redis);
  startAppendOnly(wiring, redis);
  startMaintenance(wiring);
  await startReviews(wiring);
  startWebhooks(wiring);

  let hear: ReturnType<typeof ingestMetrics> | undefined;
  const supervisor = new Supervisor(
    {
      threads: config.WORKER_THREADS,
      heartbeat_timeout_ms: config.WORKER_HEARTBEAT_TIMEOUT_MS,
      process_name: processName,
      thread: {
        database_url: services.databaseUrl,
        redis_url: services.redisUrl,
        partitions: config.STREAM_PARTITIONS,
        job_ttl_s: config.JOB_TTL_HOURS * 3600,
        claim_idle_ms: config.CLAIM_IDLE_MS,
        heartbeat_ms: config.WORKER_HEARTBEAT_TIMEOUT_MS / HEARTBEATS_PER_TIMEOUT,
        units: await readUnits(config),
        sensor_registration: config.SENSOR_REGISTRATION,
        log: { level: config.LOG_LEVEL, format: config.LOG_FORMAT },
        ...(tracing.settings ? { tracing: tracing.settings } : {}),
      },
    },
    systemClock,
    log,
    (message) => hear?.(message),
  );
  const tally = ingestMetrics(metrics, () => supervisor.summaries());
  const heartbeat = new Heartbeat(new WorkerBoard(redis), processName, () => supervisor.summaries(), log);
  hear = (message) => {
    if (message.kind === "spans") tracing.hear(message.report);
    tally(message);
    heartbeat.hear(message);
  };
  supervisor.start();
  heartbeat.start();
  stopping.last("heartbeat", () => heartbeat.stop());
  // The rest of the time is for the mirror and the connections.
  stopping.last("ingest threads", async (left_ms) => {
    await supervisor.stop(left_ms * 0.7);
    await handOverRest(redis, count, `${processName}:`, log, left_ms * 0.1);
  });
  return supervisor;
}

async function startApi(wiring: Wiring, supervisor: Supervisor | null): Promise<RunningServer> {
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
