/** `/api/v1/auth/session`: the session of a browser, in a cookie: to begin, look at, renew and end. */
import { describeRoute } from "hono-openapi";
import { SCOPES } from "../../contract/roles.ts";
import { type Session, SessionSchema } from "../../contract/session.ts";
import type { App } from "../app-env.ts";
import type { Claims } from "../auth/claims.ts";
import { endOwnToken } from "../auth/end-token.ts";
import { InvalidCredentialError } from "../auth/invalid-credential.ts";
import {
  endSession,
  keepSession,
  refuseCrossSite,
  refuseForeignPage,
  sessionToken,
} from "../auth/session-cookie.ts";
import { sessionMetrics } from "../auth/session-metrics.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate, NO_KEYS } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { USER_ID_EXAMPLE } from "../openapi/access-examples.ts";
import { schemaOf } from "../openapi/components.ts";
import { PUBLIC, SECURITY, SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { LOGIN_EXAMPLE } from "../openapi/examples.ts";
import { done, LIMIT_HEADERS, ok, problems } from "../openapi/responses.ts";
import { LOGIN_PROBLEMS, type LogIn, LoginSchema } from "./login-access.ts";

const PATH = "/api/v1/auth/session";
const tags = ["Access"];

const describeBegin = describeRoute({
  tags,
  summary: "Log a browser in",
  description:
    "As POST /api/v1/auth/login, under the same throttle; the token goes into the cookie `hydraulic_session`, which " +
    "scripts cannot read and other sites cannot send. Any operation takes it in place of the Authorization header; " +
    "changes also need `Sec-Fetch-Site: same-origin` or an Origin equal to the request's own, and a page of others cannot log in. `Secure` is set when " +
    "the request came by https, or a proxy says so in X-Forwarded-Proto.",
  operationId: "beginSession",
  security: PUBLIC,
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(LoginSchema), example: LOGIN_EXAMPLE } },
  },
  responses: {
    204: done("Logged in", ["Set-Cookie", ...LIMIT_HEADERS]),
    ...problems(PATH, [...LOGIN_PROBLEMS, "cross-site-request"], LIMIT_HEADERS),
  },
});

const SESSION_EXAMPLE = {
  user: { id: USER_ID_EXAMPLE, username: "admin", role: "admin", systems: null },
  key: null,
  expires_at: "2025-11-07T23:50:02.000Z",
  expires_in: 3_540,
  renewable_until: "2025-11-08T10:50:02.000Z",
} satisfies Session;

const describeGet = describeRoute({
  tags,
  summary: "Who is logged in",
  description: "As the cookie, the token or the key of this request says.",
  operationId: "getSession",
  security: SECURITY,
  responses: {
    200: ok("The user of the cookie, of the bearer token, or of the key", SessionSchema, SESSION_EXAMPLE),
    ...problems(PATH, ["authentication-required", "invalid-token", "forbidden", "service-unavailable"]),
  },
});

const describeRenew = describeRoute({
  tags,
  summary: "Renew the session of a browser",
  description:
    "In the second half of its token's life the cookie gets the next token, as long as the first, but none beyond " +
    "`renewable_until` (SESSION_MAX_HOURS after the password). Otherwise, and for a token that came by POST " +
    "/api/v1/auth/login or from an outside provider, nothing changes. The token before goes on until it expires: " +
    "requests with it may be on their way. The end of the session ends all of them. Not by an API key.",
  operationId: "renewSession",
  security: SECURITY_WITHOUT_KEYS,
  responses: {
    200: ok("The session as it is now", SessionSchema, SESSION_EXAMPLE, ["Set-Cookie"]),
    ...problems(`${PATH}/renew`, [
      "authentication-required",
      "invalid-token",
      "forbidden",
      "cross-site-request",
      "service-unavailable",
    ]),
  },
});

const describeEnd = describeRoute({
  tags,
  summary: "Log a browser out",
  description:
    "The browser forgets the cookie, also one that has expired, and all tokens of the session end: here at once, everywhere within " +
    "2 s. While the database is away (503) the cookie is gone, and the tokens go on until they expire.",
  operationId: "endSession",
  security: PUBLIC,
  responses: {
    204: done("Logged out", ["Set-Cookie"]),
    ...problems(PATH, ["cross-site-request", "service-unavailable"], ["Set-Cookie"]),
  },
});

export function mountSession(app: App, deps: RouteDeps, logIn: LogIn): void {
  const { tokens } = deps;
  const count = sessionMetrics(deps.metrics);
  app.post(PATH, describeBegin, requireEncodedJson, async (c) => {
    refuseForeignPage(c);
    const { access_token, expires_in } = await logIn(c, "session");
    keepSession(c, access_token, expires_in);
    count("begun");
    return c.body(null, 204);
  });
  app.get(PATH, describeGet, authenticate(tokens, undefined, SCOPES), (c) =>
    c.json(toSession(deps, c.get("claims"))),
  );
  app.post(`${PATH}/renew`, describeRenew, authenticate(tokens, undefined, NO_KEYS), async (c) => {
    const claims = c.get("claims");
    const next = await tokens.renew(claims);
    if (next === null) return c.json(toSession(deps, claims));
    keepSession(c, next.access_token, next.expires_in);
    count("renewed");
    return c.json(toSession(deps, { ...claims, exp: next.exp }));
  });
  app.delete(PATH, describeEnd, async (c) => {
    const token = sessionToken(c);
    if (token !== undefined) refuseCrossSite(c);
    endSession(c);
    const claims = token === undefined ? null : await holderOf(deps, token);
    if (claims) {
      await endOwnToken(deps, claims);
      count("ended");
    }
    return c.body(null, 204);
  });
}

function toSession({ tokens, clock }: RouteDeps, claims: Claims): Session {
  const { sub: id, username, role, systems, exp, credential } = claims;
  const key = credential.kind === "key" ? credential.key : null;
  const until_s = tokens.renewableUntil_s(claims);
  return {
    user: { id, username, role, systems: systems && [...systems] },
    key: key && { id: key.id, name: key.name, prefix: key.prefix, scopes: [...key.scopes] },
    expires_at: toTime(exp),
    expires_in: Number.isFinite(exp) ? Math.max(0, Math.floor(exp - clock.now_ms() / 1000)) : null,
    renewable_until: until_s === null ? null : toTime(until_s),
  };
}

const toTime = (at_s: number) => (Number.isFinite(at_s) ? new Date(at_s * 1000).toISOString() : null);

/** Null when the token has ended already. */
async function holderOf({ tokens }: RouteDeps, token: string): Promise<Claims | null> {
  try {
    return await tokens.verify(token);
  } catch (error) {
    if (!(error instanceof InvalidCredentialError)) throw error;
    return null;
  }
}
