/** `/api/v1/webhooks/{webhook_id}`: one webhook, to read, change and delete; its secret; a test. */
import { describeRoute } from "hono-openapi";
import {
  DeliverySchema,
  RotatedSchema,
  RotationSchema,
  WebhookChangeSchema,
  WebhookSchema,
} from "../../contract/webhook.ts";
import { DEFAULT_OVERLAP_HOURS } from "../../contract/webhook-events.ts";
import { newSecret } from "../../notify/signature.ts";
import type { App } from "../app-env.ts";
import { shapeCheck } from "../body/check-shape.ts";
import { requireEncodedJson } from "../middleware/encoded-json.ts";
import { schemaOf } from "../openapi/components.ts";
import { SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { done, ok, problems } from "../openapi/responses.ts";
import { DELIVERY_EXAMPLE, ROTATED_EXAMPLE, WEBHOOK_EXAMPLE } from "../openapi/webhook-examples.ts";
import { ProblemError } from "../problem-error.ts";
import { actorOf } from "./oversight-access.ts";
import {
  refuseBeyond,
  refuseTarget,
  visibleWebhook,
  WEBHOOK_CHANGE_PROBLEMS,
  WEBHOOK_ID_PARAMETER,
  WEBHOOK_INSTANCE,
  WEBHOOK_READ_PROBLEMS,
  WEBHOOKS_PATH,
  type WebhookDeps,
  WHO,
  webhookUsers,
} from "./webhook-access.ts";

const PATH = `${WEBHOOKS_PATH}/:webhook_id`;
const shared = { tags: ["Webhooks"], security: SECURITY_WITHOUT_KEYS, parameters: [WEBHOOK_ID_PARAMETER] };
const answered = { 200: ok("The webhook", WebhookSchema, WEBHOOK_EXAMPLE) };

const describeGet = describeRoute({
  ...shared,
  summary: "One webhook",
  description: WHO,
  operationId: "getWebhook",
  responses: {
    ...answered,
    ...problems(WEBHOOK_INSTANCE, [...WEBHOOK_READ_PROBLEMS, "webhook-not-found"]),
  },
});
const describePatch = describeRoute({
  ...shared,
  summary: "Change a webhook",
  description:
    "What the body leaves out stays. With `enabled: false` it is told nothing and nothing is noted for it; with `true` " +
    "it is told again, of the gap too (`webhook.gap`), and what still waits is tried at once, as after a new address. " +
    `Recorded in the audit. ${WHO}`,
  operationId: "changeWebhook",
  requestBody: {
    required: true,
    content: { "application/json": { schema: schemaOf(WebhookChangeSchema), example: { enabled: false } } },
  },
  responses: {
    ...answered,
    ...problems(WEBHOOK_INSTANCE, [...WEBHOOK_CHANGE_PROBLEMS, "webhook-not-found"]),
  },
});
const describeDelete = describeRoute({
  ...shared,
  summary: "Delete a webhook",
  description: `Its deliveries go with it; those that are on their way may still arrive. Recorded in the audit. ${WHO}`,
  operationId: "deleteWebhook",
  responses: {
    204: done("It is gone"),
    ...problems(WEBHOOK_INSTANCE, [...WEBHOOK_READ_PROBLEMS, "cross-site-request", "webhook-not-found"]),
  },
});
const describeRotate = describeRoute({
  ...shared,
  summary: "Replace the secret of a webhook",
  description:
    "The new secret is shown in this answer and never again. The one until now signs as well for `overlap_hours`, so " +
    "that receivers can change at their leisure; one that was replaced before it ends now. Recorded in the audit. " +
    WHO,
  operationId: "rotateWebhookSecret",
  requestBody: {
    required: true,
    content: {
      "application/json": {
        schema: schemaOf(RotationSchema),
        example: { overlap_hours: DEFAULT_OVERLAP_HOURS },
      },
    },
  },
  responses: {
    200: ok("The new secret", RotatedSchema, ROTATED_EXAMPLE),
    ...problems(`${WEBHOOK_INSTANCE}/secret`, [...WEBHOOK_CHANGE_PROBLEMS, "webhook-not-found"]),
  },
});
const describeTest = describeRoute({
  ...shared,
  summary: "Send a test",
  description:
    "A message of the type `webhook.test`, sent once and never again when it fails, also to a disabled webhook; it " +
    `says nothing about whether the webhook works. Follow it at \`Location\`. While one waits there is no other. ${WHO}`,
  operationId: "testWebhook",
  responses: {
    202: ok("The delivery", DeliverySchema, DELIVERY_EXAMPLE, ["Location", "Retry-After"]),
    ...problems(`${WEBHOOK_INSTANCE}/test`, [
      ...WEBHOOK_READ_PROBLEMS,
      "cross-site-request",
      "webhook-not-found",
    ]),
  },
});

const checkChange = shapeCheck(WebhookChangeSchema);
const checkRotation = shapeCheck(RotationSchema);

export function mountWebhook(app: App, deps: WebhookDeps): void {
  const { webhooks, deliveries } = deps;
  const users = webhookUsers(deps);
  app.get(PATH, describeGet, users, async (c) => c.json((await visibleWebhook(deps, c)).webhook));

  app.patch(PATH, describePatch, users, requireEncodedJson, async (c) => {
    const { webhook, owner_role } = await visibleWebhook(deps, c);
    const change = checkChange(await deps.readJson(c));
    if (change.events !== undefined || change.scope !== undefined || change.enabled === true) {
      refuseBeyond(owner_role, { events: webhook.events, scope: webhook.scope, ...change });
    }
    if (change.url !== undefined) await refuseTarget(deps, change.url);
    const changed = await webhooks.change(actorOf(c), webhook.id, change);
    if (!changed) throw new ProblemError("webhook-not-found");
    return c.json((await visibleWebhook(deps, c)).webhook);
  });

  app.delete(PATH, describeDelete, users, async (c) => {
    const { webhook } = await visibleWebhook(deps, c);
    await webhooks.remove(actorOf(c), webhook.id);
    return c.body(null, 204);
  });

  app.post(`${PATH}/secret`, describeRotate, users, requireEncodedJson, async (c) => {
    const { webhook } = await visibleWebhook(deps, c);
    const { overlap_hours = DEFAULT_OVERLAP_HOURS } = checkRotation(await deps.readJson(c));
    const secret = newSecret();
    const rotated = await webhooks.rotate(actorOf(c), webhook.id, secret, overlap_hours);
    if (!rotated) throw new ProblemError("webhook-not-found");
    const { previous_secret_until } = (await visibleWebhook(deps, c)).webhook;
    return c.json({ secret, previous_secret_until });
  });

  app.post(`${PATH}/test`, describeTest, users, async (c) => {
    const { webhook } = await visibleWebhook(deps, c);
    const delivery = await deliveries.test(webhook.id, actorOf(c));
    c.header("Location", `${WEBHOOKS_PATH}/${webhook.id}/deliveries/${delivery.id}`);
    c.header("Retry-After", "1");
    return c.json(delivery, 202);
  });
}
