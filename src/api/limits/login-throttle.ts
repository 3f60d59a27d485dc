/**
 * Slows down the guessing of passwords. Two counters: attempts on one name from one address, and, so that trying
 * one password on many names does not pass unnoticed, attempts from one address on any name.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../ops/clock.ts";
import type { ScriptedRedis } from "../../stream/scripts.ts";
import { ProblemError } from "../problem-error.ts";
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
   * Count an attempt.
   * @throws {ProblemError} rate-limited
   * @throws {StreamUnavailableError} when Redis is away: guessing is never free
   */
  async take(username: string, address: string): Promise<void> {
    // The name is hashed: its characters and length are the client's choice.
    const name = createHash("sha256").update(username.toLowerCase()).digest("base64url");
    const [pair, all] = await Promise.all([
      this.#pairs.increment(`${address}:${name}`),
      this.#addresses.increment(address),
    ]);
    const exceeded =
      pair.totalHits > this.attempts_per_minute
        ? pair
        : all.totalHits > this.attempts_per_minute * NAMES_PER_ADDRESS
          ? all
          : undefined;
    if (!exceeded) return;
    const wait_s = secondsUntil(exceeded.resetTime, this.clock.now_ms());
    throw new ProblemError("rate-limited", {
      detail: `Too many login attempts; try again in ${wait_s} s.`,
      headers: { "Retry-After": String(wait_s) },
    });
  }
}
