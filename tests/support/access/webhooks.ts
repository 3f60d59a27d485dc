/** Webhooks: their users'; admins without a list see all. */
import { list, looks, ofDelivery, ofWebhook, type Row, SENDERS } from "./row.ts";

export const WEBHOOK_ROWS: Readonly<Record<string, Row>> = {
  "GET /api/v1/webhooks": list(SENDERS, "/api/v1/webhooks?limit=200", {
    scopes: [],
    owned: true,
    shows: (at, me, world) => (at === world.foreign ? at.producer_id : me.id),
    ask: async (world, _, me) => {
      for (const at of [world.own, world.foreign]) await world.webhookFor(me, at);
      return { path: "/api/v1/webhooks?limit=200" };
    },
  }),
  "POST /api/v1/webhooks": looks(SENDERS, "", {
    scopes: [],
    good: 201,
    ask: async (world, _, me) => {
      // There is a bound for each user.
      await world.bench.database.sql`DELETE FROM diagnostics_webhook WHERE created_by = ${me.id}`;
      return { path: "/api/v1/webhooks", body: { url: "https://hook.example/", events: ["job.completed"] } };
    },
  }),
  "GET /api/v1/webhooks/:webhook_id": ofWebhook(),
  "PATCH /api/v1/webhooks/:webhook_id": ofWebhook("", { body: { description: "x" } }),
  "DELETE /api/v1/webhooks/:webhook_id": ofWebhook("", { good: 204 }),
  "POST /api/v1/webhooks/:webhook_id/secret": ofWebhook("/secret", { body: {} }),
  "POST /api/v1/webhooks/:webhook_id/test": ofWebhook("/test", { good: 202 }),
  "GET /api/v1/webhooks/:webhook_id/deliveries": ofWebhook("/deliveries"),
  "GET /api/v1/webhooks/:webhook_id/deliveries/:delivery_id": ofDelivery(""),
  "POST /api/v1/webhooks/:webhook_id/deliveries/:delivery_id/redeliver": ofDelivery("/redeliver", {
    good: 202,
  }),
};
