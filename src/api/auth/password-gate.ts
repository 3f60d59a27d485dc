/** Passwords that requests show: attempts are counted, a few are checked at once, and the answer tells the limit. */
import { SlotsBusyError } from "../../ops/slots.ts";
import type { AppContext } from "../app-env.ts";
import type { RouteDeps } from "../deps.ts";
import { LoginThrottle } from "../limits/login-throttle.ts";
import { ProblemError } from "../problem-error.ts";

const RETRY_AFTER_BUSY_S = 2;

export class PasswordGate {
  readonly #throttle: LoginThrottle;

  constructor(private readonly deps: RouteDeps) {
    this.#throttle = new LoginThrottle(deps.allowances, deps.config.LOGIN_ATTEMPTS_PER_MINUTE);
  }

  /**
   * Count an attempt on the name; whatever the answer will be, it has the RateLimit-* headers from then on.
   * @throws {ProblemError} rate-limited @throws {StreamUnavailableError}
   */
  async admit(c: AppContext, username: string): Promise<void> {
    try {
      const address = c.env?.clientAddress?.(c.req.raw) ?? "unknown";
      const headers = await this.#throttle.take(username, address);
      for (const [name, value] of Object.entries(headers)) c.header(name, value);
    } catch (error) {
      if (error instanceof ProblemError) this.deps.tokens.noteFailure("throttled");
      throw error;
    }
  }

  /**
   * True when the password belongs to the hash; null costs the same work and is false.
   * @throws {ProblemError} server-busy
   */
  async matches(password: string, hash: string | null): Promise<boolean> {
    const matches = await this.deps.passwords.check(password, hash).catch((error: unknown) => {
      if (!(error instanceof SlotsBusyError)) throw error;
      throw new ProblemError("server-busy", {
        detail: "Too many passwords are checked at once.",
        headers: { "Retry-After": String(RETRY_AFTER_BUSY_S) },
        cause: error,
      });
    });
    if (!matches) this.deps.tokens.noteFailure("password");
    return matches;
  }
}
