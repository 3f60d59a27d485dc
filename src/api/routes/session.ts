/** `POST`, `GET` and `DELETE /api/v1/auth/session`: the session of a browser, in a cookie. */
import { Type } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import { ROLES } from "../../store/users.ts";
import { endSession, keepSession, refuseCrossSite, sessionToken } from "../auth/session-cookie.ts";
import type { App, RouteDeps } from "../deps.ts";
import { authenticate } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { PUBLIC, SECURITY } from "../openapi/document.ts";
import { LOGIN_EXAMPLE } from "../openapi/examples.ts";
import { done, ok, problems } from "../openapi/responses.ts";
import { LOGIN_PROBLEMS, type LogIn, LoginSchema } from "./login-access.ts";

const PATH = "/api/v1/auth/session";
const tags = ["Access"];

export const SessionSchema = Type.Object({
  user: Type.Object({
    id: Type.String({ format: "uuid" }),
    username: Type.String(),
    role: Type.Union(ROLES.map((role) => Type.Literal(role))),
  }),
  expires_at: Type.String({ format: "date-time", description: "Log in again before" }),
});

const describeBegin = describeRoute({
  tags,
  summary: "Log a browser in",
  description:
    "As POST /api/v1/auth/login, under the same throttle; the token goes into the cookie `hydraulic_session`, which " +
    "scripts cannot read and other sites cannot send. Any operation takes it in place of the Authorization header; " +
    "changes also need `Sec-Fetch-Site: same-origin` or an Origin equal to the request's own. `Secure` is set when " +
    "the request came by https, or a proxy says so in X-Forwarded-Proto.",
  operationId: "beginSession",
  security: PUBLIC,
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(LoginSchema), example: LOGIN_EXAMPLE } },
  },
  responses: { 204: done("Logged in", ["Set-Cookie"]), ...problems(PATH, LOGIN_PROBLEMS) },
});

const describeGet = describeRoute({
  tags,
  summary: "Who is logged in",
  operationId: "getSession",
  security: SECURITY,
  responses: {
    200: ok("The user of the cookie, or of the bearer token", SessionSchema, {
      user: { id: "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10", username: "admin", role: "admin" },
      expires_at: "2025-11-07T23:50:02.000Z",
    }),
    ...problems(PATH, ["authentication-required", "invalid-token"]),
  },
});

const describeEnd = describeRoute({
  tags,
  summary: "Log a browser out",
  description:
    "The browser forgets the cookie, also one that has expired. A copy of the token would count until its expiry.",
  operationId: "endSession",
  security: PUBLIC,
  responses: { 204: done("Logged out", ["Set-Cookie"]), ...problems(PATH, ["cross-site-request"]) },
});

export function mountSession(app: App, { tokens }: RouteDeps, logIn: LogIn): void {
  app.post(PATH, describeBegin, requireEncodedJson, async (c) => {
    const { access_token, expires_in } = await logIn(c);
    keepSession(c, access_token, expires_in);
    return c.body(null, 204, { "Cache-Control": "no-store" });
  });
  app.get(PATH, describeGet, authenticate(tokens), (c) => {
    const { sub: id, username, role, exp } = c.get("claims");
    const session = { user: { id, username, role }, expires_at: new Date(exp * 1000).toISOString() };
    return c.json(session, 200, { "Cache-Control": "no-store" });
  });
  app.delete(PATH, describeEnd, (c) => {
    if (sessionToken(c) !== undefined) refuseCrossSite(c);
    endSession(c);
    return c.body(null, 204, { "Cache-Control": "no-store" });
  });
}
