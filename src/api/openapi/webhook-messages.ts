/** What receivers of webhooks get, as the section `webhooks` of the OpenAPI document. */
import type { TSchema } from "@sinclair/typebox";
import type { GenerateSpecOptions } from "hono-openapi";
import {
  AlertMessageSchema,
  GapMessageSchema,
  JobMessageSchema,
  TestMessageSchema,
} from "../../contract/webhook-message.ts";
import { schemaOf } from "./components.ts";
import {
  ALERT_MESSAGE_EXAMPLE,
  GAP_MESSAGE_EXAMPLE,
  JOB_MESSAGE_EXAMPLE,
  TEST_MESSAGE_EXAMPLE,
} from "./webhook-examples.ts";

const header = (name: string, description: string, example: string) => ({
  name,
  in: "header" as const,
  required: true,
  description,
  schema: { type: "string" as const },
  example,
});
const HEADERS = [
  header(
    "webhook-id",
    "The same for each attempt at a message: whoever has seen it does nothing",
    "msg_0199a1b2c3d47e5f8a9b0c1d2e3f4a31",
  ),
  header("webhook-timestamp", "Seconds since the epoch of this attempt; refuse what is old", "1762555802"),
  header(
    "webhook-signature",
    "`v1,` and HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}` in base64, with the secret's bytes as key; two " +
      "of them, with a blank between, while two secrets hold",
    "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
  ),
];
const RESPONSES = {
  "2XX": { description: "It has arrived; answer within 15 s" },
  410: { description: "No more: the webhook is disabled" },
  429: { description: "Later; `Retry-After` is kept to, as with 502, 503 and 504, up to an hour" },
  default: { description: "It is tried again: 9 times within about three days. Redirects are not followed" },
};

/** The library describes this section with the schemas of OpenAPI 3.0. */
type Messages = NonNullable<GenerateSpecOptions["documentation"]["webhooks"]>;

const message = (operationId: string, summary: string, schema: TSchema, example: object) => ({
  post: {
    tags: ["Webhooks"],
    operationId,
    summary,
    description: "Standard Webhooks 1.0.0 (standardwebhooks.com): any of its libraries verifies it.",
    security: [],
    parameters: HEADERS,
    requestBody: {
      required: true,
      content: { "application/json": { schema: schemaOf(schema), example } },
    },
    responses: RESPONSES,
  },
});

export const WEBHOOK_MESSAGES = {
  "job.completed": message("onJobCompleted", "A batch is stored", JobMessageSchema, JOB_MESSAGE_EXAMPLE),
  "job.failed": message("onJobFailed", "A batch has failed", JobMessageSchema, {
    ...JOB_MESSAGE_EXAMPLE,
    type: "job.failed",
  }),
  "alert.raised": message(
    "onAlertRaised",
    "Too many readings of a system are refused",
    AlertMessageSchema,
    ALERT_MESSAGE_EXAMPLE,
  ),
  "alert.resolved": message("onAlertResolved", "They are not any more", AlertMessageSchema, {
    ...ALERT_MESSAGE_EXAMPLE,
    type: "alert.resolved",
  }),
  "webhook.test": message("onWebhookTest", "A test by hand", TestMessageSchema, TEST_MESSAGE_EXAMPLE),
  "webhook.gap": message(
    "onWebhookGap",
    "Between two moments events were not noted: look at the jobs that ended then",
    GapMessageSchema,
    GAP_MESSAGE_EXAMPLE,
  ),
} as unknown as Messages;
