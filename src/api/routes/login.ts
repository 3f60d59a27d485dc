/** `POST /api/v1/auth/login`: user name and password for an access token. */
import { Type } from "@sinclair/typebox";
import { describeRoute } from "hono-openapi";
import type { App } from "../app-env.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { PUBLIC } from "../openapi/document.ts";
import { LOGIN_EXAMPLE } from "../openapi/examples.ts";
import { LIMIT_HEADERS, ok, problems } from "../openapi/responses.ts";
import { LOGIN_PROBLEMS, type LogIn, LoginSchema } from "./login-access.ts";

const PATH = "/api/v1/auth/login";

const LoginAnswerSchema = Type.Object({
  access_token: Type.String({ description: "JWT; send it as `Authorization: Bearer TOKEN`" }),
  token_type: Type.Literal("bearer"),
  expires_in: Type.Integer({ description: "Life of the token, seconds" }),
});

const describe = describeRoute({
  tags: ["Access"],
  summary: "Log in",
  description:
    "The token goes into `Authorization: Bearer` of what follows, until `expires_in` seconds are over.",
  operationId: "login",
  security: PUBLIC,
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(LoginSchema), example: LOGIN_EXAMPLE } },
  },
  responses: {
    200: ok(
      "The token",
      LoginAnswerSchema,
      {
        access_token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI…",
        token_type: "bearer",
        expires_in: 3600,
      },
      LIMIT_HEADERS,
    ),
    ...problems(PATH, LOGIN_PROBLEMS, LIMIT_HEADERS),
  },
});

export function mountLogin(app: App, logIn: LogIn): void {
  app.post(PATH, describe, requireEncodedJson, async (c) => {
    const { access_token, expires_in } = await logIn(c, "alone");
    return c.json({ access_token, token_type: "bearer", expires_in });
  });
}
