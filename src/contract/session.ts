/** Who makes a request: the answer of `GET /api/v1/auth/session`. */
import { type Static, Type } from "@sinclair/typebox";
import { ROLES, SCOPES } from "./roles.ts";

export const SessionSchema = Type.Object({
  user: Type.Object({
    id: Type.String({ format: "uuid" }),
    username: Type.String(),
    role: Type.Union(ROLES.map((role) => Type.Literal(role))),
    systems: Type.Union([Type.Array(Type.String({ format: "uuid" })), Type.Null()], {
      description: "Systems that this credential reaches; null: all",
    }),
  }),
  key: Type.Union(
    [
      Type.Object({
        id: Type.String({ format: "uuid" }),
        name: Type.String(),
        prefix: Type.String(),
        scopes: Type.Array(Type.Union(SCOPES.map((scope) => Type.Literal(scope)))),
      }),
      Type.Null(),
    ],
    { description: "The API key of the request; null: a token" },
  ),
  expires_at: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
    description: "Log in again, or renew the session, before; null: a key without an end",
  }),
  expires_in: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description: "The same, in seconds from now, for clients whose clock is wrong",
  }),
  renewable_until: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
    description:
      "The end of a browser's session, which is renewed at most until then (POST /api/v1/auth/session/renew); null: " +
      "this is no session",
  }),
});
export type Session = Static<typeof SessionSchema>;
