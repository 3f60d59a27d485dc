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
});
const payloadCheck = TypeCompiler.Compile(PayloadSchema);

/** A token whose signature and life were checked. */
export interface VerifiedToken extends Static<typeof PayloadSchema> {
  /** Stands for the token, for its end: the hash of what the signature covers, which nobody can write in two ways. */
  readonly id: string;
}

export interface TokenSettings {
  readonly secret: string;
  /** Its tokens are accepted, and none is signed with it: the key to come, or the one before. */
  readonly accepted?: string | undefined;
  /** The only algorithm that is accepted, whatever a token's header says (RFC 8725 section 3.1). */
  readonly algorithm: "HS256" | "HS384" | "HS512";
  /** Life of a token, seconds. */
  readonly lifetime_s: number;
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

  /** A token for the user, and its life in seconds. Name and role are for people who look into it. */
  async issue(
    user: Pick<User, "id" | "username" | "role" | "token_version">,
  ): Promise<{ access_token: string; expires_in: number }> {
    const { algorithm, lifetime_s } = this.settings;
    const iat = Math.floor(this.clock.now_ms() / 1000);
    const access_token = await new SignJWT({
      username: user.username,
      role: user.role,
      ver: user.token_version,
    })
      .setProtectedHeader({ alg: algorithm, typ: "JWT" })
      .setIssuer(OWN_NAME)
      .setAudience(OWN_NAME)
      .setSubject(user.id)
      // Two log-ins of one second are two tokens, and end apart.
      .setJti(crypto.randomUUID())
      .setIssuedAt(iat)
      .setExpirationTime(iat + lifetime_s)
      .sign(this.#secret);
    return { access_token, expires_in: lifetime_s };
  }

  /** @throws {InvalidCredentialError} forged, expired */
  async verify(token: string): Promise<VerifiedToken> {
    const payload = await this.#payloadOf(token).catch(refuse);
    if (!payloadCheck.Check(payload)) throw new InvalidCredentialError("forged");
    const { sub, ver, exp } = payload;
    return { id: tokenId(token), sub, ver, exp };
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
