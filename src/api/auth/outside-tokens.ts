/**
 * Access tokens of an outside identity provider: signed with one of its private keys, made for this service. Their
 * user is a UUID made from issuer and subject, so it needs no row; one is written later, for admins to see and limit.
 */
import { type JWTPayload, jwtVerify } from "jose";
import { isUuid } from "../../contract/job-id.ts";
import { storable } from "../../contract/printable.ts";
import type { Reach } from "../../contract/reach.ts";
import { ROLES, type Role } from "../../contract/roles.ts";
import type { Clock } from "../../ops/clock.ts";
import { refuse, tokenId } from "./access-tokens.ts";
import { InvalidCredentialError } from "./invalid-credential.ts";
import { IdentityProviderAwayError, type JwksSource } from "./jwks-source.ts";

/** Signatures with a public key alone: a token "signed" with that key as shared secret names another algorithm. */
export const OUTSIDE_ALGORITHMS: readonly string[] = ["RS256", "ES256", "EdDSA"];
/** Clocks may differ by so much, s. */
const TOLERANCE_S = 30;
const MAX_NAME_LENGTH = 150;
/** OpenID Connect Core section 2. */
const MAX_SUBJECT_LENGTH = 255;
/** The last second that a date can name (RFC 3339): later ones are as good as it. */
const LAST_S = 253_402_300_799;
/** Every system, in the claim of the systems. */
const ALL = "*";

export interface OutsideSettings {
  readonly issuer: string;
  readonly audience: string;
  /** Names of claims; a dot leads into an object. */
  readonly role_claim: string;
  readonly name_claim: string;
  /** Undefined: tokens do not limit systems. */
  readonly systems_claim: string | undefined;
}

/** An identity of the provider, as its token says. */
export interface OutsideIdentity {
  readonly id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly username: string;
  readonly role: Role;
}

/** A token whose signature, audience and life were checked. */
export interface OutsideToken {
  readonly id: string;
  readonly identity: OutsideIdentity;
  readonly systems: Reach;
  /** Seconds since the epoch, the tolerance included. */
  readonly exp: number;
}

export class OutsideTokens {
  constructor(
    private readonly settings: OutsideSettings,
    readonly keys: Pick<JwksSource, "keyOf" | "version">,
    private readonly clock: Clock,
  ) {}

  /** @throws {InvalidCredentialError} forged, expired, no_role @throws {IdentityProviderAwayError} */
  async verify(token: string): Promise<OutsideToken> {
    const { issuer, audience } = this.settings;
    const { payload } = await jwtVerify(token, this.keys.keyOf, {
      algorithms: [...OUTSIDE_ALGORITHMS],
      issuer,
      audience,
      clockTolerance: TOLERANCE_S,
      requiredClaims: ["exp", "sub"],
      currentDate: new Date(this.clock.now_ms()),
    }).catch(refuseOutside);
    const { sub: subject, exp } = payload;
    if (typeof exp !== "number" || !isSubject(subject)) {
      throw new InvalidCredentialError("forged");
    }
    const role = roleOf(claimAt(payload, this.settings.role_claim));
    if (role === null) throw new InvalidCredentialError("no_role");
    const username = this.#nameOf(payload, subject);
    return {
      id: tokenId(token),
      identity: { id: outsideId(issuer, subject), issuer, subject, username, role },
      systems: this.#systemsOf(payload),
      exp: Math.min(LAST_S, exp + TOLERANCE_S),
    };
  }

  /** With the provider's host, so that nobody passes for an account of this service. */
  #nameOf(payload: JWTPayload, subject: string): string {
    const { issuer, name_claim } = this.settings;
    const claimed = claimAt(payload, name_claim);
    const name = typeof claimed === "string" && claimed.trim() !== "" ? claimed : subject;
    const host = URL.canParse(issuer) ? new URL(issuer).host : issuer;
    return `${storable(name.replace(/\p{Cc}/gu, " ").trim(), MAX_NAME_LENGTH)} (${host})`;
  }

  /** A claim that is missing or makes no sense lets nothing be seen. */
  #systemsOf(payload: JWTPayload): Reach {
    const { systems_claim } = this.settings;
    if (systems_claim === undefined) return null;
    const listed = listOf(claimAt(payload, systems_claim));
    return listed.includes(ALL) ? null : listed.filter(isUuid).map((id) => id.toLowerCase());
  }
}

/** One whose row can be written: else rows of others would wait behind it. */
function isSubject(subject: unknown): subject is string {
  if (typeof subject !== "string" || subject === "") return false;
  return storable(subject, MAX_SUBJECT_LENGTH) === subject;
}

/** The same for the same person for ever: UUIDv5 (RFC 9562 section 5.5) of issuer and subject. */
export function outsideId(issuer: string, subject: string): string {
  return Bun.randomUUIDv5(`${issuer}\n${subject}`, "url");
}

/** A claim by its path; names with dots in them (https://example.com/role) are tried as they are first. */
function claimAt(payload: JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  return path.split(".").reduce<unknown>((value, name) => {
    const isObject = typeof value === "object" && value !== null && Object.hasOwn(value, name);
    return isObject ? (value as Record<string, unknown>)[name] : undefined;
  }, payload);
}

/** Words of a list, or of a text with blanks between (RFC 8693 section 4.2). */
function listOf(value: unknown): string[] {
  if (typeof value === "string") return value.split(" ").filter(Boolean);
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** Of several the first of `ROLES`, which begin with the strongest. */
function roleOf(value: unknown): Role | null {
  const listed = listOf(value);
  return ROLES.find((role) => listed.includes(role)) ?? null;
}

/** jose reports keys that it cannot use (too short, of another kind) as a TypeError: nobody signs with such a key. */
function refuseOutside(error: unknown): never {
  if (error instanceof IdentityProviderAwayError) throw error;
  if (error instanceof TypeError || error instanceof DOMException) {
    throw new InvalidCredentialError("forged", error);
  }
  return refuse(error);
}
