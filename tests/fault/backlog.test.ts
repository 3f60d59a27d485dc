/** No worker runs: the API refuses at the bound, stays small, and recovers when a worker comes. */
import { afterEach, expect, test } from "bun:test";
import { streamKey } from "../../src/stream/keys.ts";
import { BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { expectRefusalsToBeClear } from "../support/fault/bound.ts";
import { FLAT_BYTES, residentBytes } from "../support/fault/memory.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const BOUND_ENTRIES = 40;
/** Requests refused at the bound while memory is watched. */
const REFUSALS = 300;
const seed = seedOf("backlog");
let stack: Stack | undefined;

afterEach(async () => {
  await stack?.close();
  stack = undefined;
}, TEST_MS);

test(
  "the bound of entries: 503 with Retry-After, memory stays flat, and a worker clears it",
  async () => {
    stack = await Stack.create({ BACKLOG_MAX_ENTRIES: String(BOUND_ENTRIES) });
    const api = await stack.start("api");
    const source = new BatchSource(randomFrom(seed), 2_000);
    const spare = Array.from({ length: 12 }, () => source.next());
    const load = await stack.load(seed, { next: () => spare.pop() ?? source.next(), lanes: 24, rate: 1_000 });
    await until("the bound is reached and the API is warm", () => load.count(503) >= REFUSALS / 2, 60_000);
    expect(load.accepted.size).toBe(BOUND_ENTRIES);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(503);
    const warm = await residentBytes(api.pid);
    await until("many are refused", () => load.count(503) >= REFUSALS * 1.5, 60_000);
    const later = await residentBytes(api.pid);
    if (warm !== null && later !== null) expect(later - warm).toBeLessThan(FLAT_BYTES);
    expect(load.accepted.size).toBe(BOUND_ENTRIES);

    await stack.start("worker");
    await until("batches are accepted again", () => load.accepted.size > BOUND_ENTRIES * 2);
    await load.stop();
    await stack.settle(load);
    await until("it is ready", async () => (await fetch(`${api.url}/readyz`)).status === 200);
    expectRefusalsToBeClear(load);
  },
  TEST_MS,
);

test(
  "the bound of bytes: the stream never holds more, whatever comes at once",
  async () => {
    const bound = 200_000;
    stack = await Stack.create({ BACKLOG_MAX_BYTES: String(bound) });
    await stack.start("api");
    const load = await stack.load(seed, { lanes: 12, rate: 200 });
    await until("the bound is reached", () => load.count(503) >= 50, 60_000);
    const entries = await stack.reckoning.redis.xrangeBuffer(streamKey(0), "-", "+");
    // As they wait, which may be in another coding than they were sent in.
    const held = entries.reduce((sum, [, fields]) => sum + fields.at(-1)!.length, 0);
    expect(held).toBeLessThanOrEqual(bound);
    expect(held).toBeGreaterThan(bound / 2);
    await stack.start("worker");
    await until("batches are accepted again", () => load.accepted.size > entries.length * 2, 60_000);
    await load.stop();
    await stack.settle(load);
    expectRefusalsToBeClear(load);
  },
  TEST_MS,
);
