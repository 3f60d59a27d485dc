/** What the dispatcher asks of the outbox and writes into it, on the session that holds its lock. */
import type { Attempt } from "../../contract/webhook.ts";
import { type DeliveredEvent, MAX_HISTORY, TEST_EVENT } from "../../contract/webhook-events.ts";
import type { DedicatedSession } from "../dedicated-session.ts";
import { REACHED } from "./outbox.ts";
import { type Disabled, disableGone } from "./upkeep.ts";

/** A delivery whose time has come. */
export interface DueDelivery {
  readonly id: string;
  readonly webhook_id: string;
  readonly message_id: string;
  readonly event: DeliveredEvent;
  readonly snapshot: unknown;
  readonly created_at: Date;
  /** As PostgreSQL writes it: says whether somebody has asked for the delivery once more in the meantime. */
  readonly due_since: string;
  readonly attempts: number;
  readonly history: readonly Attempt[];
  /** Messages that the webhook may be sent at once. */
  readonly at_once: number;
  readonly url: string;
  /** The newest first. */
  readonly secrets: readonly string[];
}

/** Rows of all webhooks that are read at once. */
const MAX_DUE = 2_000;

/**
 * Due deliveries of each webhook that may be told, at most $3 of one that works and one of one that fails; not those
 * in hand ($1). $2 is how many a webhook that works may be sent at once. A disabled webhook can still be tested. One whose user is inactive, or may not know of what it asks
 * for any more, is told nothing.
 */
const DUE = `SELECT d.id::text AS id, w.id AS webhook_id, d.message_id, d.event, d.snapshot, d.created_at,
    d.due_since::text AS due_since, d.attempts, d.history, w.url,
    CASE WHEN w.failing_since IS NULL THEN $2::int ELSE 1 END AS at_once,
    CASE WHEN w.previous_secret_until > now() THEN json_build_array(w.secret, w.previous_secret)
      ELSE json_build_array(w.secret) END AS secrets
  FROM diagnostics_webhook w
  JOIN diagnostics_user u ON u.id = w.created_by AND u.active AND (w.scope = 'own' OR u.role = 'admin')
  CROSS JOIN LATERAL (
    SELECT * FROM diagnostics_webhook_delivery d
    WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.next_attempt_at <= now() AND d.id <> ALL ($1::bigint[])
      AND ${REACHED}
      AND (w.disabled_at IS NULL OR d.event = '${TEST_EVENT}')
    ORDER BY d.next_attempt_at, d.id
    LIMIT CASE WHEN w.failing_since IS NULL THEN $3::int ELSE 1 END) d
  WHERE w.paused_until IS NULL OR w.paused_until <= now()
  ORDER BY d.next_attempt_at, d.id LIMIT ${MAX_DUE}`;

/** What became of an attempt. */
export interface Outcome {
  readonly delivery: DueDelivery;
  readonly attempt: Attempt;
  readonly result: "delivered" | "retried" | "given_up" | "gone";
  /** Until the next attempt, ms; null when there is none. */
  readonly delay_ms: number | null;
  /** The receiver wants no other message before, ms. */
  readonly pause_ms: number;
}

/**
 * A delivery that was asked for once more during the attempt stays due, and one that another leader has dealt with
 * stays as it is: only its history grows.
 */
const SETTLE = `WITH o AS (
    SELECT n.id, n.history, n.state, n.delay_ms,
      d.state = 'pending' AND d.due_since = n.due_since::timestamptz AND d.attempts = n.attempts AS same
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::float8[], $5::text[], $6::int[])
      AS n (id, history, state, delay_ms, due_since, attempts)
    JOIN diagnostics_webhook_delivery d USING (id) FOR UPDATE OF d)
  UPDATE diagnostics_webhook_delivery d
  SET history = o.history::json,
    attempts = CASE WHEN same THEN d.attempts + 1 ELSE d.attempts END,
    state = CASE WHEN same THEN o.state ELSE d.state END,
    ended_at = CASE WHEN NOT same THEN d.ended_at WHEN o.state <> 'pending' THEN clock_timestamp() END,
    next_attempt_at = CASE WHEN same AND o.delay_ms IS NOT NULL
      THEN clock_timestamp() + o.delay_ms * interval '1 ms' ELSE d.next_attempt_at END
  FROM o WHERE d.id = o.id`;

/** What attempts say of their webhook, once for each webhook; $6 hours without an attempt, after which failing begins anew. */
const NOTE = `UPDATE diagnostics_webhook w SET
    last_success_at = CASE WHEN n.succeeded THEN clock_timestamp() ELSE w.last_success_at END,
    last_failure_at = CASE WHEN n.failed THEN clock_timestamp() ELSE w.last_failure_at END,
    failing_since = CASE WHEN NOT n.failed OR n.recovered THEN NULL
      WHEN w.last_failure_at > now() - $6 * interval '1 hour' THEN coalesce(w.failing_since, clock_timestamp())
      ELSE clock_timestamp() END,
    paused_until = CASE WHEN n.pause_ms > 0 THEN clock_timestamp() + n.pause_ms * interval '1 ms' END
  FROM unnest($1::uuid[], $2::bool[], $3::bool[], $4::bool[], $5::float8[])
    AS n (id, succeeded, failed, recovered, pause_ms)
  WHERE w.id = n.id`;

/** Oldest first. @param inHand ids that are left out @param bounds of one webhook: messages sent at once, and rows */
export function dueDeliveries(
  session: DedicatedSession,
  inHand: Iterable<string>,
  { each, rows }: { readonly each: number; readonly rows: number },
): Promise<DueDelivery[]> {
  return session.query<DueDelivery & Record<string, unknown>>(DUE, [[...inHand], each, rows]);
}

/** Write outcomes down, in one transaction. @returns webhooks that are told nothing any more */
export async function settleDeliveries(
  session: DedicatedSession,
  outcomes: readonly Outcome[],
  forgive_hours: number,
): Promise<Disabled[]> {
  return session.transaction(async () => {
    await session.query(SETTLE, [
      outcomes.map(({ delivery }) => delivery.id),
      outcomes.map(({ delivery, attempt }) =>
        JSON.stringify([...delivery.history, attempt].slice(-MAX_HISTORY)),
      ),
      outcomes.map(({ result }) => STATES[result]),
      outcomes.map(({ delay_ms }) => delay_ms),
      outcomes.map(({ delivery }) => delivery.due_since),
      outcomes.map(({ delivery }) => delivery.attempts),
    ]);
    const notes = notesOf(outcomes);
    if (notes.length > 0) {
      await session.query(NOTE, [
        notes.map((note) => note.id),
        notes.map((note) => note.succeeded),
        notes.map((note) => note.failed),
        notes.map((note) => note.recovered),
        notes.map((note) => note.pause_ms),
        forgive_hours,
      ]);
    }
    const gone = outcomes.filter(({ result }) => result === "gone");
    if (gone.length === 0) return [];
    return disableGone(
      session,
      gone.map(({ delivery }) => delivery.webhook_id),
    );
  });
}

const STATES = { delivered: "delivered", retried: "pending", given_up: "failed", gone: "failed" } as const;

/** Tests say nothing of a webhook: whoever tries an address out does not want it disabled. */
function notesOf(outcomes: readonly Outcome[]) {
  const told = outcomes.filter(({ delivery }) => delivery.event !== TEST_EVENT);
  return [...Map.groupBy(told, ({ delivery }) => delivery.webhook_id)].map(([id, list]) => ({
    id,
    succeeded: list.some(({ result }) => result === "delivered"),
    failed: list.some(({ result }) => result !== "delivered"),
    recovered: list.at(-1)!.result === "delivered",
    pause_ms: Math.max(...list.map(({ pause_ms }) => pause_ms)),
  }));
}
