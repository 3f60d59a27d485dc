/** Wires what an API process has of Redis: how batches get into the stream, and what it knows of those that are there. */
import { OverviewHistory } from "../api/overview-history.ts";
import { systemClock } from "../ops/clock.ts";
import { Allowances } from "../stream/allowance.ts";
import { ready, requestClient, subscriberClient } from "../stream/connection.ts";
import { inspectKeeping } from "../stream/durability.ts";
import { StreamHealth } from "../stream/health.ts";
import { JobSignals } from "../stream/job-signals.ts";
import { JobBoard } from "../stream/jobs.ts";
import { Producer } from "../stream/producer.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";
import { streamMetrics } from "../stream/stream-metrics.ts";
import { WorkerBoard } from "../stream/worker-board.ts";
import { streamBounds } from "./environment.ts";
import { announcePartitions, openIdempotency } from "./open-partitions.ts";
import { openReplicas } from "./open-replicas.ts";
import { startRecentBatches } from "./start-losses.ts";
import type { Wiring } from "./wiring.ts";

const REDIS_DEADLINE_MS = 10_000;

/** The connections of requests and of signals. @throws {StreamUnavailableError} when Redis does not answer in time */
export async function connectRedis({ services, log, stopping }: Wiring) {
  const onError = (err: Error) => log.warn({ err: err.message }, "Redis connection");
  const redis = requestClient(services.redisUrl, onError);
  const jobSignals = new JobSignals(subscriberClient(services.redisUrl, onError));
  stopping.last("API's Redis client", () => {
    jobSignals.close();
    redis.disconnect();
  });
  await ready(redis, REDIS_DEADLINE_MS);
  return { redis, jobSignals };
}

/**
 * Started, and stopped with the process.
 * @throws {CommandError} when Redis can never say what REDIS_REPLICAS wants @throws {StreamUnavailableError}
 */
export async function openStream(wiring: Wiring, redis: ScriptedRedis) {
  const { config, log, metrics, stopping } = wiring;
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
  return {
    partitions,
    producer: new Producer(redis, bounds, replicas),
    recentBatches,
    idempotency: openIdempotency(wiring, redis, partitions, replicas),
    jobBoard: new JobBoard(redis),
    streamHealth,
    keeping: () => inspectKeeping(redis),
    workerBoard,
    overviewHistory,
    allowances: new Allowances(redis, systemClock),
  };
}
