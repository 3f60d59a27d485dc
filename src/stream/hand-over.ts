/** What a worker process that stops still holds: given to the others at once, as nobody else can know that it is over. */
import { reaching } from "./connection.ts";
import { INGEST_GROUP, streamKey } from "./keys.ts";
import { type PartitionCount, partitionsOf } from "./partitions.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** Entries look as if untouched for so long, ms: longer than any CLAIM_IDLE_MS. */
const UNTOUCHED_MS = 86_400_000;

/**
 * Let others claim what the threads of a process hold, and forget those that hold nothing.
 * @param prefix of the names of its consumers, which have ended
 * @returns entries that were handed over
 * @throws {StreamUnavailableError} then the others wait for CLAIM_IDLE_MS
 */
export async function handOver(
  redis: ScriptedRedis,
  partitions: PartitionCount,
  prefix: string,
): Promise<number> {
  const handed = await Promise.all(
    partitionsOf(partitions).map((p) =>
      reaching(redis.hiHandOver(streamKey(p), INGEST_GROUP, prefix, UNTOUCHED_MS)),
    ),
  );
  return handed.reduce((sum, n) => sum + n, 0);
}
