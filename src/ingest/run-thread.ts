/**
 * An ingest thread. A thread is treated like a process: it is told plain data, builds its own
 * connections, and says only what `FromThread` allows. Whatever it throws ends it; the supervisor starts another.
 */

import { DEFAULT_MAX_FUTURE_MS, DEFAULT_MAX_PAST_YEARS } from "../contract/rules.ts";
import { createUnitRegistry } from "../contract/units.ts";
import { systemClock } from "../ops/clock.ts";
import { createLogger, type Logger } from "../ops/log.ts";
import { NO_TRACER, type Tracer } from "../ops/trace.ts";
import { openTracer } from "../ops/tracing.ts";
import { JobStore } from "../store/jobs.ts";
import { Database } from "../store/pool.ts";
import { RegistryReader } from "../store/registry.ts";
import { WriterSessions } from "../store/sessions.ts";
import { Writer } from "../store/writer/writer.ts";
import { workClient } from "../stream/connection.ts";
import { StreamConsumer } from "../stream/consumer.ts";
import { openReader } from "../stream/dedicated.ts";
import { PartitionRegister } from "../stream/partitions.ts";
import type { GroupRules } from "./group.ts";
import type { FromThread, ThreadSettings, ToThread } from "./messages.ts";
import { Pipeline } from "./pipeline.ts";
import { RegistryCache } from "./registry-cache.ts";

/** Bun's global of a worker thread, as its documentation declares it. */
declare const self: Worker;

const QUERY_DEADLINE_MS = 10_000;
const WRITE_DEADLINE_MS = 60_000;
/** A change of the registry is in force after this time and a batch, ms. */
const REGISTRY_REFRESH_MS = 2_000;
/** The last spans are sent for so long at most, ms, and for this part of what the pipeline has for its end. */
const LAST_SPANS = { most_ms: 2_000, share: 0.15 } as const;

/** A pipeline with its connections. `close` ends the connections once the pipeline has drained. */
export function buildPipeline(
  settings: ThreadSettings,
  tell: (message: FromThread) => void,
  tracer: Tracer = NO_TRACER,
) {
  const log = createLogger(settings.log).child({ worker: settings.consumer });
  const { consumer, close: closeStream } = openStream(settings, log);
  const database = new Database({
    url: settings.database_url,
    size: 2,
    query_deadline_ms: QUERY_DEADLINE_MS,
  });
  const writer = new Writer(
    { url: settings.database_url, application_name: settings.consumer, deadline_ms: WRITE_DEADLINE_MS },
    systemClock.now_ms,
  );
  const pipeline = new Pipeline({
    consumer,
    writer,
    jobs: new JobStore(database),
    sessions: new WriterSessions(database),
    registry: new RegistryCache(new RegistryReader(database), systemClock, REGISTRY_REFRESH_MS),
    rules: rulesOf(settings),
    clock: systemClock,
    log,
    tracer,
    claim_idle_ms: settings.claim_idle_ms,
    predecessor: settings.predecessor,
    tell,
  });
  const close = async () => {
    await closeStream();
    await Promise.all([writer.close(), database.close(1)]);
  };
  return { pipeline, close };
}

function openStream(settings: ThreadSettings, log: Logger) {
  const onRedisError = (error: Error) => log.warn({ err: error.message }, "Redis connection");
  const redis = workClient(settings.redis_url, onRedisError);
  const reader = openReader(settings.redis_url, redis);
  const partitions = new PartitionRegister(redis, settings.partitions, false, systemClock, log);
  partitions.watch();
  const consumer = new StreamConsumer(reader, redis, settings.consumer, partitions.count, settings.job_ttl_s);
  const close = async () => {
    await partitions.stop();
    reader.close();
    redis.disconnect();
  };
  return { consumer, close };
}

const rulesOf = (settings: ThreadSettings): GroupRules => ({
  registration: settings.sensor_registration,
  units: createUnitRegistry(settings.units),
  maxFuture_ms: DEFAULT_MAX_FUTURE_MS,
  maxPast_years: DEFAULT_MAX_PAST_YEARS,
});

/** Obey the supervisor's messages until drained. For the entry point of a worker thread. */
export function runThread(): void {
  const tell = (message: FromThread) => self.postMessage(message);
  let built: ReturnType<typeof buildPipeline> | undefined;
  let drain_ms: number | null = null;
  const start = async (settings: ThreadSettings) => {
    const tracer = await openTracer(settings.tracing ?? null, (report) => tell({ kind: "spans", report }));
    built = buildPipeline(settings, tell, tracer);
    const { pipeline, close } = built;
    // It may have been told while the tracer was loaded.
    if (drain_ms !== null) pipeline.drain(drain_ms);
    const beat = setInterval(
      () => tell({ kind: "heartbeat", in_hand: pipeline.inHand }),
      settings.heartbeat_ms,
    );
    tell({ kind: "ready" });
    await pipeline.run();
    clearInterval(beat);
    await close();
    await tracer.close(Math.min(LAST_SPANS.most_ms, (drain_ms ?? 0) * LAST_SPANS.share));
    tell({ kind: "drained" });
  };
  self.onmessage = ({ data }: MessageEvent<ToThread>) => {
    if (data.kind === "drain") {
      drain_ms = data.deadline_ms;
      built?.pipeline.drain(data.deadline_ms);
    } else
      start(data.settings).catch((error: Error) =>
        tell({ kind: "fatal", message: error.stack ?? String(error) }),
      );
  };
  // An unhandled rejection would close the thread with code 0 and no word (Bun).
  process.on("unhandledRejection", (error) => tell({ kind: "fatal", message: String(error) }));
}
