/** A short run of `bun run hostile` on the runner's services, in a database of its own; the long one is in load/results. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { REDIS_DATABASE } from "../../../load/bench/stack.ts";
import { createTestRedis } from "../../support/test-services.ts";

const ROOT = join(import.meta.dir, "../../..");
const COUNT = "3000";
/** HOSTILE_SEED looks elsewhere. */
const SEED = process.env.HOSTILE_SEED ?? "1";
const DEADLINE_MS = 600_000;

test(
  "hostile requests are answered below 500 and leave nothing behind, and honest batches are accepted meanwhile",
  async () => {
    // On a given Redis it may hold what a killed run left, which the command is right not to touch.
    const redis = await createTestRedis(REDIS_DATABASE);
    try {
      const options = ["--seed", SEED, "--count", COUNT, "--no-save"];
      const child = Bun.spawn([process.execPath, "load/hostile.ts", ...options], {
        cwd: ROOT,
        stdio: ["ignore", "pipe", "pipe"],
        timeout: DEADLINE_MS,
        env: process.env,
      });
      const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
      expect({ code, out, err }).toMatchObject({ code: 0, out: expect.stringMatching(/\npassed\n$/) });
    } finally {
      await redis.drop();
    }
  },
  DEADLINE_MS + 10_000,
);
