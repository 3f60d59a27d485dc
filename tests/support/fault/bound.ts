/**
 * What holds at any bound of the service: requests are refused with 503 and Retry-After, the programs stay as small as
 * they are, everything goes on by itself when the fault is over, and nothing accepted is lost.
 */
import { expect } from "bun:test";
import type { Stack } from "../stack.ts";
import { until } from "../until.ts";
import type { Batch } from "./batches.ts";
import type { Load } from "./load.ts";
import { FLAT_BYTES, residentBytes } from "./memory.ts";
import type { Program } from "./program.ts";

/** Requests refused before memory is looked at, and again until it is looked at once more. */
const REFUSALS = 150;

export interface Fault {
  readonly harm: () => unknown;
  readonly heal: () => unknown;
  /** Asked at the bound. */
  readonly during?: () => Promise<unknown>;
}

/** Every answer but 202 was a 503 (or a 409 of a request in flight) that says when to come again. */
export function expectRefusalsToBeClear(load: Load): void {
  const refused = load.answers.filter(({ status }) => status !== 202 && status !== 409);
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
  for (const { retry_after, content_type } of refused) {
    expect(Number(retry_after)).toBeGreaterThanOrEqual(1);
    expect(content_type).toContain("application/problem+json");
  }
}

/**
 * Bring a running stack to a bound by a fault, and back.
 * @param accepted of earlier faults on the same stack; what is accepted now is added to it
 */
export async function toTheBoundAndBack(
  stack: Stack,
  load: Load,
  { harm, heal, during }: Fault,
  accepted: Map<string, Batch>,
): Promise<void> {
  await until("batches are accepted", () => load.accepted.size >= 10, 60_000);
  await harm();
  const since_ms = performance.now();
  const refused = (count: number) =>
    until(`${count} requests are refused`, () => load.count(503, since_ms) >= count, 90_000);
  try {
    await refused(REFUSALS);
    const warm = await sizesOf(stack.programs);
    const probe = await fetch(`${stack.url}/readyz`);
    expect([probe.status, probe.headers.get("Retry-After") === null]).toEqual([503, false]);
    await during?.();
    await refused(2 * REFUSALS);
    for (const [i, now] of (await sizesOf(stack.programs)).entries())
      if (now !== null) expect(now - warm[i]!).toBeLessThan(FLAT_BYTES);
  } finally {
    await heal();
  }
  const before = load.accepted.size;
  await until("batches are accepted again", () => load.accepted.size >= before + 40, 90_000);
  await load.stop();
  for (const [id, batch] of load.accepted) accepted.set(id, batch);
  await stack.settle({ accepted }, 90_000);
  await until("it is ready", async () => (await fetch(`${stack.url}/readyz`)).status === 200);
  expectRefusalsToBeClear(load);
  expect(load.slowest_ms).toBeLessThan(25_000);
  for (const program of stack.programs) expect([program.alive, died(program)]).toEqual([true, []]);
}

const sizesOf = (programs: readonly Program[]) => Promise.all(programs.map(({ pid }) => residentBytes(pid)));
/** Threads that had to be replaced. */
const died = ({ lines }: Program) => lines.filter((line) => line.includes('"ingest thread died"'));
