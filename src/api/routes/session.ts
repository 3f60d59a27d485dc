/** `POST`, `GET` and `DELETE /api/v1/auth/session`: the session of a browser, in a cookie. */
import { describeRoute } from "hono-openapi";
import { SCOPES } from "../../contract/roles.ts";
import { SessionSchema } from "../../contract/session.ts";
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
import type { RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { USER_ID_EXAMPLE } from "../openapi/access-examples.ts";
import { schemaOf } from "../openapi/components.ts";
import { PUBLIC, SECURITY } from "../openapi/document.ts";
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

const describeGet = describeRoute({
  tags,
  summary: "Who is logged in",
  description: "As the cookie, the token or the key of this request says.",
  operationId: "getSession",
  security: SECURITY,
  responses: {
    200: ok("The user of the cookie, of the bearer token, or of the key", SessionSchema, {
      user: { id: USER_ID_EXAMPLE, username: "admin", role: "admin", systems: null },
      key: null,
      expires_at: "2025-11-07T23:50:02.000Z",
    }),
    ...problems(PATH, ["authentication-required", "invalid-token", "forbidden", "service-unavailable"]),
  },
});

const describeEnd = describeRoute({
  tags,
  summary: "Log a browser out",
  description:
    "The browser forgets the cookie, also one that has expired, and its token ends: here at once, everywhere within " +
    "2 s. While the database is away (503) the cookie is gone, and the token goes on until it expires.",
  operationId: "endSession",
  security: PUBLIC,
  responses: {
    204: done("Logged out", ["Set-Cookie"]),
    ...problems(PATH, ["cross-site-request", "service-unavailable"], ["Set-Cookie"]),
  },
});

export function mountSession(app: App, deps: RouteDeps, logIn: LogIn): void {
  const { tokens } = deps;
  app.post(PATH, describeBegin, requireEncodedJson, async (c) => {
    refuseForeignPage(c);
    const { access_token, expires_in } = await logIn(c);
    keepSession(c, access_token, expires_in);
    return c.body(null, 204, { "Cache-Control": "no-store" });
  });
  app.get(PATH, describeGet, authenticate(tokens, undefined, SCOPES), (c) =>
    c.json(toSession(c.get("claims")), 200, { "Cache-Control": "no-store" }),
  );
  app.delete(PATH, describeEnd, async (c) => {
    const token = sessionToken(c);
    if (token !== undefined) refuseCrossSite(c);
    endSession(c);
    const claims = token === undefined ? null : await holderOf(deps, token);
    if (claims) await endOwnToken(deps, claims);
    return c.body(null, 204, { "Cache-Control": "no-store" });
  });
}

function toSession({ sub: id, username, role, systems, exp, credential }: Claims) {
  const key = credential.kind === "key" ? credential.key : null;
  return {
    user: { id, username, role, systems },
    key: key && { id: key.id, name: key.name, prefix: key.prefix, scopes: key.scopes },
    expires_at: Number.isFinite(exp) ? new Date(exp * 1000).toISOString() : null,
  };
}

/** Null when the token has ended already. */
async function holderOf({ tokens }: RouteDeps, token: string): Promise<Claims | null> {
  try {
    return await tokens.verify(token);
  } catch (error) {
    if (!(error instanceof InvalidCredentialError)) throw error;
    return null;
  }
}
