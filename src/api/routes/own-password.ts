/** `POST /api/v1/auth/password`: a new password for whoever knows the old one. */
import { describeRoute } from "hono-openapi";
import { OwnPasswordSchema } from "../../contract/access.ts";
import type { App } from "../app-env.ts";
import type { PasswordGate } from "../auth/password-gate.ts";
import { hashPassword } from "../auth/passwords.ts";
import { recount } from "../auth/recount.ts";
import { endSession, sessionToken } from "../auth/session-cookie.ts";
import { invalidField, shapeCheck } from "../body/check-shape.ts";
import { smallJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate, NO_KEYS } from "../middleware/authenticate.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { done, LIMIT_HEADERS, problems } from "../openapi/responses.ts";
import { ProblemError } from "../problem-error.ts";
import { accountAnswer } from "./account-access.ts";
import { READ_PROBLEMS } from "./common-problems.ts";
import { LOGIN_PROBLEMS, MAX_LOGIN_BYTES } from "./login-access.ts";
import { actorOf } from "./oversight-access.ts";

const PATH = "/api/v1/auth/password";

const describe = describeRoute({
  tags: ["Access"],
  summary: "Change your own password",
  description:
    "All tokens of the user end with it, the one of this request included: log in again. Under the same throttle " +
    "as the login. Keys go on. Recorded in the audit.",
  operationId: "changeOwnPassword",
  security: SECURITY_WITHOUT_KEYS,
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: schemaOf(OwnPasswordSchema),
        example: { current_password: "password", new_password: "correct horse battery" },
      },
    },
  },
  responses: {
    204: done("The password is changed", ["Set-Cookie", ...LIMIT_HEADERS]),
    ...problems(
      PATH,
      [...READ_PROBLEMS, ...LOGIN_PROBLEMS, "cross-site-request", "outside-identity", "user-not-found"],
      LIMIT_HEADERS,
    ),
  },
});

const check = shapeCheck(OwnPasswordSchema);

export function mountOwnPassword(app: App, deps: RouteDeps, gate: PasswordGate): void {
  const read = smallJson(MAX_LOGIN_BYTES, deps.config.BODY_TIMEOUT_MS);
  const admit = [authenticate(deps.tokens, undefined, NO_KEYS), requireEncodedJson] as const;
  app.post(PATH, describe, ...admit, async (c) => {
    const { current_password, new_password } = check(await read(c));
    const { sub, username, credential } = c.get("claims");
    if (credential.kind === "outside") throw new ProblemError("outside-identity");
    await gate.admit(c, username);
    const user = await deps.users.findById(sub);
    if (!(await gate.matches(current_password, user?.password_hash ?? null))) {
      throw invalidField("/current_password", "This is not your current password.");
    }
    const by = { actor: actorOf(c), reach: null, note: null };
    await accountAnswer(deps.users.setPassword(sub, await hashPassword(new_password), by));
    await recount(deps.register);
    if (sessionToken(c) !== undefined) endSession(c);
    return c.body(null, 204);
  });
}
