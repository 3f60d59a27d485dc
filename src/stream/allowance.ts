/**
 * Budgets of a minute, in fixed windows, shared by every API process: requests and readings of a user or key, attempts
 * to log in.
 *
 * Who may do much does it often, and a question to Redis for each time would cost more than what is counted. So a
 * process takes a lease of at most a thousandth of the budget and spends it by itself. A budget is never exceeded; of a
 * minute's budget each process may leave a thousandth unused. Below a thousand, and for costs above a thousandth, every
 * time is counted by itself. What a process has not spent when it takes the next lease, it keeps.
 */
import type { Clock } from "../ops/clock.ts";
import { reachingInTime } from "./connection.ts";
import type { ScriptedRedis } from "./scripts.ts";

/** Length of a window, ms. */
export const WINDOW_MS = 60_000;
/** A lease is at most the budget divided by this. */
const LEASES_OF_A_BUDGET = 1_000;
/** Leases kept at once; beyond, those whose window has ended are forgotten, and else none is taken. */
const MAX_LEASES = 10_000;
/** Looking through all leases for ended ones is not worth it more often, ms. */
const FORGET_EVERY_MS = 1_000;

/** What may be counted: what stands before the key in Redis. */
export type Counted = "requests" | "readings" | "login" | "login-address";

/** The state of a budget after something was taken, or refused. */
export interface Allowance {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** ms until the window ends, above 0. */
  readonly reset_ms: number;
  /** The same moment, of the monotonic clock. */
  readonly ends_ms: number;
  /** The same in whole seconds, at least 1: who waits so long is let through. */
  readonly reset_s: number;
}

interface Lease {
  readonly limit: number;
  /** Of the monotonic clock. */
  readonly ends_ms: number;
  /** What Redis has counted, this lease included. */
  readonly used: number;
  left: number;
}

export class Allowances {
  readonly #leases = new Map<string, Lease>();
  readonly #asking = new Map<string, Promise<unknown>>();
  #forgot_ms = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly redis: ScriptedRedis,
    private readonly clock: Pick<Clock, "monotonic_ms">,
  ) {}

  /**
   * Take `cost` out of the minute's budget of `owner`; what does not fit is not counted.
   * @throws {StreamUnavailableError} without a count nobody is let through
   */
  async take(counted: Counted, owner: string, cost: number, limit: number): Promise<Allowance> {
    const key = `limit:${counted}:${owner}`;
    const size = Math.floor(limit / LEASES_OF_A_BUDGET);
    if (size <= cost) return this.#ask(key, cost, cost, limit);
    const spent = this.#spend(key, cost, limit);
    if (spent) return spent;
    const asking = this.#asking.get(key);
    if (asking === undefined) return this.#lease(key, cost, size, limit);
    // Others that came meanwhile wait for the one lease, and share its error; whom it does not serve asks for itself.
    await asking;
    return this.#spend(key, cost, limit) ?? this.#ask(key, cost, cost, limit);
  }

  /**
   * Put `cost` back: what it was taken for has been refused and changed nothing. After the window's end there is
   * nothing to be put back into.
   * @param taken the answer of `take`
   * @returns the budget's state with it
   * @throws {StreamUnavailableError} it stays taken until the window ends
   */
  async giveBack(counted: Counted, owner: string, cost: number, taken: Allowance): Promise<Allowance> {
    const { limit, ends_ms, remaining } = taken;
    const left_ms = ends_ms - this.clock.monotonic_ms();
    if (left_ms <= 0) return taken;
    const key = `limit:${counted}:${owner}`;
    const lease = this.#leases.get(key);
    const isLeased = cost < Math.floor(limit / LEASES_OF_A_BUDGET) && this.#kept(key, limit) > 0;
    if (lease && isLeased) lease.left += cost;
    else await reachingInTime(this.redis.hiGiveBack(key, cost, Math.ceil(left_ms)));
    return { ...taken, remaining: Math.min(limit, remaining + cost) };
  }

  #spend(key: string, cost: number, limit: number): Allowance | null {
    const lease = this.#leases.get(key);
    if (lease === undefined || lease.limit !== limit || lease.left < cost) return null;
    const reset_ms = lease.ends_ms - this.clock.monotonic_ms();
    if (reset_ms <= 0) return null;
    lease.left -= cost;
    return stateOf(true, limit, lease.used - lease.left, reset_ms, lease.ends_ms);
  }

  async #lease(key: string, cost: number, size: number, limit: number): Promise<Allowance> {
    const asked = this.#ask(key, cost, this.#isFull(key) ? cost : size, limit);
    this.#asking.set(key, asked);
    try {
      return await asked;
    } finally {
      this.#asking.delete(key);
    }
  }

  /** @param want granted if it fits, else what is left of it; what exceeds `cost` becomes the lease */
  async #ask(key: string, cost: number, want: number, limit: number): Promise<Allowance> {
    // The window ends no later than counted from here: Redis tells what is left of it a little later.
    const asked_ms = this.clock.monotonic_ms();
    const [granted, used, reset_ms] = await reachingInTime(
      this.redis.hiAllow(key, cost, want, limit, WINDOW_MS),
    );
    const ends_ms = asked_ms + reset_ms;
    if (granted < cost) return stateOf(false, limit, used, reset_ms, ends_ms);
    const left = granted - cost + this.#kept(key, limit);
    if (granted > cost) this.#leases.set(key, { limit, ends_ms, used, left });
    return stateOf(true, limit, used - left, reset_ms, ends_ms);
  }

  /** What is left of the lease that was taken before, in the same window. */
  #kept(key: string, limit: number): number {
    const lease = this.#leases.get(key);
    const holds = lease?.limit === limit && lease.ends_ms > this.clock.monotonic_ms();
    return holds ? lease.left : 0;
  }

  #isFull(key: string): boolean {
    if (this.#leases.size < MAX_LEASES || this.#leases.has(key)) return false;
    const now_ms = this.clock.monotonic_ms();
    if (now_ms - this.#forgot_ms < FORGET_EVERY_MS) return true;
    this.#forgot_ms = now_ms;
    for (const [other, { ends_ms }] of this.#leases) if (ends_ms <= now_ms) this.#leases.delete(other);
    return this.#leases.size >= MAX_LEASES;
  }
}

function stateOf(allowed: boolean, limit: number, used: number, left_ms: number, ends_ms: number): Allowance {
  const reset_ms = Math.max(1, left_ms);
  return {
    allowed,
    limit,
    remaining: Math.max(0, limit - used),
    reset_ms,
    ends_ms,
    reset_s: Math.ceil(reset_ms / 1000),
  };
}
