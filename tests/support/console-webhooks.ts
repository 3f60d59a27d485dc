/** Webhooks and deliveries as the fake API of the console's tests has them. */
import type { DeliveryDetail, DeliveryView, WebhookView } from "../../src/contract/webhook.ts";
import { IDS, JOBS, NOW_MS } from "./console-fixtures.ts";

const ago = (minutes: number) => new Date(NOW_MS - minutes * 60_000).toISOString();

const WORKING: WebhookView = {
  id: IDS.webhook,
  url: "https://reports.plant.example/hooks/hydraulic?line=3",
  description: "Line 3, shift report",
  events: ["job.completed", "job.failed"],
  scope: "own",
  enabled: true,
  disabled_at: null,
  disabled_reason: null,
  created_by: IDS.admin,
  created_by_name: "admin",
  created_at: ago(60_000),
  updated_at: ago(600),
  previous_secret_until: ago(-600),
  overflow_since: null,
  paused_until: null,
  failing_since: ago(31),
  last_success_at: ago(32),
  last_failure_at: ago(1),
  pending: 12,
  oldest_pending_at: ago(31),
};
export const WEBHOOKS: readonly WebhookView[] = [
  WORKING,
  {
    ...WORKING,
    id: IDS.task,
    description: "",
    events: ["job.completed", "job.failed", "alert.raised", "alert.resolved"],
    scope: "all",
    enabled: false,
    disabled_at: ago(90),
    disabled_reason: "gone",
    created_by_name: null,
    previous_secret_until: null,
    failing_since: null,
    pending: 0,
    oldest_pending_at: null,
  },
];

const REFUSED = {
  at: ago(1),
  status: 503,
  ms: 84,
  error: "it answered 503",
  response: "<html><body>Service Temporarily Unavailable</body></html>",
};
const LATE = { at: ago(6), status: null, ms: 15_001, error: "no answer within 15 s", response: null };
const WAITING: DeliveryView = {
  id: 4711,
  message_id: "msg_0199a1b2c3d47e5f8a9b0c1d2e3f4a31",
  event: "job.completed",
  subject_id: IDS.job,
  state: "pending",
  attempts: 2,
  created_at: ago(7),
  next_attempt_at: ago(-29),
  ended_at: null,
  last_attempt: REFUSED,
};
export const DELIVERIES: readonly DeliveryView[] = [
  WAITING,
  {
    ...WAITING,
    id: 4710,
    event: "webhook.test",
    state: "failed",
    attempts: 1,
    next_attempt_at: null,
    ended_at: ago(8),
    last_attempt: LATE,
  },
  {
    ...WAITING,
    id: 4709,
    event: "job.failed",
    state: "delivered",
    attempts: 1,
    next_attempt_at: null,
    ended_at: ago(40),
    last_attempt: { at: ago(40), status: 204, ms: 31, error: null, response: null },
  },
];
export const DELIVERY: DeliveryDetail = {
  ...WAITING,
  history: [LATE, REFUSED],
  payload: { type: "job.completed", timestamp: WAITING.created_at, data: JOBS[0] },
};
