/**
 * `hydraulic start`: the composition root. Wires HTTP, stream and database together, starts them from the back to
 * the front, and stops them in the order in which a batch flows: accept nothing, finish what was accepted, close.
 */
import { hostname } from "node:os";
import { Registry } from "prom-client";
import type { Supervisor } from "../ingest/supervisor.ts";
import { survivePrinting } from "../ops/log-output.ts";
import { checkDatabaseUrl } from "../services/given-urls.ts";
import { queryMetrics } from "../store/query-metrics.ts";
import { banner } from "./banner.ts";
import { checkRedis } from "./check-redis.ts";
import {
  type Environment,
  openDatabase,
  openEnvironment,
  prepareDatabase,
  readUnits,
} from "./environment.ts";
import { apiPlace, refuseTakenPort, workerPlace } from "./port.ts";
import { processMetrics } from "./process-metrics.ts";
import { seedDevelopment } from "./seed.ts";
import { startApi } from "./start-api.ts";
import { startTracing } from "./start-tracing.ts";
import { startWorkerApp } from "./start-worker-app.ts";
import { startWorkers } from "./start-workers.ts";
import { Stopping } from "./stopping.ts";
import type { Wiring } from "./wiring.ts";

export const ROLES_TO_START = ["all", "api", "worker"] as const;
export type RoleToStart = (typeof ROLES_TO_START)[number];

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
