/** Examples of webhooks and of what they are told. */
import { JOB_EXAMPLE, JOB_ID_EXAMPLE } from "./examples.ts";
import { ALERT_EXAMPLE } from "./oversight-examples.ts";

const AT = "2025-11-07T22:50:02.041Z";
const USER_ID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a10";
const WEBHOOK_ID = "0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a30";
/** The key of an example in the standard's own documentation. */
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

export const NEW_WEBHOOK_EXAMPLE = {
  url: "https://example.com/hooks/hydraulic",
  events: ["job.completed", "job.failed"],
  description: "Line 3, shift report",
};
export const WEBHOOK_EXAMPLE = {
  id: WEBHOOK_ID,
  ...NEW_WEBHOOK_EXAMPLE,
  scope: "own",
  enabled: true,
  disabled_at: null,
  disabled_reason: null,
  created_by: USER_ID,
  created_by_name: "rig-1",
  created_at: AT,
  updated_at: AT,
  previous_secret_until: null,
  overflow_since: null,
  paused_until: null,
  failing_since: null,
  last_success_at: AT,
  last_failure_at: null,
  pending: 0,
  oldest_pending_at: null,
};
export const WEBHOOK_MADE_EXAMPLE = { ...WEBHOOK_EXAMPLE, last_success_at: null, secret: SECRET };
export const ROTATED_EXAMPLE = { secret: SECRET, previous_secret_until: "2025-11-08T22:50:02.041Z" };

const ATTEMPT = { at: AT, status: 503, ms: 84, error: "it answered 503", response: "Too busy" };
export const DELIVERY_EXAMPLE = {
  id: 4711,
  message_id: "msg_0199a1b2c3d47e5f8a9b0c1d2e3f4a31",
  event: "job.completed",
  subject_id: JOB_ID_EXAMPLE,
  state: "pending",
  attempts: 1,
  created_at: AT,
  next_attempt_at: "2025-11-07T22:50:07.041Z",
  ended_at: null,
  last_attempt: ATTEMPT,
};
export const JOB_MESSAGE_EXAMPLE = { type: "job.completed", timestamp: AT, data: JOB_EXAMPLE };
export const ALERT_MESSAGE_EXAMPLE = { type: "alert.raised", timestamp: AT, data: ALERT_EXAMPLE };
export const TEST_MESSAGE_EXAMPLE = {
  type: "webhook.test",
  timestamp: AT,
  data: { webhook_id: WEBHOOK_ID, sent_by: "rig-1" },
};
export const GAP_MESSAGE_EXAMPLE = {
  type: "webhook.gap",
  timestamp: AT,
  data: {
    webhook_id: WEBHOOK_ID,
    reason: "overflow",
    from: "2025-11-07T20:10:00.000000Z",
    to: "2025-11-07T20:41:00.000000Z",
  },
};
export const DELIVERY_DETAIL_EXAMPLE = {
  ...DELIVERY_EXAMPLE,
  history: [ATTEMPT],
  payload: JOB_MESSAGE_EXAMPLE,
};
