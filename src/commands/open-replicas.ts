/** What a 202 waits for beside the server that took the batch: REDIS_REPLICAS and REDIS_DURABILITY. */
import type { Config } from "../config/variables.ts";
import { clusterAddress } from "../stream/address.ts";
import { replyCode, StreamUnavailableError } from "../stream/connection.ts";
import { openLine } from "../stream/dedicated.ts";
import { replicaMetrics } from "../stream/replica-metrics.ts";
import { type ReplicaSettings, Replicas } from "../stream/replicas.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";
import { CommandError } from "./fail.ts";
import type { Wiring } from "./wiring.ts";

/** On a cluster a master may be replaced at any time, so there one replica is the least. */
export function replicaSettings(config: Config, redis_url: string): ReplicaSettings {
  const replicas = config.REDIS_REPLICAS ?? (clusterAddress(redis_url) ? 1 : 0);
  return { replicas, on_disk: config.REDIS_DURABILITY === "always" };
}

/**
 * Undefined when the server alone decides. Replicas that are missing now may come later; a Redis that can never say
 * what is wanted is a mistake of the configuration.
 * @throws {CommandError}
 */
export async function openReplicas(
  { config, services, metrics, stopping, log }: Wiring,
  redis: ScriptedRedis,
): Promise<Replicas | undefined> {
  const wanted = replicaSettings(config, services.redisUrl);
  const count = replicaMetrics(metrics);
  if (wanted.replicas === 0) return undefined;
  const lineFor = (partition: number) => openLine(services.redisUrl, redis, partition);
  const replicas = new Replicas(lineFor, wanted, count);
  stopping.last("questions to Redis' replicas", () => replicas.close());
  const all = Array.from({ length: config.STREAM_PARTITIONS }, (_, p) => p);
  for (const answer of await Promise.allSettled(all.map((p) => replicas.confirm(p, null)))) {
    if (answer.status === "fulfilled") continue;
    const error = answer.reason as Error;
    if (error instanceof StreamUnavailableError)
      log.warn({ err: error.message }, "batches will be refused until replicas are there");
    else if (replyCode(error) === undefined) throw error;
    else throw new CommandError(cannotSay(error, wanted));
  }
  return replicas;
}

const cannotSay = (error: Error, { replicas, on_disk }: ReplicaSettings) =>
  `REDIS_REPLICAS is ${replicas}${on_disk ? " and REDIS_DURABILITY is always" : ""}, and Redis cannot say whether that is so: ${error.message}. ` +
  (on_disk
    ? "It must be Redis 7.2 or newer with appendonly yes; or set REDIS_DURABILITY=everysec"
    : "Set REDIS_REPLICAS=0, or use a Redis that knows WAIT");
