/** What both ways to log in share: the body, the throttle and the check. */
import { type Static, Type } from "@sinclair/typebox";
import type { ProblemName } from "../../contract/problem.ts";
import { PasswordChecksBusyError } from "../auth/passwords.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import type { AppContext, RouteDeps } from "../deps.ts";
import { LoginThrottle } from "../limits/login-throttle.ts";
import { ProblemError } from "../problem-error.ts";

/** Two short strings fit many times over. */
const MAX_LOGIN_BYTES = 16_384;
const RETRY_AFTER_BUSY_S = 2;

export const LoginSchema = Type.Object({
  // Control characters are in no name, and PostgreSQL takes no NUL in a text.
  username: Type.String({ minLength: 1, maxLength: 150, pattern: "^[^\\u0000-\\u001f\\u007f]*$" }),
  password: Type.String({ minLength: 1, maxLength: 1024 }),
});

export const LOGIN_PROBLEMS = [
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
] as const satisfies readonly ProblemName[];

/** A token and its life in seconds. */
export type LogIn = (c: AppContext) => Promise<{ access_token: string; expires_in: number }>;

const checkLogin = shapeCheck(LoginSchema);

/**
 * A function that logs in whoever the request's body names.
 * @returns a function that throws {ProblemError}, see `LOGIN_PROBLEMS`
 */
export function loginOf(deps: RouteDeps): LogIn {
  const throttle = new LoginThrottle(deps.redis, deps.config.LOGIN_ATTEMPTS_PER_MINUTE, deps.clock);
  const read = smallJson(MAX_LOGIN_BYTES, deps.config.BODY_TIMEOUT_MS);
  return async (c) => {
    const credentials = checkLogin(await read(c));
    await throttle.take(credentials.username, c.env?.peerAddress?.(c.req.raw) ?? "unknown");
    return login(deps, credentials);
  };
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
