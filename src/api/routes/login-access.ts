/** What both ways to log in share: the body, the throttle and the check. */
import { type Static, Type } from "@sinclair/typebox";
import { MAX_USERNAME_LENGTH } from "../../contract/access.ts";
import { MAX_PASSWORD_LENGTH } from "../../contract/passwords.ts";
import { NO_NUL } from "../../contract/printable.ts";
import type { ProblemName } from "../../contract/problem.ts";
import type { User } from "../../store/users.ts";
import type { AppContext } from "../app-env.ts";
import type { IssuedToken } from "../auth/access-tokens.ts";
import type { PasswordGate } from "../auth/password-gate.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { ProblemError } from "../problem-error.ts";

/** Two short strings fit many times over. */
export const MAX_LOGIN_BYTES = 16_384;

export const LoginSchema = Type.Object({
  // Control characters are in no name, and PostgreSQL takes no NUL in a text.
  username: Type.String({
    minLength: 1,
    maxLength: MAX_USERNAME_LENGTH,
    pattern: "^[^\\u0000-\\u001f\\u007f]*$",
  }),
  password: Type.String({ minLength: 1, maxLength: MAX_PASSWORD_LENGTH, pattern: NO_NUL }),
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

/** @param kind of the token; see `Credentials.issue` */
export type LogIn = (c: AppContext, kind: "alone" | "session") => Promise<IssuedToken>;

const checkLogin = shapeCheck(LoginSchema);

/**
 * A function that logs in whoever the request's body names.
 * @returns a function that throws {ProblemError}, see `LOGIN_PROBLEMS`
 */
export function loginOf(deps: RouteDeps, gate: PasswordGate): LogIn {
  const read = smallJson(MAX_LOGIN_BYTES, deps.config.BODY_TIMEOUT_MS);
  return async (c, kind) => {
    const credentials = checkLogin(await read(c));
    await gate.admit(c, credentials.username);
    return deps.tokens.issue(await userOf(deps, gate, credentials), kind);
  };
}

/**
 * Unknown and inactive users cost the same work and get the same answer as a wrong password.
 * @throws {ProblemError} invalid-credentials, server-busy
 * @throws {StoreUnavailableError}
 */
async function userOf(
  deps: RouteDeps,
  gate: PasswordGate,
  { username, password }: Static<typeof LoginSchema>,
): Promise<User> {
  const user = await deps.users.findByName(username);
  const matches = await gate.matches(password, user?.password_hash ?? null);
  if (!matches || !user?.active) {
    throw new ProblemError("invalid-credentials", {
      headers: { "WWW-Authenticate": 'Bearer realm="hydraulic-ingest"' },
    });
  }
  return user;
}
