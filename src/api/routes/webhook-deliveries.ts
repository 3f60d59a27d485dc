/** `/api/v1/webhooks/{webhook_id}/deliveries`: what was sent, what came of it, and one delivery once more. */
import { describeRoute } from "hono-openapi";
import {
  type DeliveryDetail,
  DeliveryDetailSchema,
  DeliveryPageSchema,
  DeliverySchema,
} from "../../contract/webhook.ts";
import { DELIVERED_EVENTS, DELIVERY_STATES, LOG_DAYS, MAX_LOGGED } from "../../contract/webhook-events.ts";
import type { DeliveryViewer } from "../../store/webhooks/deliveries.ts";
import type { App, AppContext } from "../app-env.ts";
import { readsEverybodys } from "../auth/claims.ts";
import { SECURITY_WITHOUT_KEYS } from "../openapi/document.ts";
import { pageParameters, queryParameter } from "../openapi/parameters.ts";
import { ok, problems } from "../openapi/responses.ts";
import { DELIVERY_DETAIL_EXAMPLE, DELIVERY_EXAMPLE } from "../openapi/webhook-examples.ts";
import { choiceParameter, onlyParameters, pathCount, wholeParameter } from "../parameters.ts";
import { ProblemError } from "../problem-error.ts";
import { idCursor, pageAnswer } from "./oversight-access.ts";
import {
  visibleWebhook,
  WEBHOOK_ID_PARAMETER,
  WEBHOOK_INSTANCE,
  WEBHOOK_READ_PROBLEMS,
  WEBHOOKS_PATH,
  type WebhookDeps,
  WHO,
  webhookUsers,
} from "./webhook-access.ts";

const PATH = `${WEBHOOKS_PATH}/:webhook_id/deliveries`;
const ONE = `${PATH}/:delivery_id`;
const INSTANCE = `${WEBHOOK_INSTANCE}/deliveries`;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

const shared = { tags: ["Webhooks"], security: SECURITY_WITHOUT_KEYS };
const DELIVERY_ID_PARAMETER = {
  name: "delivery_id",
  in: "path" as const,
  required: true,
  description: "Id of the delivery",
  schema: { type: "integer" as const, minimum: 1 },
  example: 4711,
};

const describeList = describeRoute({
  ...shared,
  summary: "Deliveries of a webhook, newest first",
  description: `Those that wait, and the others of the last ${LOG_DAYS} days, at most ${MAX_LOGGED.toLocaleString("en")}. ${WHO}`,
  operationId: "listWebhookDeliveries",
  parameters: [
    WEBHOOK_ID_PARAMETER,
    queryParameter("state", "Only these", { type: "string", enum: [...DELIVERY_STATES] }),
    queryParameter("event", "Only these", { type: "string", enum: [...DELIVERED_EVENTS] }),
    ...pageParameters(DEFAULT_LIMIT, MAX_LIMIT),
  ],
  responses: {
    200: ok("A page of deliveries", DeliveryPageSchema, { items: [DELIVERY_EXAMPLE], next: null }, ["Link"]),
    ...problems(INSTANCE, [...WEBHOOK_READ_PROBLEMS, "webhook-not-found"]),
  },
});
const NOT_FOUND = [...WEBHOOK_READ_PROBLEMS, "webhook-not-found", "webhook-delivery-not-found"] as const;
const describeGet = describeRoute({
  ...shared,
  summary: "One delivery, with its body and its attempts",
  description: WHO,
  operationId: "getWebhookDelivery",
  parameters: [WEBHOOK_ID_PARAMETER, DELIVERY_ID_PARAMETER],
  responses: {
    200: ok("The delivery", DeliveryDetailSchema, DELIVERY_DETAIL_EXAMPLE),
    ...problems(`${INSTANCE}/1`, NOT_FOUND),
  },
});
const describeRedeliver = describeRoute({
  ...shared,
  summary: "Deliver once more",
  description:
    "Whatever became of it; with the same body and the same webhook-id, so that a receiver which has it already can " +
    `tell. Attempts are counted anew. ${WHO}`,
  operationId: "redeliverWebhook",
  parameters: [WEBHOOK_ID_PARAMETER, DELIVERY_ID_PARAMETER],
  responses: {
    202: ok("The delivery, which waits now", DeliverySchema, { ...DELIVERY_EXAMPLE, state: "pending" }, [
      "Retry-After",
    ]),
    ...problems(`${INSTANCE}/1/redeliver`, [...NOT_FOUND, "cross-site-request"]),
  },
});

export function mountWebhookDeliveries(app: App, deps: WebhookDeps): void {
  const { deliveries } = deps;
  const users = webhookUsers(deps);
  app.get(PATH, describeList, users, async (c) => {
    onlyParameters(c, ["state", "event", "limit", "after"]);
    const { webhook } = await visibleWebhook(deps, c);
    const state = choiceParameter(c, "state", [...DELIVERY_STATES, "any"], "any");
    const event = choiceParameter(c, "event", [...DELIVERED_EVENTS, "any"], "any");
    const limit = wholeParameter(c, "limit", { min: 1, max: MAX_LIMIT, fallback: DEFAULT_LIMIT });
    const filter = {
      state: state === "any" ? null : state,
      event: event === "any" ? null : event,
      after: idCursor(c),
      limit: limit + 1,
    };
    const found = await deliveries.page(webhook.id, filter, viewerOf(c));
    const items = found.slice(0, limit);
    return pageAnswer(c, items, found.length > limit ? [String(items.at(-1)!.id)] : null);
  });

  const find = async (c: AppContext): Promise<{ webhook_id: string; delivery: DeliveryDetail }> => {
    const { webhook } = await visibleWebhook(deps, c);
    const delivery = await deliveries.get(webhook.id, pathCount(c, "delivery_id"), viewerOf(c));
    if (delivery === null) throw new ProblemError("webhook-delivery-not-found");
    return { webhook_id: webhook.id, delivery };
  };
  app.get(ONE, describeGet, users, async (c) => c.json((await find(c)).delivery));
  app.post(`${ONE}/redeliver`, describeRedeliver, users, async (c) => {
    const { webhook_id, delivery } = await find(c);
    const again = await deliveries.redeliver(webhook_id, delivery.id);
    if (again === null) throw new ProblemError("webhook-delivery-not-found");
    c.header("Retry-After", "1");
    return c.json(again, 202);
  });
}

/** A delivery may be about a system that the user reaches no more, or noted when the user was an admin. */
function viewerOf(c: AppContext): DeliveryViewer {
  const claims = c.get("claims");
  return { reach: claims.systems, user_id: readsEverybodys(claims) ? null : claims.sub };
}
