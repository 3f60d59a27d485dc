/** Wires what notices that Redis has lost accepted batches. */
import { RecentBatches } from "../api/batch/recent-batches.ts";
import { lossMetrics } from "../ingest/loss-metrics.ts";
import { LostJobs } from "../ingest/lost-jobs.ts";
import { JobStore } from "../store/jobs.ts";
import { LostJobStore } from "../store/lost-jobs.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";
import { Whereabouts } from "../stream/whereabouts.ts";
import type { Wiring } from "./wiring.ts";

/** Of the grace period that is left; what stops later needs time, too. */
const RECENT_SHARE = 0.25;

/** Of a worker process; one of all looks. */
export function startLostJobs(
  { config, log, database, metrics, stopping, processName }: Wiring,
  redis: ScriptedRedis,
): void {
  const settings = {
    // By then others have taken over what a dead worker left: nobody waits longer than that without a reason.
    every_ms: config.CLAIM_IDLE_MS,
    owner: processName,
    job_ttl_s: config.JOB_TTL_HOURS * 3600,
  };
  const lost = new LostJobs(
    settings,
    new Whereabouts(redis),
    new LostJobStore(database),
    log,
    lossMetrics(metrics),
  );
  lost.start();
  stopping.last("search for lost jobs", () => lost.stop());
}

/** Of an API process. */
export async function startRecentBatches(
  { config, log, database, stopping }: Wiring,
  redis: ScriptedRedis,
): Promise<RecentBatches> {
  const recent = new RecentBatches(
    { partitions: config.STREAM_PARTITIONS },
    new Whereabouts(redis),
    new JobStore(database),
    log,
  );
  await recent.start();
  stopping.last("recent batches", (left_ms) => recent.stop(left_ms * RECENT_SHARE));
  return recent;
}
