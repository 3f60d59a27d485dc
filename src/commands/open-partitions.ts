/** Which partitions the stream has, for each part of a process that goes through all of them. */
import { systemClock } from "../ops/clock.ts";
import { sleep } from "../ops/retry.ts";
import { IdempotencyStore } from "../stream/idempotency.ts";
import { HEARD_AFTER_MS, PartitionRegister } from "../stream/partitions.ts";
import type { Replicas } from "../stream/replicas.ts";
import type { ScriptedRedis } from "../stream/scripts.ts";
import type { Wiring } from "./wiring.ts";

/** For a part that takes batches out, or looks on. @throws {StreamUnavailableError} */
export async function watchPartitions(wiring: Wiring, redis: ScriptedRedis): Promise<PartitionRegister> {
  const { config, log, stopping } = wiring;
  const register = new PartitionRegister(redis, config.STREAM_PARTITIONS, false, systemClock, log);
  await register.start();
  stopping.last("look for partitions", () => register.stop());
  return register;
}

/**
 * For a producer. With a new number of partitions it waits until the others have heard of it: an Idempotency-Key has
 * its place by that number, and they must know where else to look.
 * @throws {StreamUnavailableError}
 */
export async function announcePartitions(wiring: Wiring, redis: ScriptedRedis): Promise<PartitionRegister> {
  const { config, log, stopping } = wiring;
  const partitions = config.STREAM_PARTITIONS;
  const register = new PartitionRegister(redis, partitions, true, systemClock, log);
  if (await register.isNews()) {
    log.info(
      { partitions, others: register.others(HEARD_AFTER_MS) },
      "telling others of the number of partitions",
    );
    await sleep(HEARD_AFTER_MS, stopping.wanted);
  }
  await register.start();
  stopping.last("look for partitions", () => register.stop());
  return register;
}

/** Keys find their place by the number of partitions; those of other numbers are looked up as long as keys live. */
export function openIdempotency(
  { config }: Wiring,
  redis: ScriptedRedis,
  partitions: PartitionRegister,
  replicas: Replicas | undefined,
): IdempotencyStore {
  const claim_ttl_ms = config.BODY_TIMEOUT_MS * 2;
  const others = () => partitions.others(config.IDEMPOTENCY_TTL_HOURS * 3_600_000);
  return new IdempotencyStore(redis, config.STREAM_PARTITIONS, claim_ttl_ms, replicas, others);
}
