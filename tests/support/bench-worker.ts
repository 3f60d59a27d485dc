/** An ingest thread's pipeline on the services of an `ApiBench`, in this process. */
import { buildPipeline } from "../../src/ingest/run-thread.ts";
import type { ApiBench } from "./api.ts";

export interface BenchWorker {
  /** Finish what is in hand and end. */
  stop(): Promise<void>;
}

export function startWorker({ straight }: Pick<ApiBench, "straight">): BenchWorker {
  const { pipeline, close } = buildPipeline(
    {
      database_url: straight.postgres,
      redis_url: straight.redis,
      partitions: 1,
      job_ttl_s: 3_600,
      claim_idle_ms: 1_000,
      heartbeat_ms: 100,
      units: [],
      sensor_registration: "auto",
      log: { level: "error", format: "json" },
      consumer: `bench-worker-${crypto.randomUUID()}`,
      predecessor: null,
    },
    () => undefined,
  );
  const ended = pipeline.run();
  return {
    async stop() {
      pipeline.drain(5_000);
      await ended;
      await close();
    },
  };
}
