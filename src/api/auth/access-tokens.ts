/**
 * Access tokens: JSON Web Tokens (RFC 7519) signed with a shared secret. They carry role and limits of the user,
 * so that ingest never asks Postgres; a change to a user counts from the next login on.
 */
import { type Static, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { sign, verify } from "hono/jwt";
import type { Clock } from "../../ops/clock.ts";
import { ROLES, type User } from "../../store/users.ts";

const limit = Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]);

/** What a token says. `iat` and `exp` are seconds since the epoch. */
const ClaimsSchema = Type.Object({
  /** Id of the user. */
  sub: Type.String({ minLength: 1 }),
  username: Type.String(),
  role: Type.Union(ROLES.map((role) => Type.Literal(role))),
  /** Limits of this user; null: the service's own. */
  requests_per_minute: limit,
  readings_per_minute: limit,
  iat: Type.Number(),
  exp: Type.Number(),
});
export type Claims = Static<typeof ClaimsSchema>;

const claimsCheck = TypeCompiler.Compile(ClaimsSchema);

/** The token cannot be believed; `reason` may be told to the client (RFC 6750 `error_description`). */
export class InvalidTokenError extends Error {
  override readonly name = "InvalidTokenError";
  constructor(
    readonly reason: "The access token is malformed or forged" | "The access token has expired",
    cause?: unknown,
  ) {
    super(reason, { cause });
  }
}

/** Longer ones are refused unread; ours have about 400 characters. */
const MAX_TOKEN_LENGTH = 4096;
/** Verified tokens that are remembered; the oldest entry leaves first. */
const CACHE_ENTRIES = 1024;

export interface TokenSettings {
  readonly secret: string;
  /** The only algorithm that is accepted, whatever a token's header says (RFC 8725 section 3.1). */
  readonly algorithm: "HS256" | "HS384" | "HS512";
  /** Life of a token, seconds. */
  readonly lifetime_s: number;
}

export class AccessTokens {
  readonly #verified = new Map<string, Claims>();

  constructor(
    private readonly settings: TokenSettings,
    private readonly clock: Clock,
  ) {}

  /** A token for the user, and its life in seconds. */
  async issue(user: User): Promise<{ access_token: string; expires_in: number }> {
    const { secret, algorithm, lifetime_s } = this.settings;
    const iat = Math.floor(this.clock.now_ms() / 1000);
    const claims: Claims = {
      sub: user.id,
      username: user.username,
      role: user.role,
      requests_per_minute: user.requests_per_minute,
      readings_per_minute: user.readings_per_minute,
      iat,
      exp: iat + lifetime_s,
    };
    return { access_token: await sign(claims, secret, algorithm), expires_in: lifetime_s };
  }

  /** What a token says, once its signature and its life are checked. @throws {InvalidTokenError} */
  async verify(token: string): Promise<Claims> {
    const known = this.#verified.get(token);
    const claims = known ?? (await this.#check(token));
    if (claims.exp * 1000 <= this.clock.now_ms()) {
      this.#verified.delete(token);
      throw new InvalidTokenError("The access token has expired");
    }
    if (known === undefined) this.#remember(token, claims);
    return claims;
  }

  /** Times are compared in `verify`, by the injected clock; a token without them fails the schema here. */
  async #check(token: string): Promise<Claims> {
    const forged = (cause?: unknown) =>
      new InvalidTokenError("The access token is malformed or forged", cause);
    if (token.length > MAX_TOKEN_LENGTH) throw forged();
    const { secret, algorithm: alg } = this.settings;
    let payload: unknown;
    try {
      payload = await verify(token, secret, { alg, exp: false, iat: false, nbf: false });
    } catch (error) {
      throw forged(error);
    }
    if (!claimsCheck.Check(payload)) throw forged();
    return payload;
  }

  #remember(token: string, claims: Claims): void {
    if (this.#verified.size >= CACHE_ENTRIES) {
      const oldest = this.#verified.keys().next();
      if (!oldest.done) this.#verified.delete(oldest.value);
    }
    this.#verified.set(token, claims);
  }
}
