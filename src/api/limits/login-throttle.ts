/**
 * Slows down the guessing of passwords. Two counters: attempts on one name from one address, and, so that trying
 * one password on many names does not pass unnoticed, attempts from one address on any name.
 */
import { createHash } from "node:crypto";
import type { ClientRateLimitInfo } from "hono-rate-limiter";
import type { Clock } from "../../ops/clock.ts";
import type { ScriptedRedis } from "../../stream/scripts.ts";
import { ProblemError } from "../problem-error.ts";
import { type Budget, limitHeaders } from "./limit-headers.ts";
import { RequestCounter, secondsUntil } from "./request-counter.ts";

/** An address may stand for a site with many machines, so it gets several names' worth of attempts. */
const NAMES_PER_ADDRESS = 10;

export class LoginThrottle {
  readonly #pairs: RequestCounter;
  readonly #addresses: RequestCounter;

  constructor(
    redis: ScriptedRedis,
    private readonly attempts_per_minute: number,
    private readonly clock: Clock,
  ) {
    this.#pairs = new RequestCounter(redis, "limit:login:");
    this.#addresses = new RequestCounter(redis, "limit:login-address:");
  }

  /**
   * Count an attempt. Of the two counters, the one that is nearer to its end is told.
   * @returns headers for the answer, whatever it will be
   * @throws {ProblemError} rate-limited, with the same headers
   * @throws {StreamUnavailableError} when Redis is away: guessing is never free
   */
  async take(username: string, address: string): Promise<Record<string, string>> {
    // The name is hashed: its characters and length are the client's choice.
    const name = createHash("sha256").update(username.toLowerCase()).digest("base64url");
    const [pair, all] = await Promise.all([
      this.#pairs.increment(`${address}:${name}`),
      this.#addresses.increment(address),
    ]);
    const ofName = this.#budget(pair, this.attempts_per_minute);
    const ofAddress = this.#budget(all, this.attempts_per_minute * NAMES_PER_ADDRESS);
    const tighter = ofAddress.left < ofName.left ? ofAddress : ofName;
    const headers = limitHeaders(tighter);
    if (tighter.left >= 0) return headers;
    throw new ProblemError("rate-limited", {
      detail: `Too many attempts with a password; try again in ${tighter.reset_s} s.`,
      headers: { ...headers, "Retry-After": String(tighter.reset_s) },
    });
  }

  /** @returns also what is left, below 0 when it is exceeded */
  #budget({ totalHits, resetTime }: ClientRateLimitInfo, limit: number): Budget & { readonly left: number } {
    const left = limit - totalHits;
    const reset_s = secondsUntil(resetTime, this.clock.now_ms());
    return { limit, left, remaining: Math.max(0, left), reset_s };
  }
}
