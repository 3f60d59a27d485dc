/** Who sends the request (bearer tokens of RFC 6750, API keys, session cookies), and whether they may. */
import type { Context, MiddlewareHandler } from "hono";
import { isUuid } from "../../contract/job-id.ts";
import { reaches } from "../../contract/reach.ts";
import type { Role, Scope } from "../../contract/roles.ts";
import type { AppEnv } from "../app-env.ts";
import { API_KEY_HEADER } from "../auth/api-keys.ts";
import type { Claims } from "../auth/claims.ts";
import type { Credentials } from "../auth/credentials.ts";
import { InvalidCredentialError } from "../auth/invalid-credential.ts";
import { refuseCrossSite, sessionToken } from "../auth/session-cookie.ts";
import { ProblemError } from "../problem-error.ts";
import { SAFE_METHODS } from "../safe-methods.ts";

const REALM = 'Bearer realm="hydraulic-ingest"';
/** Schemes of the Authorization header, the second one of InfluxDB's clients, in lower case: their case does not matter (RFC 9110 section 11.1). */
const SCHEMES: ReadonlySet<string> = new Set(["bearer", "token"]);
/** RFC 6750 section 2.1. */
const AUTHORIZATION = /^([A-Za-z]+) +([A-Za-z0-9\-._~+/]+=*) *$/;

/** The Authorization header decides when there is one, then X-Api-Key. @throws {ProblemError} cross-site-request */
function credentialOf(c: Context): string | undefined {
  const header = c.req.header("Authorization");
  if (header !== undefined) {
    const [, scheme = "", credential] = AUTHORIZATION.exec(header) ?? [];
    return SCHEMES.has(scheme.toLowerCase()) ? credential : undefined;
  }
  const key = c.req.header(API_KEY_HEADER);
  if (key !== undefined) return key.trim();
  const token = sessionToken(c);
  if (token !== undefined) refuseCrossSite(c);
  return token;
}

async function claimsOf(credentials: Credentials, c: Context): Promise<Claims> {
  const credential = credentialOf(c);
  if (!credential) {
    credentials.noteFailure("missing");
    throw new ProblemError("authentication-required", { headers: { "WWW-Authenticate": REALM } });
  }
  try {
    return await credentials.verify(credential);
  } catch (error) {
    if (!(error instanceof InvalidCredentialError)) throw error;
    credentials.noteFailure(error.kind);
    // Known, but with nothing to do here.
    if (error.kind === "no_role") throw forbidden(`${error.reason}.`);
    throw invalidToken(error);
  }
}

/** A credential that is not believed, as the client is told of it (RFC 6750 section 3.1). */
export function invalidToken(error: InvalidCredentialError): ProblemError {
  return new ProblemError("invalid-token", {
    detail: `${error.reason}.`,
    headers: { "WWW-Authenticate": `${REALM}, error="invalid_token", error_description="${error.reason}"` },
    cause: error,
  });
}

/** For `authenticate`: operations that no API key may use. */
export const NO_KEYS: readonly Scope[] = [];

/**
 * Lets a request through when it carries a valid credential, and sets `claims`. A path that names a system which the
 * credential does not reach is answered as if there were no such system, whatever the route.
 * @param roles that may; default: any
 * @param scopes of which a key needs one; default: `read` for safe methods, else `write`
 */
export function authenticate(
  credentials: Credentials,
  roles?: readonly Role[],
  scopes?: readonly Scope[],
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const claims = await claimsOf(credentials, c);
    c.set("claims", claims);
    if (roles && !roles.includes(claims.role)) {
      credentials.noteFailure("role");
      throw forbidden(`The role ${claims.role} may not do this; it takes one of: ${roles.join(", ")}.`);
    }
    const needed = scopes ?? [SAFE_METHODS.includes(c.req.method) ? "read" : "write"];
    if (claims.scopes !== null && !claims.scopes.some((scope) => needed.includes(scope))) {
      credentials.noteFailure("scope");
      throw forbidden(
        needed.length === 0
          ? "No API key may do this; log in."
          : `This API key has the scopes ${claims.scopes.join(", ")}; it takes one of: ${needed.join(", ")}.`,
      );
    }
    const system_id = c.req.param("system_id")?.toLowerCase();
    if (system_id !== undefined && isUuid(system_id) && !reaches(claims.systems, system_id)) {
      throw new ProblemError("system-not-found");
    }
    await next();
  };
}

/** For what a route refuses beyond roles and scopes. */
export function forbidden(detail: string): ProblemError {
  return new ProblemError("forbidden", {
    detail,
    headers: { "WWW-Authenticate": `${REALM}, error="insufficient_scope"` },
  });
}
