/** The number of partitions is changed by restarts under load, in any order: nothing is lost, and no key makes two jobs. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { streamKey } from "../../src/stream/keys.ts";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { type Load, postBatch } from "../support/fault/load.ts";
import type { Program } from "../support/fault/program.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const MOST = 3;
const seed = seedOf("partitions");
let stack: Stack;
beforeEach(async () => {
  // So many are reckoned with; each program below has a number of its own.
  stack = await Stack.create({ STREAM_PARTITIONS: String(MOST) });
}, TEST_MS);
afterEach(() => stack.close(), TEST_MS);

const start = (role: "api" | "worker", partitions: number) =>
  stack.start(role, { STREAM_PARTITIONS: String(partitions) });
async function stop(program: Program): Promise<void> {
  program.signal("SIGTERM");
  expect(await program.end(60_000)).toEqual({ code: 0, signal: null });
}
const more = (load: Load, count: number) => {
  const goal = load.accepted.size + count;
  return until(`${count} more batches are accepted`, () => load.accepted.size >= goal, 60_000);
};
const waiting = (partition: number) => stack.reckoning.redis.xlen(streamKey(partition));

test(
  "raised at the API first: workers that know fewer take the batches of the new partitions, and a key keeps its job",
  async () => {
    const [old, worker] = [await start("api", 1), await start("worker", 1)];
    const load = await stack.load(seed);
    await more(load, 30);
    const token = await stack.login();
    const batches = new BatchSource(randomFrom(seed + 1), 10);
    const keyed = Array.from({ length: 6 }, () => batches.next());
    for (const batch of keyed) {
      const answer = await postBatch(old.url, token, batch);
      expect(answer.status).toBe(202);
      load.accepted.set(((await answer.json()) as { job_id: string }).job_id, batch);
    }
    const heir = await start("api", MOST);
    for (const batch of keyed) {
      const again = await postBatch(heir.url, token, batch);
      expect([again.status, again.headers.get("Idempotent-Replayed")]).toEqual([202, "true"]);
      expect(load.accepted.get(((await again.json()) as { job_id: string }).job_id)).toBe(batch);
    }
    // And the other way round: made by the new API, asked for at the one that has the old number.
    const batch = batches.next();
    const made = (await (await postBatch(heir.url, token, batch)).json()) as { job_id: string };
    load.accepted.set(made.job_id, batch);
    const asked = await postBatch(old.url, token, batch);
    expect(await asked.json()).toMatchObject({ job_id: made.job_id });
    await stop(old);
    await more(load, 60);
    await load.stop();
    await stack.settle(load);
    expect(new Set([...load.accepted.keys()].map((id) => id.slice(-2))).size).toBe(MOST);
    expect(worker.alive).toBe(true);
  },
  TEST_MS,
);

test(
  "lowered while batches wait: workers that know fewer finish those of the partitions that are no longer used",
  async () => {
    const old = await start("api", MOST);
    const load = await stack.load(seed + 2);
    await until("batches wait in every partition", async () => {
      const lengths = await Promise.all([0, 1, 2].map(waiting));
      return lengths.every((length) => length >= 5);
    });
    await start("api", 2);
    await stop(old);
    const before = await waiting(2);
    await more(load, 30);
    await load.stop();
    expect(await waiting(2)).toBe(before);
    await start("worker", 1);
    await stack.settle(load);
  },
  TEST_MS,
);
