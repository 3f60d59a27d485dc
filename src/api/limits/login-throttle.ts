/**
 * Slows down the guessing of passwords. Two counters: attempts on one name from one address, and, so that trying
 * one password on many names does not pass unnoticed, attempts from one address on any name.
 */
import { createHash } from "node:crypto";
import type { Allowance, Allowances } from "../../stream/allowance.ts";
import { ProblemError } from "../problem-error.ts";
import { limitHeaders } from "./limit-headers.ts";

/** An address may stand for a site with many machines, so it gets several names' worth of attempts. */
const NAMES_PER_ADDRESS = 10;

export class LoginThrottle {
  constructor(
    private readonly allowances: Pick<Allowances, "take">,
    private readonly attempts_per_minute: number,
  ) {}

  /**
   * Count an attempt. Of the two counters, the one that is nearer to its end is told.
   * @returns headers for the answer, whatever it will be
   * @throws {ProblemError} rate-limited, with the same headers
   * @throws {StreamUnavailableError} when Redis is away: guessing is never free
   */
  async take(username: string, address: string): Promise<Record<string, string>> {
    // The name is hashed: its characters and length are the client's choice.
    const name = createHash("sha256").update(username.toLowerCase()).digest("base64url");
    const [ofName, ofAddress] = await Promise.all([
      this.allowances.take("login", `${address}:${name}`, 1, this.attempts_per_minute),
      this.allowances.take("login-address", address, 1, this.attempts_per_minute * NAMES_PER_ADDRESS),
    ]);
    const left = ({ allowed, remaining }: Allowance) => (allowed ? remaining : -1);
    const tighter = left(ofAddress) < left(ofName) ? ofAddress : ofName;
    const headers = limitHeaders(tighter);
    if (tighter.allowed) return headers;
    throw new ProblemError("rate-limited", {
      detail: `Too many attempts with a password; try again in ${tighter.reset_s} s.`,
      headers: { ...headers, "Retry-After": String(tighter.reset_s) },
    });
  }
}
