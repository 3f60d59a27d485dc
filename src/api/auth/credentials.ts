/** What a request shows to say who it is: believed or not, and for how long. */
import { Counter, type Registry } from "prom-client";
import type { Clock } from "../../ops/clock.ts";
import type { KnownKey, KnownUser } from "../../store/access.ts";
import type { User } from "../../store/users.ts";
import type { AccessRegister } from "./access-register.ts";
import type { AccessTokens, VerifiedToken } from "./access-tokens.ts";
import { isKeyOf, looksLikeKey, prefixOf } from "./api-keys.ts";
import { type Claims, keyClaims, tokenClaims } from "./claims.ts";
import { InvalidCredentialError } from "./invalid-credential.ts";
import type { KeyUses } from "./key-uses.ts";
import { type Life, Lives } from "./lives.ts";
import { registerMetrics } from "./register-metrics.ts";

/** Longer ones are refused unread; ours have about 500 characters. */
const MAX_LENGTH = 8_192;
/** Verified tokens that are remembered; the oldest entry leaves first. */
const CACHE_ENTRIES = 4_096;

/** A verified token, with the claims that were made of it and what they were made from. */
interface Remembered {
  readonly token: VerifiedToken;
  basis: KnownUser | null;
  claims: Claims | null;
}

export interface CredentialDeps {
  readonly tokens: AccessTokens;
  readonly register: AccessRegister;
  readonly keyUses: Pick<KeyUses, "note">;
  readonly clock: Clock;
  readonly metrics: Registry;
}

export class Credentials {
  readonly #verified = new Map<string, Remembered>();
  /** Claims of keys, while key and owner are as they were. */
  readonly #ofKeys = new WeakMap<KnownKey, { owner: KnownUser; claims: Claims }>();
  readonly #lives: Lives;
  readonly #failures: Counter<"kind">;

  constructor(private readonly deps: CredentialDeps) {
    this.#lives = new Lives(deps.register, (claims) => this.#holds(claims));
    this.#failures = new Counter({
      name: "auth_failures_total",
      help: "Requests that were not let through, by kind",
      labelNames: ["kind"],
      registers: [deps.metrics],
    });
    registerMetrics(deps.metrics, deps.register);
  }

  /** A token for a user who has shown a password, and its life in seconds. */
  issue(user: User): Promise<{ access_token: string; expires_in: number }> {
    return this.deps.tokens.issue(user);
  }

  /**
   * Whose credential it is, and what they may.
   * @throws {InvalidCredentialError}
   * @throws {StoreUnavailableError} when it names somebody new and Postgres cannot be asked
   */
  async verify(text: string): Promise<Claims> {
    if (looksLikeKey(text)) return this.#keyClaims(text);
    const entry = this.#verified.get(text) ?? (await this.#check(text));
    const { token } = entry;
    if (token.exp * 1000 <= this.deps.clock.now_ms()) {
      this.#verified.delete(text);
      throw new InvalidCredentialError("expired");
    }
    if (this.deps.register.isEnded(token.id)) throw new InvalidCredentialError("ended");
    const user = this.#userOf(token) ?? (await this.#newUserOf(token));
    if (entry.claims === null || entry.basis !== user) {
      entry.basis = user;
      entry.claims = tokenClaims(user, token.id, token.exp);
    }
    return entry.claims;
  }

  /** Count a request that was not let through. @param kind one of few words */
  noteFailure(kind: string): void {
    this.#failures.inc({ kind });
  }

  /** For an answer that goes on: until when the claims hold. To be ended by whoever asks. */
  lifeOf(claims: Claims): Life {
    return this.#lives.begin(claims, claims.exp * 1000 - this.deps.clock.now_ms());
  }

  async #check(text: string): Promise<Remembered> {
    if (text.length > MAX_LENGTH) throw new InvalidCredentialError("forged");
    const entry = { token: await this.deps.tokens.verify(text), basis: null, claims: null };
    if (this.#verified.size >= CACHE_ENTRIES) {
      const oldest = this.#verified.keys().next();
      if (!oldest.done) this.#verified.delete(oldest.value);
    }
    this.#verified.set(text, entry);
    return entry;
  }

  /** Undefined when the user or the version is newer than what is known here. @throws {InvalidCredentialError} */
  #userOf({ sub, ver }: VerifiedToken): KnownUser | undefined {
    const user = this.deps.register.user(sub);
    if (user === undefined || ver > user.token_version) return undefined;
    if (!user.active) throw new InvalidCredentialError("inactive");
    if (ver < user.token_version) throw new InvalidCredentialError("ended");
    return user;
  }

  async #newUserOf(token: VerifiedToken): Promise<KnownUser> {
    await this.deps.register.lookAgain();
    const user = this.#userOf(token);
    if (user === undefined) throw new InvalidCredentialError("ended");
    return user;
  }

  async #keyClaims(text: string): Promise<Claims> {
    const prefix = prefixOf(text);
    if (prefix === null) throw new InvalidCredentialError("key_mistyped");
    const { register } = this.deps;
    if (register.key(prefix) === undefined) await register.lookAgain();
    const key = register.key(prefix);
    if (key === undefined || !isKeyOf(text, key.hash)) throw new InvalidCredentialError("key_unknown");
    if (key.revoked) throw new InvalidCredentialError("key_revoked");
    if (key.expires_at_ms !== null && key.expires_at_ms <= this.deps.clock.now_ms()) {
      throw new InvalidCredentialError("key_expired");
    }
    const owner = register.user(key.user_id);
    if (!owner?.active) throw new InvalidCredentialError("inactive");
    this.deps.keyUses.note(key.id);
    return this.#keptClaims(owner, key);
  }

  #keptClaims(owner: KnownUser, key: KnownKey): Claims {
    const kept = this.#ofKeys.get(key);
    if (kept?.owner === owner) return kept.claims;
    const claims = keyClaims(owner, key);
    this.#ofKeys.set(key, { owner, claims });
    return claims;
  }

  /** True while the same credential would give the same claims. */
  #holds({ sub, role, systems, scopes, credential }: Claims): boolean {
    const { register } = this.deps;
    const user = register.user(sub);
    if (!user?.active || user.role !== role) return false;
    if (credential.kind === "token") {
      const isNewest = credential.version === user.token_version && !register.isEnded(credential.id);
      return isNewest && sameList(user.systems, systems);
    }
    const key = register.key(credential.key.prefix);
    if (key === undefined || key.revoked) return false;
    const now = keyClaims(user, key);
    return sameList(now.systems, systems) && sameList(now.scopes, scopes);
  }
}

const sameList = (a: readonly string[] | null, b: readonly string[] | null) =>
  a === b || (a?.length === b?.length && (a?.every((item) => b?.includes(item)) ?? false));
