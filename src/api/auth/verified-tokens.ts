/** Tokens whose signature was checked, remembered: a second request with one costs no signature. */
import { decodeProtectedHeader } from "jose";
import type { Clock } from "../../ops/clock.ts";
import type { KnownUser } from "../../store/access.ts";
import type { AccessRegister } from "./access-register.ts";
import type { AccessTokens, VerifiedToken } from "./access-tokens.ts";
import type { Claims } from "./claims.ts";
import { InvalidCredentialError } from "./invalid-credential.ts";
import { OUTSIDE_ALGORITHMS, type OutsideToken, type OutsideTokens } from "./outside-tokens.ts";

/** Longer ones are refused unread; ours have about 500 characters. */
const MAX_LENGTH = 8_192;
/** The oldest leaves first. */
const MAX_REMEMBERED = 4_096;

/** A token, with the claims that were made of it and what they were made from. */
export type Remembered = (
  | { readonly own: VerifiedToken; readonly outside: null }
  /** `keys`: version of the provider's keys that it was checked with. */
  | { readonly own: null; readonly outside: OutsideToken; readonly keys: number }
) & { claims: Claims | null; basis: KnownUser | undefined };

export class VerifiedTokens {
  readonly #remembered = new Map<string, Remembered>();

  /** @param outside null: there is no outside provider */
  constructor(
    private readonly own: AccessTokens,
    private readonly outside: OutsideTokens | null,
    private readonly register: Pick<AccessRegister, "isEnded">,
    private readonly clock: Clock,
  ) {}

  /**
   * A token that is genuine, not expired and not ended.
   * @throws {InvalidCredentialError} @throws {IdentityProviderAwayError}
   */
  async get(text: string): Promise<Remembered> {
    const known = this.#remembered.get(text);
    const entry = known && this.#isCurrent(known) ? known : await this.#check(text);
    const { exp } = entry.own ?? entry.outside;
    if (exp * 1000 <= this.clock.now_ms()) {
      this.#remembered.delete(text);
      throw new InvalidCredentialError("expired");
    }
    if (this.register.isEnded(entry.own ?? entry.outside)) throw new InvalidCredentialError("ended");
    return entry;
  }

  /** Keys that the provider has withdrawn verify nothing any more. */
  #isCurrent(entry: Remembered): boolean {
    return entry.outside === null || entry.keys === this.outside?.keys.version;
  }

  async #check(text: string): Promise<Remembered> {
    if (text.length > MAX_LENGTH) throw new InvalidCredentialError("forged");
    const entry = await this.#verified(text);
    if (this.#remembered.size >= MAX_REMEMBERED) {
      const oldest = this.#remembered.keys().next();
      if (!oldest.done) this.#remembered.delete(oldest.value);
    }
    this.#remembered.set(text, entry);
    return entry;
  }

  /**
   * The header's algorithm only says whose token it claims to be: each side then takes its own algorithms with its own
   * keys alone, so a public key never counts as a shared secret (RFC 8725 section 2.1).
   */
  async #verified(text: string): Promise<Remembered> {
    const empty = { claims: null, basis: undefined };
    if (this.outside !== null && OUTSIDE_ALGORITHMS.includes(algorithmOf(text))) {
      const { version } = this.outside.keys;
      return { own: null, outside: await this.outside.verify(text), keys: version, ...empty };
    }
    return { own: await this.own.verify(text), outside: null, ...empty };
  }
}

function algorithmOf(text: string): string {
  try {
    return decodeProtectedHeader(text).alg ?? "";
  } catch {
    // What is no token at all is refused by whoever verifies it.
    return "";
  }
}
