/** A webhook as the database has it, and as its users see it. */
import type { Role } from "../../contract/roles.ts";
import type { WebhookView } from "../../contract/webhook.ts";
import type { DisabledReason, WebhookEvent, WebhookScope } from "../../contract/webhook-events.ts";

/** A webhook, and the role of its user; null when there is no such user. */
export interface OwnedWebhook {
  readonly webhook: WebhookView;
  readonly owner_role: Role | null;
}

export interface WebhookRow {
  readonly id: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly scope: WebhookScope;
  readonly description: string;
  readonly disabled_at: Date | null;
  readonly disabled_reason: DisabledReason | null;
  readonly created_by: string;
  readonly created_by_name: string | null;
  readonly owner_role: Role | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly previous_secret_until: Date | null;
  readonly overflow_since: Date | null;
  readonly paused_until: Date | null;
  readonly failing_since: Date | null;
  readonly last_success_at: Date | null;
  readonly last_failure_at: Date | null;
  readonly pending: number;
  readonly oldest_pending_at: Date | null;
}

/** Rows of `WebhookRow`, to be followed by WHERE about `w`. */
export const SELECT_WEBHOOKS = `SELECT w.id, w.url, to_json(w.events) AS events, w.scope, w.description, w.disabled_at,
    w.disabled_reason, w.created_by, u.username AS created_by_name, u.role AS owner_role, w.created_at, w.updated_at,
    CASE WHEN w.previous_secret_until > now() THEN w.previous_secret_until END AS previous_secret_until,
    w.overflow_since, CASE WHEN w.paused_until > now() THEN w.paused_until END AS paused_until, w.failing_since,
    w.last_success_at, w.last_failure_at, p.pending, p.oldest_pending_at
  FROM diagnostics_webhook w LEFT JOIN diagnostics_user u ON u.id = w.created_by
  CROSS JOIN LATERAL (SELECT count(*)::int AS pending, min(d.created_at) AS oldest_pending_at
    FROM diagnostics_webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'pending') p`;

export const iso = (at: Date | null) => at?.toISOString() ?? null;

/** A row as it is answered, with the role of its owner. */
export function toOwned({ owner_role, ...row }: WebhookRow): OwnedWebhook {
  const webhook: WebhookView = {
    ...row,
    events: [...row.events],
    enabled: row.disabled_at === null,
    disabled_at: iso(row.disabled_at),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    previous_secret_until: iso(row.previous_secret_until),
    overflow_since: iso(row.overflow_since),
    paused_until: iso(row.paused_until),
    failing_since: iso(row.failing_since),
    last_success_at: iso(row.last_success_at),
    last_failure_at: iso(row.last_failure_at),
    oldest_pending_at: iso(row.oldest_pending_at),
  };
  return { webhook, owner_role };
}
