/** Webhooks without their schemas: what can be told, to whom, and the bounds of it. */

/** Webhooks of one user. */
export const MAX_WEBHOOKS = 10;
/** Deliveries of one webhook that may wait; beyond that nothing is noted until half of them are gone. */
export const MAX_PENDING = 10_000;
/** Deliveries of one webhook in the log beside those that wait, and days that they stay. */
export const MAX_LOGGED = 10_000;
export const LOG_DAYS = 7;
/** Attempts that the log keeps of one delivery. */
export const MAX_HISTORY = 20;
/** Hours that the secret before the newest signs as well. */
export const DEFAULT_OVERLAP_HOURS = 24;
export const MAX_OVERLAP_HOURS = 168;

export const JOB_EVENTS = ["job.completed", "job.failed"] as const;
export const ALERT_EVENTS = ["alert.raised", "alert.resolved"] as const;
/** What a webhook can ask for. */
export const WEBHOOK_EVENTS = [...JOB_EVENTS, ...ALERT_EVENTS] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];
/** What each webhook is told, whatever it asks for: a test, and that events were not noted. */
export const TEST_EVENT = "webhook.test";
export const GAP_EVENT = "webhook.gap";
export const DELIVERED_EVENTS = [...WEBHOOK_EVENTS, TEST_EVENT, GAP_EVENT] as const;
export type DeliveredEvent = (typeof DELIVERED_EVENTS)[number];

export const WEBHOOK_SCOPES = ["own", "all"] as const;
export type WebhookScope = (typeof WEBHOOK_SCOPES)[number];
export const DISABLED_REASONS = ["user", "owner", "gone", "failing"] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];
export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
