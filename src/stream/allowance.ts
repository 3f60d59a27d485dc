/** Readings a minute: a budget per user, shared by every API process. */
import { reaching } from "./connection.ts";
import type { ScriptedRedis } from "./scripts.ts";

const WINDOW_MS = 60_000;

export interface Allowance {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the window ends, at least 1. */
  readonly reset_s: number;
}

export class ReadingsAllowance {
  constructor(private readonly redis: ScriptedRedis) {}

  /** Take `readings` out of the user's minute; what does not fit is not counted. @throws {StreamUnavailableError} */
  async take(user_id: string, readings: number, limit_per_minute: number): Promise<Allowance> {
    const key = `allowance:readings:${user_id}`;
    const [ok, used, left_ms] = await reaching(
      this.redis.hiAllow(key, readings, limit_per_minute, WINDOW_MS),
    );
    return {
      allowed: ok === 1,
      limit: limit_per_minute,
      remaining: Math.max(0, limit_per_minute - used),
      reset_s: Math.max(1, Math.ceil(left_ms / 1000)),
    };
  }
}
