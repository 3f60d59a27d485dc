/** Wires a worker process: ingest threads, and the actors beside them. */
import { createUnitRegistry } from "../contract/units.ts";
import { handOverRest } from "../ingest/hand-over.ts";
import { Heartbeat } from "../ingest/heartbeat.ts";
import { ingestMetrics } from "../ingest/ingest-metrics.ts";
import { JobMirror } from "../ingest/mirror.ts";
import { Supervisor } from "../ingest/supervisor.ts";
import { systemClock } from "../ops/clock.ts";
import { openDesk } from "../review/open-desk.ts";
import { reviewMetrics } from "../review/review-metrics.ts";
import { ReviewRunner } from "../review/runner.ts";
import { JobStore } from "../store/jobs.ts";
import { ready, workClient } from "../stream/connection.ts";
import { MirrorFeed } from "../stream/mirror-feed.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";
import { WorkerBoard } from "../stream/worker-board.ts";
import { readUnits } from "./environment.ts";
import { watchPartitions } from "./open-partitions.ts";
import { startAppendOnly } from "./start-append-only.ts";
import { startLostJobs } from "./start-losses.ts";
import { startMaintenance } from "./start-maintenance.ts";
import { startWebhooks } from "./start-webhooks.ts";
import type { Wiring } from "./wiring.ts";

const REDIS_DEADLINE_MS = 10_000;
const HEARTBEATS_PER_TIMEOUT = 5;
const REVIEW_INTERVAL_MS = 500;

/** The ingest threads, and what looks after their work beside them. */
export async function startWorkers(wiring: Wiring): Promise<Supervisor> {
  const { log, services, database, stopping, processName } = wiring;
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

  const { supervisor, heartbeat } = await threads(wiring, redis);
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

/** The ingest threads, not started; what they tell goes to the metrics, the traces and the board of workers. */
async function threads(wiring: Wiring, redis: ScriptedRedis) {
  const { config, log, services, metrics, tracing, processName } = wiring;
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
  return { supervisor, heartbeat };
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
