/** Wires the probes and metrics of a process that is only a worker. */
import type { RunningServer } from "../api/server.ts";
import { createWorkerApp, type WorkerAppDeps } from "../api/worker-app.ts";
import { systemClock } from "../ops/clock.ts";
import { requestClient } from "../stream/connection.ts";
import { StreamHealth } from "../stream/health.ts";
import { PartitionRegister } from "../stream/partitions.ts";
import { streamBounds } from "./environment.ts";
import { listen, workerPlace } from "./port.ts";
import type { Wiring } from "./wiring.ts";

/**
 * It is there before the threads and until after them, so that a stop under load can be watched. Null without
 * WORKER_OPS_PORT.
 * @throws {CommandError} when the port is taken
 */
export function startWorkerApp(wiring: Wiring, workers: WorkerAppDeps["workers"]): RunningServer | null {
  const { config, log, services, database, metrics, stopping } = wiring;
  const place = workerPlace(config);
  if (!place) return null;
  // Not the threads' and the mirror's: their commands wait for Redis, and a probe wants to know at once.
  const redis = requestClient(services.redisUrl, (err) => log.warn({ err: err.message }, "Redis connection"));
  stopping.last("probes' Redis client", () => redis.disconnect());
  // Not looked for at once: probes answer although Redis is away.
  const partitions = new PartitionRegister(redis, config.STREAM_PARTITIONS, false, systemClock, log);
  partitions.watch();
  stopping.last("probes' look for partitions", () => partitions.stop());
  const streamHealth = new StreamHealth(redis, streamBounds(config), partitions.count);
  const app = createWorkerApp({
    clock: systemClock,
    log,
    metrics,
    streamHealth,
    database,
    workers,
    wanted: stopping.wanted,
  });
  const server = listen(app, place, wiring);
  stopping.last("server of probes", (left_ms) => server.stop(left_ms / 2));
  return server;
}
