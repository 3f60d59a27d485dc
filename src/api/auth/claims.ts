/** Who sends a request, and what they may. Every route gets it from `authenticate`, however they logged in. */
import { common, type Reach } from "../../contract/reach.ts";
import type { Role, Scope } from "../../contract/roles.ts";
import type { KnownKey, KnownUser } from "../../store/access.ts";
import { READERS } from "../roles.ts";
import type { SessionMark, VerifiedToken } from "./access-tokens.ts";
import type { OutsideToken } from "./outside-tokens.ts";

/** What a request came with. */
export type Credential =
  /** `id`: of the token, for its end. `version`: of its user. `session`: null when no other token follows it. */
  | {
      readonly kind: "token";
      readonly id: string;
      readonly version: number;
      readonly session: SessionMark | null;
    }
  | { readonly kind: "outside"; readonly id: string; readonly token: OutsideToken }
  | { readonly kind: "key"; readonly key: KnownKey };

export interface Claims {
  /** Id of the user: of the account, of the key's owner, or made from an outside identity. */
  readonly sub: string;
  readonly username: string;
  /** For the record: a key is named beside its owner. */
  readonly actor_name: string;
  readonly role: Role;
  /** Ids of systems in lower case; null: all. What lies outside does not exist for this request. */
  readonly systems: Reach;
  /** What a key may be used for; null: everything that the role may. */
  readonly scopes: readonly Scope[] | null;
  /** Whose budget requests and readings are taken from: of the user, or of the key alone. */
  readonly budget: string;
  /** Limits of this budget; null: the service's own. */
  readonly requests_per_minute: number | null;
  readonly readings_per_minute: number | null;
  /** Seconds since the epoch; Infinity for a key without an end. */
  readonly exp: number;
  readonly credential: Credential;
}

/** Claims of a token of this service. */
export function tokenClaims(user: KnownUser, { id, exp, session }: VerifiedToken): Claims {
  return {
    sub: user.id,
    username: user.username,
    actor_name: user.username,
    role: user.role,
    systems: user.systems,
    scopes: null,
    budget: user.id,
    requests_per_minute: user.requests_per_minute,
    readings_per_minute: user.readings_per_minute,
    exp,
    credential: { kind: "token", id, version: user.token_version, session },
  };
}

/** Claims of a token of an outside provider. @param row what is known here: limits, and systems that both allow */
export function outsideClaims(token: OutsideToken, row: KnownUser | undefined): Claims {
  const { id: sub, username, role } = token.identity;
  return {
    sub,
    username,
    actor_name: username,
    role,
    systems: common(token.systems, row?.systems ?? null),
    scopes: null,
    budget: sub,
    requests_per_minute: row?.requests_per_minute ?? null,
    readings_per_minute: row?.readings_per_minute ?? null,
    exp: token.exp,
    credential: { kind: "outside", id: token.id, token },
  };
}

/**
 * Claims of a key: the role of its owner, and what both may reach. Without limits of its own it has those of its owner,
 * or a user who was given small ones would make a key and be rid of them.
 */
export function keyClaims(owner: KnownUser, key: KnownKey): Claims {
  return {
    sub: owner.id,
    username: owner.username,
    actor_name: `${owner.username} (key ${key.prefix})`,
    role: owner.role,
    systems: common(owner.systems, key.systems),
    scopes: key.scopes,
    budget: key.id,
    requests_per_minute: key.requests_per_minute ?? owner.requests_per_minute,
    readings_per_minute: key.readings_per_minute ?? owner.readings_per_minute,
    exp: key.expires_at_ms === null ? Number.POSITIVE_INFINITY : key.expires_at_ms / 1000,
    credential: { kind: "key", key },
  };
}

/** True for those who look after everybody's batches; a key that may only send follows its owner's alone. */
export const readsEverybodys = ({ role, scopes }: Claims): boolean =>
  READERS.includes(role) && (scopes === null || scopes.some((scope) => scope !== "ingest"));
