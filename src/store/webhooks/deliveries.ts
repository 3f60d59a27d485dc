/** The log of one webhook's deliveries, and what its user may add to it: a test, and one delivery once more. */
import type { Reach } from "../../contract/reach.ts";
import type { Attempt, DeliveryDetail, DeliveryView } from "../../contract/webhook.ts";
import { type DeliveredEvent, type DeliveryState, TEST_EVENT } from "../../contract/webhook-events.ts";
import { messageBody, messageId } from "../../contract/webhook-message.ts";
import type { Actor } from "../audit.ts";
import type { Database } from "../pool.ts";
import { arrayOf, ask } from "../review/ask.ts";
import { mayKnow } from "./outbox.ts";
import { iso } from "./webhook-row.ts";

export interface DeliveryFilter {
  readonly state: DeliveryState | null;
  readonly event: DeliveredEvent | null;
  /** Id of the last one seen. */
  readonly after: number | null;
  readonly limit: number;
}

/** Who looks. */
export interface DeliveryViewer {
  readonly reach: Reach;
  /** Null: knows of everybody's batches; else of this user's. */
  readonly user_id: string | null;
}

interface DeliveryRow {
  readonly id: number;
  readonly message_id: string;
  readonly event: DeliveredEvent;
  readonly subject_id: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly created_at: Date;
  readonly next_attempt_at: Date | null;
  readonly ended_at: Date | null;
  readonly history: readonly Attempt[];
}

const COLUMNS = `id::float8 AS id, message_id, event, subject_id, state, attempts, created_at,
  CASE WHEN state = 'pending' THEN next_attempt_at END AS next_attempt_at, ended_at, history`;
const ADD_TEST = `INSERT INTO diagnostics_webhook_delivery (webhook_id, event, subject_id, snapshot)
  SELECT $1::uuid, '${TEST_EVENT}', $1, json_build_object('webhook_id', $1::text, 'sent_by', $2::text)
  WHERE NOT EXISTS (SELECT FROM diagnostics_webhook_delivery
    WHERE webhook_id = $1::uuid AND state = 'pending' AND event = '${TEST_EVENT}')`;
const NEWEST_TEST = `SELECT ${COLUMNS} FROM diagnostics_webhook_delivery
  WHERE webhook_id = $1::uuid AND event = '${TEST_EVENT}' ORDER BY id DESC LIMIT 1`;
const REDELIVER = `UPDATE diagnostics_webhook_delivery
  SET state = 'pending', attempts = 0, due_since = clock_timestamp(), next_attempt_at = clock_timestamp(), ended_at = NULL
  WHERE webhook_id = $1::uuid AND id = $2::bigint RETURNING ${COLUMNS}`;

function toView({ history, ...row }: DeliveryRow): DeliveryView {
  return {
    ...row,
    message_id: messageId(row.message_id),
    created_at: row.created_at.toISOString(),
    next_attempt_at: iso(row.next_attempt_at),
    ended_at: iso(row.ended_at),
    last_attempt: history.at(-1) ?? null,
  };
}

const valuesOf = ({ reach, user_id }: DeliveryViewer) => [reach && arrayOf(reach), user_id] as const;

export class DeliveryLog {
  constructor(private readonly database: Database) {}

  /** Newest first, without what the viewer may not know of. @throws {StoreUnavailableError} */
  async page(
    webhook_id: string,
    { state, event, after, limit }: DeliveryFilter,
    viewer: DeliveryViewer,
  ): Promise<DeliveryView[]> {
    const text = `SELECT ${COLUMNS} FROM diagnostics_webhook_delivery d WHERE webhook_id = $1::uuid
      AND ${mayKnow("$6::text::uuid[]", "$7::text IS NULL", "$7::text")} AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR event = $3) AND ($4::bigint IS NULL OR id < $4::bigint)
      ORDER BY id DESC LIMIT $5::int`;
    const values = [webhook_id, state, event, after, limit, ...valuesOf(viewer)];
    return (await ask<DeliveryRow>(this.database, "webhook deliveries", text, values)).map(toView);
  }

  /** Null: there is none that the viewer may know of. @throws {StoreUnavailableError} */
  async get(webhook_id: string, id: number, viewer: DeliveryViewer): Promise<DeliveryDetail | null> {
    const text = `SELECT ${COLUMNS}, snapshot FROM diagnostics_webhook_delivery d
      WHERE webhook_id = $1::uuid AND id = $2::bigint
        AND ${mayKnow("$3::text::uuid[]", "$4::text IS NULL", "$4::text")}`;
    const rows = await ask<DeliveryRow & { readonly snapshot: unknown }>(
      this.database,
      "webhook delivery",
      text,
      [webhook_id, id, ...valuesOf(viewer)],
    );
    if (!rows[0]) return null;
    const { snapshot, ...row } = rows[0];
    const view = toView(row);
    return { ...view, history: [...row.history], payload: JSON.parse(messageBody({ ...view, snapshot })) };
  }

  /** Note a test, unless one waits already: then that one. @throws {StoreUnavailableError} */
  async test(webhook_id: string, { name }: Actor): Promise<DeliveryView> {
    await ask(this.database, "test of webhook", ADD_TEST, [webhook_id, name]);
    const [row] = await ask<DeliveryRow>(this.database, "test of webhook", NEWEST_TEST, [webhook_id]);
    if (!row) throw new Error(`the test of webhook ${webhook_id} vanished`);
    return toView(row);
  }

  /** Deliver once more, under the same message id. Null when there is no such delivery. @throws {StoreUnavailableError} */
  async redeliver(webhook_id: string, id: number): Promise<DeliveryView | null> {
    const [row] = await ask<DeliveryRow>(this.database, "redeliver", REDELIVER, [webhook_id, id]);
    return row ? toView(row) : null;
  }
}
