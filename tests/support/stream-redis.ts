/** A Redis of a test file's own, empty after each of its tests, and batches for it. */
import { afterAll, afterEach, beforeAll } from "bun:test";
import { ready, workClient } from "../../src/stream/connection.ts";
import type { BatchOffer } from "../../src/stream/producer.ts";
import type { ScriptedRedis } from "../../src/stream/scripts.ts";
import { createTestRedis, type TestService } from "./test-services.ts";

/**
 * To be called once, at the top of the file.
 * @param use gets a client and the address before the first test
 * @param release after each test: what it has opened on Redis
 */
export function useStreamRedis(
  use: (redis: ScriptedRedis, url: string) => void,
  release: () => void = () => undefined,
): void {
  let service: TestService;
  let redis: ScriptedRedis;
  beforeAll(async () => {
    service = await createTestRedis();
    redis = workClient(service.url);
    await ready(redis, 30_000);
    use(redis, service.url);
  });
  afterEach(async () => {
    release();
    await redis.flushdb();
  });
  afterAll(async () => {
    redis.disconnect();
    await service.drop();
  });
}

/** A batch of one reading, of somebody. */
export const someOffer = (more: Partial<BatchOffer> = {}): BatchOffer => ({
  system_id: crypto.randomUUID(),
  user_id: crypto.randomUUID(),
  request_id: "r",
  total_readings: 1,
  received_at_ms: 1,
  format: "json",
  body: Buffer.from("{}"),
  ...more,
});
