/** `POST /api/v1/auth/logout`: the end of the token that the request came with, or of all that the user has. */
import { describeRoute } from "hono-openapi";
import type { App } from "../app-env.ts";
import { endAllTokens, endOwnToken } from "../auth/end-token.ts";
import { endSession, sessionToken } from "../auth/session-cookie.ts";
import type { RouteDeps } from "../deps.ts";
import { authenticate, NO_KEYS } from "../middleware/authenticate.ts";
import { SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { queryParameter } from "../openapi/parameters.ts";
import { done, problems } from "../openapi/responses.ts";
import { choiceParameter, onlyParameters } from "../parameters.ts";
import { READ_PROBLEMS } from "./common-problems.ts";

const PATH = "/api/v1/auth/logout";

const describe = describeRoute({
  tags: ["Access"],
  summary: "Log out",
  description:
    "Ends the token of the request, and with everywhere=true every token that the user was given so far. It is " +
    "refused here at once, and within 2 s by every API process. Keys go on; revoke them. A token of an outside " +
    "provider can only be ended alone.",
  operationId: "logout",
  security: SECURITY_WITHOUT_KEYS,
  parameters: [
    queryParameter("everywhere", "End all tokens of the user", {
      type: "string",
      enum: ["true", "false"],
      default: "false",
    }),
  ],
  responses: {
    204: done("Logged out", ["Set-Cookie"]),
    ...problems(PATH, [...READ_PROBLEMS, "cross-site-request"]),
  },
});

export function mountLogout(app: App, deps: RouteDeps): void {
  app.post(PATH, describe, authenticate(deps.tokens, undefined, NO_KEYS), async (c) => {
    onlyParameters(c, ["everywhere"]);
    const everywhere = choiceParameter(c, "everywhere", ["true", "false"], "false") === "true";
    if (sessionToken(c) !== undefined) endSession(c);
    await endOwnToken(deps, c.get("claims"));
    if (everywhere) await endAllTokens(deps, c);
    return c.body(null, 204);
  });
}
