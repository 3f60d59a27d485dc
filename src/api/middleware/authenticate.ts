/** Bearer tokens (RFC 6750) and session cookies: who sends the request, and whether the role may. */
import type { Context, MiddlewareHandler } from "hono";
import type { Role } from "../../store/users.ts";
import { type AccessTokens, type Claims, InvalidTokenError } from "../auth/access-tokens.ts";
import { refuseCrossSite, sessionToken } from "../auth/session-cookie.ts";
import type { AppEnv } from "../deps.ts";
import { ProblemError } from "../problem-error.ts";

const REALM = 'Bearer realm="hydraulic-ingest"';
/** RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

/** The header decides when there is one. @throws {ProblemError} cross-site-request */
function tokenOf(c: Context): string | undefined {
  const header = c.req.header("Authorization");
  if (header !== undefined) return BEARER.exec(header)?.[1];
  const token = sessionToken(c);
  if (token !== undefined) refuseCrossSite(c);
  return token;
}

async function claimsOf(tokens: AccessTokens, token: string | undefined): Promise<Claims> {
  if (token === undefined) {
    throw new ProblemError("authentication-required", { headers: { "WWW-Authenticate": REALM } });
  }
  try {
    return await tokens.verify(token);
  } catch (error) {
    if (!(error instanceof InvalidTokenError)) throw error;
    throw new ProblemError("invalid-token", {
      detail: `${error.reason}.`,
      headers: {
        "WWW-Authenticate": `${REALM}, error="invalid_token", error_description="${error.reason}"`,
      },
      cause: error,
    });
  }
}

/** Lets a request through when it carries a valid token of one of the roles (default: any), and sets `claims`. */
export function authenticate(tokens: AccessTokens, roles?: readonly Role[]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const claims = await claimsOf(tokens, tokenOf(c));
    c.set("claims", claims);
    if (roles && !roles.includes(claims.role)) {
      throw new ProblemError("forbidden", {
        detail: `The role ${claims.role} may not do this; it takes one of: ${roles.join(", ")}.`,
        headers: { "WWW-Authenticate": `${REALM}, error="insufficient_scope"` },
      });
    }
    await next();
  };
}
