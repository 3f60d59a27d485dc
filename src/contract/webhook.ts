/** Webhooks: who is told of what, and what became of it (Standard Webhooks 1.0.0, standardwebhooks.com). */
import { type Static, Type } from "@sinclair/typebox";
import { count, orNull, time, uuid } from "./fields.ts";
import { TEXT_PATTERN } from "./names.ts";
import { NextField } from "./query.ts";
import {
  DEFAULT_OVERLAP_HOURS,
  DELIVERED_EVENTS,
  DELIVERY_STATES,
  DISABLED_REASONS,
  MAX_HISTORY,
  MAX_OVERLAP_HOURS,
  MAX_PENDING,
  WEBHOOK_EVENTS,
  WEBHOOK_SCOPES,
} from "./webhook-events.ts";

const MAX_URL_LENGTH = 2_000;
const MAX_DESCRIPTION_LENGTH = 500;

const oneOf = <const T extends string>(values: readonly T[], description: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description },
  );

const fields = {
  url: Type.String({
    minLength: 1,
    maxLength: MAX_URL_LENGTH,
    pattern: "^[^\\s\\u0000-\\u001f\\u007f]*$",
    description:
      "address that is told, without blanks, over https; http only into networks of WEBHOOK_ALLOWED_NETWORKS",
  }),
  events: Type.Array(oneOf(WEBHOOK_EVENTS, `one of ${WEBHOOK_EVENTS.join(", ")}`), {
    minItems: 1,
    maxItems: WEBHOOK_EVENTS.length,
    uniqueItems: true,
    description: "What it is told; alerts only with the scope `all`",
  }),
  scope: oneOf(
    WEBHOOK_SCOPES,
    "own: about batches of its user; all: about everybody's, for admins. Never about systems that its user does not reach",
  ),
  description: Type.String({
    maxLength: MAX_DESCRIPTION_LENGTH,
    pattern: TEXT_PATTERN,
    description: "text for people, without control characters but tabs and line ends",
  }),
};

export const NewWebhookSchema = Type.Object(
  {
    url: fields.url,
    events: fields.events,
    scope: Type.Optional(fields.scope),
    description: Type.Optional(fields.description),
  },
  { $id: "NewWebhook", additionalProperties: false },
);
export type NewWebhook = Static<typeof NewWebhookSchema>;

export const WebhookChangeSchema = Type.Object(
  {
    url: Type.Optional(fields.url),
    events: Type.Optional(fields.events),
    scope: Type.Optional(fields.scope),
    description: Type.Optional(fields.description),
    enabled: Type.Optional(
      Type.Boolean({ description: "false: it is told nothing and nothing is noted for it" }),
    ),
  },
  { $id: "WebhookChange", additionalProperties: false, minProperties: 1 },
);
export type WebhookChange = Static<typeof WebhookChangeSchema>;

export const RotationSchema = Type.Object(
  {
    overlap_hours: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: MAX_OVERLAP_HOURS,
        description: `Hours that the secret until now signs as well; ${DEFAULT_OVERLAP_HOURS} without it`,
      }),
    ),
  },
  { $id: "WebhookRotation", additionalProperties: false },
);

const viewFields = {
  id: uuid("Id of the webhook"),
  ...fields,
  enabled: Type.Boolean(),
  disabled_at: orNull(time("Since when it is told nothing")),
  disabled_reason: orNull(
    oneOf(
      DISABLED_REASONS,
      "user: by request; owner: its user is inactive, or no admin any more; gone: it answered 410; failing: " +
        "it failed for 5 days",
    ),
  ),
  created_by: uuid("User whose webhook it is"),
  created_by_name: orNull(Type.String()),
  created_at: time("When it was made"),
  updated_at: time("When it was changed by request"),
  previous_secret_until: orNull(time("Until when the secret before the newest signs as well")),
  overflow_since: orNull(time(`More than ${MAX_PENDING} deliveries wait: since when events are not noted`)),
  paused_until: orNull(time("Its receiver asked for a pause until then")),
  failing_since: orNull(time("First failure after its last success")),
  last_success_at: orNull(time("Last answer of 200 to 299")),
  last_failure_at: orNull(time("Last attempt without such an answer")),
  pending: count("Deliveries that wait"),
  oldest_pending_at: orNull(time("Since when the oldest of them waits")),
};
export const WebhookSchema = Type.Object(viewFields, { $id: "Webhook" });
export type WebhookView = Static<typeof WebhookSchema>;

const SecretField = Type.String({
  pattern: "^whsec_[A-Za-z0-9+/]+=*$",
  description: "Key of the signatures, shown only now: whsec_ and 32 bytes in base64",
});
export const WebhookMadeSchema = Type.Object({ ...viewFields, secret: SecretField }, { $id: "WebhookMade" });
export type WebhookMade = Static<typeof WebhookMadeSchema>;
export const RotatedSchema = Type.Object(
  { secret: SecretField, previous_secret_until: viewFields.previous_secret_until },
  { $id: "WebhookRotated" },
);

export const AttemptSchema = Type.Object(
  {
    at: time("When it began"),
    status: orNull(Type.Integer({ minimum: 100, maximum: 999, description: "Null: there was no answer" })),
    ms: Type.Number({ minimum: 0, description: "Until its end, ms" }),
    error: orNull(Type.String({ description: "Why it failed" })),
    response: orNull(Type.String({ description: "The answer's first 500 characters, when it failed" })),
  },
  { $id: "WebhookAttempt" },
);
export type Attempt = Static<typeof AttemptSchema>;

const deliveryFields = {
  id: Type.Integer({ description: "Rises with time" }),
  message_id: Type.String({ description: "The header webhook-id, the same for each attempt" }),
  event: oneOf(DELIVERED_EVENTS, "What it tells"),
  subject_id: Type.String({ description: "Id of the job, the alert or the webhook that it is about" }),
  state: oneOf(DELIVERY_STATES, "pending: it waits for its next attempt; failed: it was given up"),
  attempts: count("Attempts since it was last asked for"),
  created_at: time("When it happened"),
  next_attempt_at: orNull(time("When it is tried next")),
  ended_at: orNull(time("When it was delivered or given up")),
  last_attempt: orNull(AttemptSchema),
};
export const DeliverySchema = Type.Object(deliveryFields, { $id: "WebhookDelivery" });
export type DeliveryView = Static<typeof DeliverySchema>;
export const DeliveryDetailSchema = Type.Object(
  {
    ...deliveryFields,
    history: Type.Array(AttemptSchema, { description: `The newest ${MAX_HISTORY} attempts, oldest first` }),
    payload: Type.Unknown({ description: "The body that is sent" }),
  },
  { $id: "WebhookDeliveryDetail" },
);
export type DeliveryDetail = Static<typeof DeliveryDetailSchema>;

export const WebhookPageSchema = Type.Object(
  { items: Type.Array(WebhookSchema), ...NextField },
  { $id: "WebhookPage" },
);
export const DeliveryPageSchema = Type.Object(
  { items: Type.Array(DeliverySchema), ...NextField },
  { $id: "WebhookDeliveryPage" },
);
