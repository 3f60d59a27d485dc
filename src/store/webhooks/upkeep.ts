/** What keeps the outbox bounded: the log is shortened, webhooks that nobody can be told through are disabled. */
import { GAP_EVENT, LOG_DAYS, MAX_LOGGED, MAX_PENDING } from "../../contract/webhook-events.ts";
import type { DedicatedSession } from "../dedicated-session.ts";
import { GAP_SNAPSHOT, REACHED } from "./outbox.ts";

export interface UpkeepRule {
  /** A webhook that fails for so long is disabled. */
  readonly disable_after_hours: number;
  /** Unless it was not tried for so long. */
  readonly forgive_hours: number;
  /** Deliveries that wait for longer are given up. */
  readonly give_up_hours: number;
}

/** A webhook that is told nothing any more. */
export interface Disabled {
  readonly id: string;
  readonly reason: string;
}

/** How full the outbox is. */
export interface OutboxFigures {
  readonly pending: number;
  /** Age of the oldest delivery that waits, s; 0 without one. */
  readonly oldest_s: number;
  readonly webhooks: number;
  readonly disabled: number;
  readonly overflowing: number;
}

/** $1 a condition's parameter. The record says who it was. */
const disable = (reason: string, condition: string) => `WITH changed AS (
    UPDATE diagnostics_webhook w SET disabled_at = clock_timestamp(), disabled_reason = '${reason}'
    WHERE w.disabled_at IS NULL AND ${condition} RETURNING w.*),
  record AS (
    INSERT INTO diagnostics_audit (actor_name, action, subject_type, subject_id, after)
    SELECT 'service', 'webhook.disable', 'webhook', id::text, json_build_object('reason', disabled_reason)
    FROM changed)
  SELECT id, disabled_reason AS reason FROM changed`;
/** $1 ids. */
const DISABLE_GONE = disable("gone", "w.id = ANY ($1::uuid[])");
/** $1 hours, $2 hours without an attempt after which failing begins anew. */
const DISABLE_FAILING = disable(
  "failing",
  `w.failing_since < now() - $1 * interval '1 hour' AND w.last_failure_at > now() - $2 * interval '1 hour'`,
);
const DISABLE_OWNERLESS = disable(
  "owner",
  `NOT EXISTS (SELECT FROM diagnostics_user u
    WHERE u.id = w.created_by AND u.active AND (w.scope = 'own' OR u.role = 'admin'))`,
);

const PENDING = `(SELECT count(*) FROM diagnostics_webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'pending')`;
const FILL = `UPDATE diagnostics_webhook w SET overflow_since = clock_timestamp()
  WHERE w.overflow_since IS NULL AND ${PENDING} >= ${MAX_PENDING} RETURNING id`;
/** Its receiver is told what it was not told. */
const DRAIN = `WITH changed AS (
    UPDATE diagnostics_webhook w SET overflow_since = NULL FROM (SELECT id, overflow_since FROM diagnostics_webhook) old
    WHERE w.id = old.id AND w.overflow_since IS NOT NULL AND ${PENDING} < ${MAX_PENDING / 2}
    RETURNING w.id, old.overflow_since)
  INSERT INTO diagnostics_webhook_delivery (webhook_id, event, subject_id, snapshot)
  SELECT id, '${GAP_EVENT}', id::text, ${GAP_SNAPSHOT("id", "overflow", "overflow_since")} FROM changed`;

/** $1 hours. Those of disabled and of paused webhooks, which are not tried, and those that their user may not know of. */
const GIVE_UP = `UPDATE diagnostics_webhook_delivery d SET state = 'failed', ended_at = clock_timestamp()
  FROM diagnostics_webhook w JOIN diagnostics_user u ON u.id = w.created_by
  WHERE w.id = d.webhook_id AND d.state = 'pending'
    AND (d.due_since < now() - $1 * interval '1 hour' OR NOT ${REACHED}) RETURNING d.id`;
/** At once, so that no statement is long. */
const ROWS_PER_STEP = 5_000;
const FORGET = `WITH oldest AS MATERIALIZED (
    SELECT w.id AS webhook_id, coalesce((SELECT l.id FROM diagnostics_webhook_delivery l WHERE l.webhook_id = w.id
      ORDER BY l.id DESC OFFSET ${MAX_LOGGED} LIMIT 1), 0) AS last_id
    FROM diagnostics_webhook w)
  DELETE FROM diagnostics_webhook_delivery WHERE id IN (
    SELECT d.id FROM oldest JOIN diagnostics_webhook_delivery d USING (webhook_id)
    WHERE d.state <> 'pending' AND (d.id <= last_id OR d.ended_at < now() - interval '${LOG_DAYS} days')
    LIMIT ${ROWS_PER_STEP}) RETURNING id`;
/** A writer may have noted something for a webhook that was being deleted. */
const FORGET_ORPHANS = `DELETE FROM diagnostics_webhook_delivery WHERE id IN (
    SELECT d.id FROM diagnostics_webhook_delivery d
    WHERE NOT EXISTS (SELECT FROM diagnostics_webhook w WHERE w.id = d.webhook_id) LIMIT ${ROWS_PER_STEP}) RETURNING id`;
const FORGET_SECRETS = `UPDATE diagnostics_webhook SET previous_secret = NULL, previous_secret_until = NULL
  WHERE previous_secret_until < now()`;

const FIGURES = `SELECT
    (SELECT count(*)::float8 FROM diagnostics_webhook_delivery WHERE state = 'pending') AS pending,
    coalesce((SELECT extract(epoch FROM now() - min(created_at)) FROM diagnostics_webhook_delivery
      WHERE state = 'pending'), 0)::float8 AS oldest_s,
    count(*)::int AS webhooks, count(disabled_at)::int AS disabled, count(overflow_since)::int AS overflowing
  FROM diagnostics_webhook`;

type Row<T> = T & Record<string, unknown>;

/** Webhooks whose receivers have said that they are gone. */
export const disableGone = (session: DedicatedSession, ids: readonly string[]): Promise<Disabled[]> =>
  session.query<Row<Disabled>>(DISABLE_GONE, [ids]);

/** Stop noting for webhooks with too many deliveries that wait; go on for those with room. @returns how many are full now */
export async function boundOutbox(session: DedicatedSession): Promise<number> {
  const full = await session.query(FILL);
  await session.query(DRAIN);
  return full.length;
}

export const outboxFigures = async (session: DedicatedSession): Promise<OutboxFigures> =>
  (await session.query<Row<OutboxFigures>>(FIGURES))[0]!;

/** One round, in short statements. @returns webhooks disabled now, and deliveries given up */
export async function keepOutbox(
  session: DedicatedSession,
  rule: UpkeepRule,
): Promise<{ readonly disabled: readonly Disabled[]; readonly given_up: number }> {
  const disabled = [
    ...(await session.query<Row<Disabled>>(DISABLE_FAILING, [rule.disable_after_hours, rule.forgive_hours])),
    ...(await session.query<Row<Disabled>>(DISABLE_OWNERLESS)),
  ];
  const given_up = await session.query(GIVE_UP, [rule.give_up_hours]);
  for (const statement of [FORGET, FORGET_ORPHANS]) {
    while ((await session.query(statement)).length === ROWS_PER_STEP);
  }
  await session.query(FORGET_SECRETS);
  return { disabled, given_up: given_up.length };
}
