/** All routes of webhooks. */
import type { App } from "../app-env.ts";
import { smallJson } from "../body/small-json.ts";
import type { RouteDeps } from "../deps.ts";
import { mountWebhook } from "./webhook.ts";
import { mountWebhookDeliveries } from "./webhook-deliveries.ts";
import { mountWebhooks } from "./webhooks.ts";

/** The longest address and description fit with every character escaped. */
const MAX_WEBHOOK_BYTES = 32_768;

export function mountWebhookRoutes(app: App, given: RouteDeps): void {
  const deps = { ...given, readJson: smallJson(MAX_WEBHOOK_BYTES, given.config.BODY_TIMEOUT_MS) };
  mountWebhooks(app, deps);
  mountWebhook(app, deps);
  mountWebhookDeliveries(app, deps);
}
