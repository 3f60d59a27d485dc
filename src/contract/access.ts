/** Accounts and API keys: what admins and owners send and see. */
import { type Static, Type } from "@sinclair/typebox";
import { orNull, time, uuid } from "./fields.ts";
import { NameSchema } from "./names.ts";
import { NoteSchema } from "./note.ts";
import { MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH } from "./passwords.ts";
import { NO_NUL } from "./printable.ts";
import { NextField } from "./query.ts";
import { UUID_PATTERN } from "./reading.ts";
import { ROLES, SCOPES } from "./roles.ts";

export const MAX_USERNAME_LENGTH = 150;
/** Systems that an account or a key is limited to, at most. */
const MAX_SYSTEMS = 1_000;
/** Keys in use that one account may have. */
export const MAX_KEYS = 50;
/** The bounds of RATE_LIMIT_*. */
const MAX_REQUESTS = 1_000_000_000;
const MAX_READINGS = 1_000_000_000_000;

const literals = <const T extends string>(values: readonly T[], description: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description },
  );
const closed = { additionalProperties: false } as const;

const RoleSchema = literals(ROLES, `one of ${ROLES.join(", ")}`);
const PasswordSchema = Type.String({
  minLength: MIN_PASSWORD_LENGTH,
  maxLength: MAX_PASSWORD_LENGTH,
  pattern: NO_NUL,
  description: `a password of ${MIN_PASSWORD_LENGTH} to ${MAX_PASSWORD_LENGTH} characters`,
});
const SystemsSchema = orNull(
  Type.Array(Type.String({ pattern: UUID_PATTERN }), {
    minItems: 1,
    maxItems: MAX_SYSTEMS,
    uniqueItems: true,
  }),
  `1 to ${MAX_SYSTEMS} different ids of systems, or null for all`,
);
/** What counts where there is no limit of its own. */
const OTHERWISE = { user: "the limit of the configuration", key: "the limit of its owner" } as const;
/** What everything that makes or changes an account or a key may have. */
const limitsAndNote = (whose: keyof typeof OTHERWISE) => {
  const limit = (maximum: number) =>
    orNull(
      Type.Integer({ minimum: 1, maximum }),
      `a whole number from 1 to ${maximum}, or null for ${OTHERWISE[whose]}`,
    );
  return {
    requests_per_minute: Type.Optional(limit(MAX_REQUESTS)),
    readings_per_minute: Type.Optional(limit(MAX_READINGS)),
    note: Type.Optional(NoteSchema),
  };
};
const shownLimits = (whose: keyof typeof OTHERWISE) => {
  const limit = orNull(Type.Integer({ minimum: 1 }), `Null: ${OTHERWISE[whose]}`);
  return { requests_per_minute: limit, readings_per_minute: limit };
};

/** Body of `POST /api/v1/users`. */
export const NewUserSchema = Type.Object(
  {
    username: Type.String({
      minLength: 1,
      maxLength: MAX_USERNAME_LENGTH,
      pattern: NameSchema.pattern!,
      description: NameSchema.description!,
    }),
    password: PasswordSchema,
    role: RoleSchema,
    systems: Type.Optional(SystemsSchema),
    ...limitsAndNote("user"),
  },
  { $id: "NewUser", ...closed },
);
export type NewUserBody = Static<typeof NewUserSchema>;

/** Body of `PATCH /api/v1/users/{user_id}`: what is absent stays. */
export const UserChangeSchema = Type.Object(
  {
    role: Type.Optional(RoleSchema),
    active: Type.Optional(Type.Boolean()),
    systems: Type.Optional(SystemsSchema),
    ...limitsAndNote("user"),
  },
  { $id: "UserChange", ...closed, minProperties: 1 },
);
export type UserChange = Static<typeof UserChangeSchema>;

/** Body of `POST /api/v1/users/{user_id}/password`. */
export const NewPasswordSchema = Type.Object(
  { password: PasswordSchema, note: Type.Optional(NoteSchema) },
  { $id: "NewPassword", ...closed },
);
/** Body of `POST /api/v1/auth/password`. */
export const OwnPasswordSchema = Type.Object(
  {
    current_password: Type.String({ minLength: 1, maxLength: MAX_PASSWORD_LENGTH, pattern: NO_NUL }),
    new_password: PasswordSchema,
  },
  { $id: "OwnPassword", ...closed },
);

/** An account, without its password. */
export const UserViewSchema = Type.Object(
  {
    id: uuid("Id of the user"),
    username: Type.String(),
    role: literals(ROLES, "What the user may do; of an outside identity what its newest token said"),
    active: Type.Boolean({ description: "false: its tokens and keys are refused" }),
    systems: orNull(Type.Array(uuid("Id of a system")), "What it is limited to; null: all"),
    ...shownLimits("user"),
    issuer: orNull(Type.String(), "Its identity provider; null: an account of this service"),
    created_at: time("When the user was made, or an outside identity first came"),
  },
  { $id: "User" },
);
export type UserView = Static<typeof UserViewSchema>;
export const UserPageSchema = Type.Object({ items: Type.Array(UserViewSchema), ...NextField });

const ScopesSchema = Type.Array(literals(SCOPES, `of ${SCOPES.join(", ")}`), {
  minItems: 1,
  maxItems: SCOPES.length,
  uniqueItems: true,
  description: `1 to ${SCOPES.length} different ones of ${SCOPES.join(", ")}`,
});

/** Body of `POST /api/v1/keys`. */
export const NewKeySchema = Type.Object(
  {
    name: NameSchema,
    scopes: ScopesSchema,
    user_id: Type.Optional(
      Type.String({ pattern: UUID_PATTERN, description: "a UUID: the owner; without it yourself" }),
    ),
    systems: Type.Optional(SystemsSchema),
    expires_at: Type.Optional(
      orNull(Type.String({ maxLength: 64 }), "an RFC 3339 date-time in the future, or null for never"),
    ),
    ...limitsAndNote("key"),
  },
  { $id: "NewApiKey", ...closed },
);
export type NewKeyBody = Static<typeof NewKeySchema>;

/** Body of `PATCH /api/v1/keys/{key_id}`: what is absent stays. */
export const KeyChangeSchema = Type.Object(
  {
    name: Type.Optional(NameSchema),
    ...limitsAndNote("key"),
  },
  { $id: "ApiKeyChange", ...closed, minProperties: 1 },
);
export type KeyChange = Static<typeof KeyChangeSchema>;

/** An old key may go on for a while, so that devices can be given the new one: at most 30 days. */
const MAX_OVERLAP_S = 2_592_000;
/** Body of `POST /api/v1/keys/{key_id}/rotate`. */
export const RotateKeySchema = Type.Object(
  {
    overlap_s: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_OVERLAP_S,
        description: `seconds that the old key goes on, 0 to ${MAX_OVERLAP_S}; 0 without it`,
      }),
    ),
    note: Type.Optional(NoteSchema),
  },
  { $id: "RotateApiKey", ...closed },
);

/** A key, without its secret. */
export const KeyViewSchema = Type.Object(
  {
    id: uuid("Id of the key"),
    name: Type.String(),
    prefix: Type.String({ description: "How the key begins" }),
    user_id: uuid("Its owner, for whom it acts"),
    username: Type.String({ description: "Its owner" }),
    scopes: Type.Array(literals(SCOPES, "What it may be used for, within its owner's role")),
    systems: orNull(
      Type.Array(uuid("Id of a system")),
      "What it is limited to, within its owner's systems; null: all of these",
    ),
    ...shownLimits("key"),
    created_at: time("When it was made"),
    expires_at: orNull(time("When it ends"), "Null: never"),
    revoked_at: orNull(time("When it was revoked"), "Null: it was not"),
    last_used_at: orNull(time("Last use, written some seconds later"), "Null: never"),
  },
  { $id: "ApiKey" },
);
export type KeyView = Static<typeof KeyViewSchema>;
export const KeyPageSchema = Type.Object({ items: Type.Array(KeyViewSchema), ...NextField });
/** The one answer that holds a secret. */
export const KeyWithSecretSchema = Type.Object(
  {
    key: KeyViewSchema,
    secret: Type.String({ description: "The key itself. It is not kept and cannot be shown again" }),
  },
  { $id: "ApiKeyWithSecret" },
);
