/** What is told of a budget's window, without Redis. */
import { expect, test } from "bun:test";
import { Allowances } from "../../src/stream/allowance.ts";
import type { ScriptedRedis } from "../../src/stream/scripts.ts";

test.each([
  ["a moment", 200, 1],
  ["a second to the ms", 1_000, 1],
  ["a little more", 1_001, 2],
  ["a minute", 60_000, 60],
])("a client that waits until a window ends is let through: %s is left", async (_, left_ms, seconds) => {
  const redis = { hiAllow: async () => [0, 10, left_ms] } as unknown as ScriptedRedis;
  const allowances = new Allowances(redis, { monotonic_ms: () => 0 });
  const refused = await allowances.take("requests", "somebody", 1, 10);
  expect(refused).toEqual({
    allowed: false,
    limit: 10,
    remaining: 0,
    reset_ms: left_ms,
    ends_ms: left_ms,
    reset_s: seconds,
  });
});
