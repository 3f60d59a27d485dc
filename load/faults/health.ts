/** Whether the service has recovered: all of it is ready, takes batches, and nothing of before waits any more. */
import { streamKey } from "../../src/stream/keys.ts";
import { APIS } from "./kinds.ts";
import type { Producers } from "./producers.ts";
import { PARTITIONS } from "./programs.ts";
import type { Stack } from "./stack.ts";

/** It did not recover by itself in time. */
class NotRecoveredError extends Error {
  override readonly name = "NotRecoveredError";
}

const LOOK_MS = 30;

/** Since when what is waited for; monotonic ms. */
interface Since {
  readonly begin_ms: number;
  /** Of each partition: the newest entry then. */
  readonly newest: readonly string[];
}

export interface Recovery {
  readonly took_ms: number;
  /** What was waited for last. */
  readonly last: readonly string[];
}

/** @throws {NotRecoveredError} after `bound_ms` @throws {Error} of the producers */
export async function recovery(stack: Stack, producers: Producers, bound_ms: number): Promise<Recovery> {
  const begin_ms = performance.now();
  const end_ms = begin_ms + bound_ms;
  let since: Since | null = null;
  let wrong = ["nothing has been looked at"];
  while (performance.now() < end_ms) {
    if (producers.failure) throw producers.failure;
    since ??= await lookAtStreams(stack, begin_ms);
    const now = await ailments(stack, producers, since);
    if (now.length === 0) return { took_ms: performance.now() - begin_ms, last: wrong };
    wrong = now;
    await Bun.sleep(LOOK_MS);
  }
  throw new NotRecoveredError(
    `not recovered ${Math.round(bound_ms / 1000)} s after the last fault: ${wrong.join("; ")}`,
  );
}

async function ailments(stack: Stack, producers: Producers, since: Since | null): Promise<string[]> {
  const units = Object.values(stack.units);
  const ready = await Promise.all(units.map((unit) => unit.isReady()));
  const wrong = units.filter((_, i) => !ready[i]).map(({ name }) => `${name} is not ready`);
  for (const api of APIS)
    if (producers.accepted_ms[api] < (since?.begin_ms ?? 0)) wrong.push(`${api} has accepted nothing`);
  if (since === null) return [...wrong, "Redis does not answer"];
  // Only when all else is well: it is the costliest question.
  return wrong.length > 0 ? wrong : waiting(stack, since);
}

/** null: Redis does not answer. */
async function lookAtStreams({ redis }: Stack, begin_ms: number): Promise<Since | null> {
  try {
    const newest = await Promise.all(
      partitions().map(async (p) => {
        const [last] = await redis.redis.xrevrange(streamKey(p), "+", "-", "COUNT", 1);
        return last?.[0] ?? "0-0";
      }),
    );
    return { begin_ms, newest };
  } catch {
    return null;
  }
}

/** Entries of before that are still there. */
async function waiting({ redis }: Stack, { newest }: Since): Promise<string[]> {
  try {
    if (!(await redis.isMended())) return ["Redis has not written its append-only file anew"];
    const left = await Promise.all(
      partitions().map(async (p) => {
        const [first] = await redis.redis.xrange(streamKey(p), "-", newest[p]!, "COUNT", 1);
        return first ? [`batch ${first[0]} of partition ${p} still waits`] : [];
      }),
    );
    return left.flat();
  } catch (error) {
    return [`Redis: ${(error as Error).message}`];
  }
}

const partitions = () => Array.from({ length: PARTITIONS }, (_, p) => p);

/** Resolves when nothing waits at all and the job mirror has nothing to do. @throws {NotRecoveredError} */
export async function drained({ redis }: Stack, keys: readonly string[], bound_ms: number): Promise<void> {
  const end_ms = performance.now() + bound_ms;
  for (const key of keys) {
    for (let left = -1; left !== 0; ) {
      left = await redis.redis.xlen(key).catch(() => -1);
      if (left !== 0 && performance.now() > end_ms)
        throw new NotRecoveredError(`${left} entries are left in ${key}`);
      if (left !== 0) await Bun.sleep(LOOK_MS);
    }
  }
}
