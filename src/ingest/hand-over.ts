/** The last step of the ingest threads' stop. */
import type { Logger } from "../ops/log.ts";
import { DeadlineError, withDeadline } from "../ops/retry.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import { handOver } from "../stream/hand-over.ts";
import type { PartitionCount } from "../stream/partitions.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";

/** A stop waits no longer for Redis to hear what is left, ms. */
const LONGEST_MS = 1_000;

/**
 * What the threads could not finish in time is claimed by others at once instead of after CLAIM_IDLE_MS.
 * @param prefix of the names of the threads, which have ended
 */
export async function handOverRest(
  redis: ScriptedRedis,
  partitions: PartitionCount,
  prefix: string,
  log: Logger,
  deadline_ms: number,
): Promise<void> {
  try {
    const work = handOver(redis, partitions, prefix);
    const entries = await withDeadline(work, Math.min(deadline_ms, LONGEST_MS), "handing entries over");
    if (entries > 0) log.info({ entries }, "entries handed over to other workers");
  } catch (error) {
    if (!(error instanceof StreamUnavailableError) && !(error instanceof DeadlineError)) throw error;
    log.warn({ err: error.message }, "what was not finished is taken over after CLAIM_IDLE_MS");
  }
}
