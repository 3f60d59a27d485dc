/** hono-rate-limiter's Redis store on our client: hits in fixed windows of one minute, shared by every process. */
import { createHash } from "node:crypto";
import { type ClientRateLimitInfo, type RedisClient, RedisStore } from "hono-rate-limiter";
import { DeadlineError, withDeadline } from "../../ops/retry.ts";
import { reaching, replyCode, StreamUnavailableError } from "../../stream/connection.ts";
import type { ScriptedRedis } from "../../stream/scripts.ts";
import type { AppEnv } from "../deps.ts";

/** Length of a window, ms. */
export const WINDOW_MS = 60_000;
/** The store tries twice; without a bound of its own a stalled Redis would hold a request for both timeouts. */
const INCREMENT_DEADLINE_MS = 5_000;

/**
 * The commands the store needs. It loads each script at construction and again after any error; here loading
 * only computes the digest, and a script that Redis does not know (restart, SCRIPT FLUSH) is sent in full once.
 */
function storeClient(redis: ScriptedRedis): RedisClient {
  const scripts = new Map<string, string>();
  return {
    scriptLoad: async (script) => {
      const digest = createHash("sha1").update(script).digest("hex");
      scripts.set(digest, script);
      return digest;
    },
    evalsha: async <TArgs extends unknown[], TData>(digest: string, keys: string[], args: TArgs) => {
      const operands = [...keys, ...(args as (string | number)[])];
      try {
        return (await reaching(redis.evalsha(digest, keys.length, ...operands))) as TData;
      } catch (error) {
        if (replyCode(error) !== "NOSCRIPT") throw error;
        return (await reaching(redis.eval(scripts.get(digest) ?? "", keys.length, ...operands))) as TData;
      }
    },
    decr: (key) => reaching(redis.decr(key)),
    del: (key) => reaching(redis.del(key)),
  };
}

/** Counts hits per key. `increment` throws {StreamUnavailableError} when Redis is away. */
export class RequestCounter extends RedisStore<AppEnv> {
  /** @param prefix put before every key */
  constructor(redis: ScriptedRedis, prefix: string) {
    super({ client: storeClient(redis), prefix });
    this.windowMs = WINDOW_MS;
  }

  override async increment(key: string): Promise<ClientRateLimitInfo> {
    try {
      return await withDeadline(super.increment(key), INCREMENT_DEADLINE_MS, "counting a request");
    } catch (error) {
      if (error instanceof DeadlineError) throw new StreamUnavailableError(error.message, { cause: error });
      throw error;
    }
  }
}

/** Seconds until a window ends, at least 1: a client that waits this long is let through. */
export function secondsUntil(reset: Date | undefined, now_ms: number): number {
  const left_ms = (reset?.getTime() ?? now_ms + WINDOW_MS) - now_ms;
  return Math.max(1, Math.ceil(left_ms / 1000));
}
