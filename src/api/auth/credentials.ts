/** What a request shows to say who it is: believed or not, and for how long. */
import { Counter, type Registry } from "prom-client";
import type { Clock } from "../../ops/clock.ts";
import type { KnownKey, KnownUser } from "../../store/access.ts";
import type { User } from "../../store/users.ts";
import type { AccessRegister } from "./access-register.ts";
import type { AccessTokens, IssuedToken, VerifiedToken } from "./access-tokens.ts";
import { isKeyOf, looksLikeKey, prefixOf } from "./api-keys.ts";
import type { BulkNotes } from "./bulk-notes.ts";
import { type Claims, keyClaims, outsideClaims, tokenClaims } from "./claims.ts";
import { InvalidCredentialError } from "./invalid-credential.ts";
import { type Life, Lives } from "./lives.ts";
import type { OutsideIdentity, OutsideToken, OutsideTokens } from "./outside-tokens.ts";
import { registerMetrics } from "./register-metrics.ts";
import { type Remembered, VerifiedTokens } from "./verified-tokens.ts";

export interface CredentialDeps {
  readonly tokens: AccessTokens;
  /** Null: there is no outside provider. */
  readonly outside: OutsideTokens | null;
  readonly register: AccessRegister;
  /** When keys were used, ms since the epoch. */
  readonly keyUses: Pick<BulkNotes<number>, "note">;
  readonly identities: Pick<BulkNotes<OutsideIdentity>, "note">;
  readonly clock: Clock;
  readonly metrics: Registry;
}

export class Credentials {
  readonly #tokens: VerifiedTokens;
  /** Claims of keys, while key and owner are as they were. */
  readonly #ofKeys = new WeakMap<KnownKey, { owner: KnownUser; claims: Claims }>();
  readonly #lives: Lives;
  readonly #failures: Counter<"kind">;

  constructor(private readonly deps: CredentialDeps) {
    const { tokens, outside, register, clock } = deps;
    this.#tokens = new VerifiedTokens(tokens, outside, register, clock);
    this.#lives = new Lives(register, (claims) => this.#holds(claims));
    this.#failures = new Counter({
      name: "auth_failures_total",
      help: "Requests that were not let through, by kind",
      labelNames: ["kind"],
      registers: [deps.metrics],
    });
    registerMetrics(deps.metrics, register);
  }

  /** A token for a user who has shown a password. @param kind `session`: others may follow it */
  issue(user: User, kind: "alone" | "session"): Promise<IssuedToken> {
    return kind === "session" ? this.deps.tokens.begin(user) : this.deps.tokens.issue(user);
  }

  /** The next token of a session; null when it needs none, and for claims of anything else. */
  async renew({ sub, exp, credential }: Claims): Promise<IssuedToken | null> {
    const user = this.deps.register.user(sub);
    if (credential.kind !== "token" || credential.session === null) return null;
    // What ended the token a moment ago, a password say, is not to be outlived by the next one
    if (user === undefined || user.token_version !== credential.version) return null;
    return this.deps.tokens.renew(user, credential.session, exp);
  }

  /** Until when claims can be renewed at the longest, seconds since the epoch; null: they cannot. */
  renewableUntil_s({ credential }: Claims): number | null {
    const session = credential.kind === "token" ? credential.session : null;
    return session && this.deps.tokens.endOf(session);
  }

  /**
   * Whose credential it is, and what they may.
   * @throws {InvalidCredentialError}
   * @throws {StoreUnavailableError} when it names somebody new and Postgres cannot be asked
   * @throws {IdentityProviderAwayError}
   */
  async verify(text: string): Promise<Claims> {
    if (looksLikeKey(text)) return this.#keyClaims(text);
    const entry = await this.#tokens.get(text);
    if (entry.outside !== null) return this.#outsideClaims(entry, entry.outside);
    const user = this.#userOf(entry.own) ?? (await this.#newUserOf(entry.own));
    return made(entry, user, () => tokenClaims(user, entry.own));
  }

  /** Count a request that was not let through. @param kind one of few words */
  noteFailure(kind: string): void {
    this.#failures.inc({ kind });
  }

  /** For an answer that goes on: until when the claims hold. To be ended by whoever asks. */
  lifeOf(claims: Claims): Life {
    return this.#lives.begin(claims, claims.exp * 1000 - this.deps.clock.now_ms());
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

  /** The row of an identity limits it; there need not be one. @throws {InvalidCredentialError} inactive */
  #outsideClaims(entry: Remembered, token: OutsideToken): Claims {
    const { identity } = token;
    const row = this.deps.register.user(identity.id);
    if (row === undefined || row.role !== identity.role) this.deps.identities.note(identity.id, identity);
    if (row?.active === false) throw new InvalidCredentialError("inactive");
    return made(entry, row, () => outsideClaims(token, row));
  }

  async #keyClaims(text: string): Promise<Claims> {
    const prefix = prefixOf(text);
    if (prefix === null) throw new InvalidCredentialError("key_mistyped");
    const { register } = this.deps;
    if (register.key(prefix) === undefined) await register.lookAgain();
    const key = register.key(prefix);
    if (key === undefined || !isKeyOf(text, key.hash)) throw new InvalidCredentialError("key_unknown");
    if (key.revoked) throw new InvalidCredentialError("key_revoked");
    const now_ms = this.deps.clock.now_ms();
    if (key.expires_at_ms !== null && key.expires_at_ms <= now_ms) {
      throw new InvalidCredentialError("key_expired");
    }
    const owner = register.user(key.user_id);
    if (!owner?.active) throw new InvalidCredentialError("inactive");
    this.deps.keyUses.note(key.id, now_ms);
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
    switch (credential.kind) {
      case "token": {
        const isNewest = credential.version === user?.token_version && !register.isEnded(credential);
        return isNewest && user.active && user.role === role && sameList(user.systems, systems);
      }
      case "outside": {
        const now = outsideClaims(credential.token, user);
        return (
          !register.isEnded({ id: credential.id }) && user?.active !== false && sameList(now.systems, systems)
        );
      }
      case "key": {
        const key = register.key(credential.key.prefix);
        if (!user?.active || user.role !== role || key === undefined || key.revoked) return false;
        const now = keyClaims(user, key);
        return sameList(now.systems, systems) && sameList(now.scopes, scopes);
      }
    }
  }
}

/** The claims of a token, made anew only when what is known of its user has changed. */
function made(entry: Remembered, user: KnownUser | undefined, make: () => Claims): Claims {
  if (entry.claims === null || entry.basis !== user) {
    entry.basis = user;
    entry.claims = make();
  }
  return entry.claims;
}

const sameList = (a: readonly string[] | null, b: readonly string[] | null) =>
  a === b || (a?.length === b?.length && (a?.every((item) => b?.includes(item)) ?? false));
