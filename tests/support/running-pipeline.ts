/** An ingest thread's pipeline, run in the process of the test. */
import type { FromThread, ThreadSettings } from "../../src/ingest/messages.ts";
import { buildPipeline } from "../../src/ingest/run-thread.ts";
import type { Tracer } from "../../src/ops/trace.ts";

/** A pipeline at work. */
export interface RunningPipeline {
  readonly consumer: string;
  readonly told: FromThread[];
  readonly inHand: () => number;
  /** Resolves when `run` has ended. @throws what it threw */
  readonly ended: Promise<void>;
  drain(deadline_ms?: number): Promise<void>;
  /** Let go of everything without a word, as a dead thread does. */
  kill(): Promise<void>;
}

/** Short claim times; everything else as a service has it. */
export function startPipeline(
  consumer: string,
  settings: Partial<ThreadSettings> & Pick<ThreadSettings, "database_url" | "redis_url">,
  tracer?: Tracer,
): RunningPipeline {
  const told: FromThread[] = [];
  const { pipeline, close } = buildPipeline(
    {
      partitions: 1,
      job_ttl_s: 3600,
      claim_idle_ms: 1_000,
      heartbeat_ms: 100,
      units: [],
      sensor_registration: "auto",
      log: { level: "error", format: "json" },
      consumer,
      predecessor: null,
      ...settings,
    },
    (message) => told.push(message),
    tracer,
  );
  const ended = pipeline.run();
  ended.catch(() => undefined);
  return {
    consumer,
    told,
    inHand: () => pipeline.inHand,
    ended,
    async drain(deadline_ms = 30_000) {
      pipeline.drain(deadline_ms);
      await ended;
      await close();
    },
    async kill() {
      pipeline.drain(0);
      await close();
      await ended.catch(() => undefined);
    },
  };
}
