/** `POST /api/v1/auth/login`: user name and password for an access token. */
import { type Static, Type } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import { PasswordChecksBusyError } from "../auth/passwords.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import type { App, RouteDeps } from "../deps.ts";
import { LoginThrottle } from "../limits/login-throttle.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { LOGIN_EXAMPLE } from "../openapi/examples.ts";
import { ok, problems } from "../openapi/responses.ts";
import { ProblemError } from "../problem-error.ts";

const PATH = "/api/v1/auth/login";
/** Two short strings fit many times over. */
const MAX_LOGIN_BYTES = 16_384;
const RETRY_AFTER_BUSY_S = 2;

const LoginSchema = Type.Object({
  // Control characters are in no name, and PostgreSQL takes no NUL in a text.
  username: Type.String({ minLength: 1, maxLength: 150, pattern: "^[^\\u0000-\\u001f\\u007f]*$" }),
  password: Type.String({ minLength: 1, maxLength: 1024 }),
});
const LoginAnswerSchema = Type.Object({
  access_token: Type.String({ description: "JWT; send it as `Authorization: Bearer TOKEN`" }),
  token_type: Type.Literal("bearer"),
  expires_in: Type.Integer({ description: "Life of the token, seconds" }),
});

const describe = describeRoute({
  tags: ["Access"],
  summary: "Log in",
  operationId: "login",
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(LoginSchema), example: LOGIN_EXAMPLE } },
  },
  responses: {
    200: ok("The token", LoginAnswerSchema, {
      access_token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI…",
      token_type: "bearer",
      expires_in: 3600,
    }),
    ...problems(PATH, [
      "malformed-json",
      "malformed-encoding",
      "invalid-request",
      "invalid-credentials",
      "body-timeout",
      "body-too-large",
      "unsupported-media-type",
      "unsupported-content-encoding",
      "rate-limited",
      "service-unavailable",
      "server-busy",
    ]),
  },
});

const checkLogin = shapeCheck(LoginSchema);

export function mountLogin(app: App, deps: RouteDeps): void {
  const throttle = new LoginThrottle(deps.redis, deps.config.LOGIN_ATTEMPTS_PER_MINUTE, deps.clock);
  const read = smallJson(MAX_LOGIN_BYTES, deps.config.BODY_TIMEOUT_MS);
  app.post(PATH, describe, requireEncodedJson, async (c) => {
    const credentials = checkLogin(await read(c));
    await throttle.take(credentials.username, c.env?.peerAddress?.(c.req.raw) ?? "unknown");
    const token = await login(deps, credentials);
    return c.json({ ...token, token_type: "bearer" }, 200, { "Cache-Control": "no-store" });
  });
}

/**
 * Unknown and inactive users cost the same work and get the same answer as a wrong password.
 * @throws {ProblemError} invalid-credentials, server-busy
 * @throws {StoreUnavailableError}
 */
async function login(deps: RouteDeps, { username, password }: Static<typeof LoginSchema>) {
  const user = await deps.users.findByName(username);
  const matches = await deps.passwords
    .check(password, user?.password_hash ?? null)
    .catch((error: unknown) => {
      if (!(error instanceof PasswordChecksBusyError)) throw error;
      throw new ProblemError("server-busy", {
        detail: "Too many log-ins at once.",
        headers: { "Retry-After": String(RETRY_AFTER_BUSY_S) },
        cause: error,
      });
    });
  if (!matches || !user?.active) {
    throw new ProblemError("invalid-credentials", {
      headers: { "WWW-Authenticate": 'Bearer realm="hydraulic-ingest"' },
    });
  }
  return deps.tokens.issue(user);
}
