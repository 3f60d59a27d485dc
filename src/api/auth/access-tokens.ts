/**
 * Access tokens of this service: JSON Web Tokens (RFC 7519) signed with a shared secret. They say whose they are and
 * of which version; role, systems and limits come from what the process knows of the user (access-register.ts), so
 * a change counts for tokens that are out already, and ingest never asks Postgres.
 */
import { type Static, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { Clock } from "../../ops/clock.ts";
import type { User } from "../../store/users.ts";
import { InvalidCredentialError } from "./invalid-credential.ts";

/** Issuer and audience: a token that another program signed with the same secret is none of ours. */
export const OWN_NAME = "hydraulic-ingest";

const PayloadSchema = Type.Object({
  /** Id of the user. */
  sub: Type.String({ minLength: 1 }),
  /** `token_version` of the user when it was made. */
  ver: Type.Integer({ minimum: 0 }),
  exp: Type.Number(),
  /** Of a browser's session: the same in all its tokens, and when it began (OpenID Connect Core 1.0 section 2). */
  sid: Type.Optional(Type.String({ minLength: 1 })),
  auth_time: Type.Optional(Type.Number()),
});
const payloadCheck = TypeCompiler.Compile(PayloadSchema);

/** A session of a browser, in which one token follows another. */
export interface SessionMark {
  readonly id: string;
  /** When somebody showed a password, seconds since the epoch. */
  readonly began_s: number;
}

/** A token whose signature and life were checked. */
export interface VerifiedToken extends Pick<Static<typeof PayloadSchema>, "sub" | "ver" | "exp"> {
  /** Stands for the token, for its end: the hash of what the signature covers, which nobody can write in two ways. */
  readonly id: string;
  /** Null: it stands alone, and no other follows it. */
  readonly session: SessionMark | null;
}

type TokenUser = Pick<User, "id" | "username" | "role" | "token_version">;
export interface IssuedToken {
  readonly access_token: string;
  /** Its life, seconds. */
  readonly expires_in: number;
  /** Its end, seconds since the epoch. */
  readonly exp: number;
}

export interface TokenSettings {
  readonly secret: string;
  /** Its tokens are accepted, and none is signed with it: the key to come, or the one before. */
  readonly accepted?: string | undefined;
  /** The only algorithm that is accepted, whatever a token's header says (RFC 8725 section 3.1). */
  readonly algorithm: "HS256" | "HS384" | "HS512";
  /** Life of a token, seconds. */
  readonly lifetime_s: number;
  /** Longest session, however often it is renewed, seconds. */
  readonly session_s: number;
}

export class AccessTokens {
  readonly #secret: Uint8Array;
  /** The own one first: nearly all tokens are signed with it. */
  readonly #keys: readonly Uint8Array[];

  constructor(
    private readonly settings: TokenSettings,
    private readonly clock: Clock,
  ) {
    this.#secret = new TextEncoder().encode(settings.secret);
    this.#keys = [
      this.#secret,
      ...(settings.accepted === undefined ? [] : [new TextEncoder().encode(settings.accepted)]),
    ];
  }

  /** A token for the user. Name and role are for people who look into it. @param session null: none */
  async issue(user: TokenUser, session: SessionMark | null = null): Promise<IssuedToken> {
    const { algorithm, lifetime_s } = this.settings;
    const iat = this.#now_s();
    const expires_in = session === null ? lifetime_s : Math.min(lifetime_s, this.endOf(session) - iat);
    const access_token = await new SignJWT({
      username: user.username,
      role: user.role,
      ver: user.token_version,
      ...(session === null ? {} : { sid: session.id, auth_time: session.began_s }),
    })
      .setProtectedHeader({ alg: algorithm, typ: "JWT" })
      .setIssuer(OWN_NAME)
      .setAudience(OWN_NAME)
      .setSubject(user.id)
      // Two log-ins of one second are two tokens, and end apart.
      .setJti(crypto.randomUUID())
      .setIssuedAt(iat)
      .setExpirationTime(iat + expires_in)
      .sign(this.#secret);
    return { access_token, expires_in, exp: iat + expires_in };
  }

  /** The first token of a session. */
  begin(user: TokenUser): Promise<IssuedToken> {
    return this.issue(user, { id: crypto.randomUUID(), began_s: this.#now_s() });
  }

  /**
   * The next token of a session; null while the one it has is in the first half of its life, so that many tabs do not
   * each make one, and when there can be no longer one. The one before goes on until it expires: requests with it may
   * be on their way.
   */
  async renew(user: TokenUser, session: SessionMark, exp: number): Promise<IssuedToken | null> {
    const { lifetime_s } = this.settings;
    const now_s = this.#now_s();
    const isYoung = exp - now_s > lifetime_s / 2;
    if (isYoung || Math.min(now_s + lifetime_s, this.endOf(session)) <= exp) return null;
    return this.issue(user, session);
  }

  /** When a session is over whatever happens, seconds since the epoch. One token's life is always granted. */
  endOf({ began_s }: SessionMark): number {
    return began_s + Math.max(this.settings.session_s, this.settings.lifetime_s);
  }

  #now_s(): number {
    return Math.floor(this.clock.now_ms() / 1000);
  }

  /** @throws {InvalidCredentialError} forged, expired */
  async verify(token: string): Promise<VerifiedToken> {
    const payload = await this.#payloadOf(token).catch(refuse);
    if (!payloadCheck.Check(payload)) throw new InvalidCredentialError("forged");
    const { sub, ver, exp, sid, auth_time } = payload;
    const session = sid === undefined || auth_time === undefined ? null : { id: sid, began_s: auth_time };
    return { id: tokenId(token), sub, ver, exp, session };
  }

  /** Of the first key that signed it. @throws {errors.JOSEError} */
  async #payloadOf(token: string): Promise<JWTPayload> {
    for (const [index, key] of this.#keys.entries()) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [this.settings.algorithm],
          issuer: OWN_NAME,
          audience: OWN_NAME,
          currentDate: new Date(this.clock.now_ms()),
        });
        return payload;
      } catch (error) {
        const isOthers = error instanceof errors.JWSSignatureVerificationFailed;
        if (!isOthers || index === this.#keys.length - 1) throw error;
      }
    }
    throw new Error("there is always a key");
  }
}

/** See `VerifiedToken.id`: signatures can be written in more than one way, what they cover cannot. */
export function tokenId(token: string): string {
  return Bun.CryptoHasher.hash("sha256", token.slice(0, token.lastIndexOf(".")), "base64url");
}

/** @throws {InvalidCredentialError} for everything that jose objects to */
export function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw new InvalidCredentialError("expired", error);
  if (error instanceof errors.JOSEError) throw new InvalidCredentialError("forged", error);
  throw error;
}
