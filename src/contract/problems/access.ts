/** Who asks is not known, or may not. */
import type { ProblemKind } from "./kind.ts";

export const ACCESS_PROBLEMS = {
  "authentication-required": {
    status: 401,
    title: "An access token or an API key is required",
    about:
      "Log in at POST /api/v1/auth/login and send the token as `Authorization: Bearer TOKEN`, or send an API key the " +
      "same way or as `X-Api-Key`; browsers log in at POST /api/v1/auth/session.",
  },
  "invalid-token": {
    status: 401,
    title: "The access token or API key is not valid",
    about:
      "It is malformed, forged, expired, ended or revoked; `detail` says which. Log in again, or get a new key.",
  },
  "invalid-credentials": {
    status: 401,
    title: "User name or password is wrong",
    about: "No active user has this name and this password.",
  },
  forbidden: {
    status: 403,
    title: "Your role does not allow this",
    about: "You are known, but your role, or the scopes of your API key, do not allow this operation.",
  },
  "cross-site-request": {
    status: 403,
    title: "The request comes from another site",
    about:
      "A session cookie counts for a change only when a page of this service sends it: with `Sec-Fetch-Site: " +
      "same-origin` or its own Origin. Programs send `Authorization: Bearer TOKEN` instead.",
  },
} as const satisfies Record<string, ProblemKind>;
