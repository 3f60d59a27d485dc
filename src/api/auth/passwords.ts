/**
 * Passwords: Argon2id (RFC 9106) with the parameters that OWASP's Password Storage Cheat Sheet names as minimum
 * (19 MiB, 2 passes). A check costs memory and about 25 ms of a core, so only a few run at once and only a few wait.
 */
import { Slots } from "../../ops/slots.ts";

/** Parameters of every hash. All users need the same ones, or login times tell users apart. */
export const PASSWORD_HASHING = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

/** Stands in for users that do not exist: same parameters, so the same work; nobody knows its password. */
const NOBODY_HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$VTIu8wE6OO8jKK5Rhi8s2tZroJfAVTDUkutWC6kEc0Q$aC6ssijc9jq1JOu2xs+7MivT/PPfY2CNP7QIYVn3Txo";

/** The hash to store for a password. */
export function hashPassword(password: string): Promise<string> {
  return Bun.password.hash(password, PASSWORD_HASHING);
}

export interface PasswordCheckerSettings {
  /** Checks at once; each takes 19 MiB. */
  readonly concurrency: number;
  /** Checks that may wait for their turn. */
  readonly max_waiting: number;
  /** Longest wait, ms. */
  readonly max_wait_ms: number;
  /** Does the work; rejects when it cannot read the hash. */
  readonly verify: (password: string, hash: string) => Promise<boolean>;
}

const DEFAULTS: PasswordCheckerSettings = {
  concurrency: 4,
  max_waiting: 64,
  max_wait_ms: 5_000,
  verify: (password, hash) => Bun.password.verify(password, hash),
};

export class PasswordChecker {
  readonly #verify: PasswordCheckerSettings["verify"];
  readonly #slots: Slots;

  constructor(settings: Partial<PasswordCheckerSettings> = {}) {
    const { concurrency, max_waiting, max_wait_ms, verify } = { ...DEFAULTS, ...settings };
    this.#verify = verify;
    this.#slots = new Slots({
      what: "password checks",
      slots: concurrency,
      line: max_waiting,
      wait_ms: max_wait_ms,
    });
  }

  /**
   * True when the password belongs to the hash. Without a hash (no such user) the same work is done, and the
   * answer is false.
   * @throws {SlotsBusyError} when too many checks are in work
   */
  async check(password: string, hash: string | null): Promise<boolean> {
    const matches = await this.#slots.run(() => this.#verify(password, hash ?? NOBODY_HASH));
    return matches && hash !== null;
  }
}
