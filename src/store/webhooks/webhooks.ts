/** Webhooks as their users make and change them: every change is one statement together with its row of the record. */
import {
  GAP_EVENT,
  MAX_WEBHOOKS,
  type WebhookEvent,
  type WebhookScope,
} from "../../contract/webhook-events.ts";
import type { Actor } from "../audit.ts";
import type { Database } from "../pool.ts";
import { arrayOf, ask } from "../review/ask.ts";
import { GAP_SNAPSHOT } from "./outbox.ts";
import { type OwnedWebhook, SELECT_WEBHOOKS, toOwned, type WebhookRow } from "./webhook-row.ts";

/** A webhook before it is made. */
export interface WebhookFields {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly scope: WebhookScope;
  readonly description: string;
}

export interface WebhookPatch extends Partial<WebhookFields> {
  readonly enabled?: boolean;
}

/** $1 actor, $2 actor's name. The address may hold a secret, so only its origin is kept. */
const record = (action: string) => `record AS (
    INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, after)
    SELECT $1::uuid, $2, '${action}', 'webhook', id::text, json_build_object('origin',
      substring(url FROM '^[^/]*//[^/?#]*'), 'events', events, 'scope', scope, 'enabled', disabled_at IS NULL)
    FROM changed)
  SELECT id FROM changed`;

const CREATE = `WITH changed AS (
    INSERT INTO diagnostics_webhook (id, created_by, url, events, scope, description, secret)
    SELECT $3::uuid, $1::uuid, $4, $5::text::text[], $6, $7, $8
    WHERE diagnostics_webhooks_of($1::uuid) < ${MAX_WEBHOOKS} RETURNING *),
  ${record("webhook.create")}`;
/** What waits is tried at once when the reason for its failing may be gone. */
const CHANGE = `WITH old AS (SELECT * FROM diagnostics_webhook WHERE id = $3::uuid FOR UPDATE), changed AS (
    UPDATE diagnostics_webhook w SET url = coalesce($4, w.url), events = coalesce($5::text::text[], w.events),
      scope = coalesce($6, w.scope), description = coalesce($7, w.description),
      disabled_at = CASE WHEN $8 THEN NULL WHEN NOT $8 THEN coalesce(w.disabled_at, clock_timestamp()) ELSE w.disabled_at END,
      disabled_reason = CASE WHEN $8 THEN NULL WHEN NOT $8 THEN coalesce(w.disabled_reason, 'user') ELSE w.disabled_reason END,
      failing_since = CASE WHEN $8 OR $4 IS NOT NULL THEN NULL ELSE w.failing_since END,
      paused_until = CASE WHEN $8 OR $4 IS NOT NULL THEN NULL ELSE w.paused_until END,
      updated_at = clock_timestamp()
    FROM old WHERE w.id = old.id RETURNING w.*),
  again AS (
    UPDATE diagnostics_webhook_delivery d SET next_attempt_at = clock_timestamp()
    FROM changed WHERE d.webhook_id = changed.id AND d.state = 'pending' AND ($8 OR $4 IS NOT NULL)),
  gap AS (
    INSERT INTO diagnostics_webhook_delivery (webhook_id, event, subject_id, snapshot)
    SELECT id, '${GAP_EVENT}', id::text, ${GAP_SNAPSHOT("id", "disabled", "old.disabled_at")}
    FROM old JOIN changed USING (id) WHERE old.disabled_at IS NOT NULL AND changed.disabled_at IS NULL),
  ${record("webhook.change")}`;
const REMOVE = `WITH changed AS (DELETE FROM diagnostics_webhook WHERE id = $3::uuid RETURNING *),
  gone AS (DELETE FROM diagnostics_webhook_delivery d USING changed WHERE d.webhook_id = changed.id),
  ${record("webhook.delete")}`;
const ROTATE = `WITH changed AS (
    UPDATE diagnostics_webhook SET previous_secret = CASE WHEN $5 > 0 THEN secret END,
      previous_secret_until = CASE WHEN $5 > 0 THEN clock_timestamp() + $5 * interval '1 hour' END, secret = $4,
      updated_at = clock_timestamp()
    WHERE id = $3::uuid RETURNING *),
  ${record("webhook.rotate")}`;

type Values = readonly (string | number | boolean | null)[];

export class WebhookStore {
  constructor(private readonly database: Database) {}

  /** @throws {StoreUnavailableError} */
  async get(id: string): Promise<OwnedWebhook | null> {
    const text = `${SELECT_WEBHOOKS} WHERE w.id = $1::uuid`;
    const [row] = await ask<WebhookRow>(this.database, "webhook", text, [id]);
    return row ? toOwned(row) : null;
  }

  /**
   * Newest first.
   * @param owner whose; null: everybody's @param after id of the last one seen
   * @throws {StoreUnavailableError}
   */
  async page(owner: string | null, after: string | null, limit: number): Promise<OwnedWebhook[]> {
    const text = `${SELECT_WEBHOOKS} WHERE ($1::uuid IS NULL OR w.created_by = $1::uuid)
      AND ($2::uuid IS NULL OR w.id < $2::uuid) ORDER BY w.id DESC LIMIT $3::int`;
    const rows = await ask<WebhookRow>(this.database, "webhooks", text, [owner, after, limit]);
    return rows.map(toOwned);
  }

  /** False when the user has as many as may be. @throws {StoreUnavailableError} */
  create(actor: Actor, id: string, fields: WebhookFields, secret: string): Promise<boolean> {
    const { url, events, scope, description } = fields;
    return this.#changed("create webhook", CREATE, actor, [
      id,
      url,
      arrayOf(events),
      scope,
      description,
      secret,
    ]);
  }

  /** What the patch leaves out stays. False when there is no such webhook. @throws {StoreUnavailableError} */
  change(actor: Actor, id: string, patch: WebhookPatch): Promise<boolean> {
    const { url = null, events, scope = null, description = null, enabled = null } = patch;
    const list = events ? arrayOf(events) : null;
    return this.#changed("change webhook", CHANGE, actor, [id, url, list, scope, description, enabled]);
  }

  /** Its deliveries go with it. False when there is no such webhook. @throws {StoreUnavailableError} */
  remove(actor: Actor, id: string): Promise<boolean> {
    return this.#changed("delete webhook", REMOVE, actor, [id]);
  }

  /** The secret until now signs as well for so many hours. False as `remove`. @throws {StoreUnavailableError} */
  rotate(actor: Actor, id: string, secret: string, overlap_hours: number): Promise<boolean> {
    return this.#changed("rotate secret of webhook", ROTATE, actor, [id, secret, overlap_hours]);
  }

  async #changed(label: string, text: string, { id, name }: Actor, values: Values): Promise<boolean> {
    return (await ask(this.database, label, text, [id, name, ...values])).length === 1;
  }
}
