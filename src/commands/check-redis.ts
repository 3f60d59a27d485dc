/** Before anything is accepted: does Redis keep what is given to it? */
import { ready, workClient } from "../stream/connection.ts";
import { inspectKeeping } from "../stream/durability.ts";
import type { Environment } from "./environment.ts";
import { CommandError } from "./fail.ts";

const REDIS_DEADLINE_MS = 10_000;

/**
 * Says how durable a 202 is, and warns of what falls short of the settings.
 * @throws {CommandError} when Redis may drop accepted batches to make room
 * @throws {StreamUnavailableError}
 */
export async function checkRedis({ config, log, services }: Environment): Promise<void> {
  const redis = workClient(services.redisUrl, (err) => log.debug({ err: err.message }, "Redis connection"));
  try {
    await ready(redis, REDIS_DEADLINE_MS);
    const { durability, eviction } = await inspectKeeping(redis);
    if (eviction.startsWith("allkeys-"))
      throw new CommandError(
        `Redis drops accepted batches when its memory is full (maxmemory-policy ${eviction}). ` +
          "Set it to noeviction, in redis.conf too: redis-cli CONFIG SET maxmemory-policy noeviction",
      );
    if (eviction !== "noeviction")
      log.warn(
        { eviction },
        "Redis may forget jobs, keys and limits early: maxmemory-policy is not noeviction",
      );
    if (durability === "off")
      log.warn("Redis has no append-only file: a restart of it loses accepted batches");
    else if (config.REDIS_DURABILITY === "always" && durability !== "always")
      log.warn(
        { durability },
        "REDIS_DURABILITY is always, but this Redis has another appendfsync: a power cut loses accepted batches",
      );
    log.info({ durability, eviction }, "Redis answers");
  } finally {
    redis.disconnect();
  }
}
