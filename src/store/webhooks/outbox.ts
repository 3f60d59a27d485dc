/**
 * The outbox: deliveries are noted by the statement that ends a job or judges an alert, so that a crash can lose
 * neither without the other. Common table expressions to be put between that statement's own. Without a webhook they
 * read one empty table.
 */
import { GAP_EVENT, TEST_EVENT } from "../../contract/webhook-events.ts";

/** Webhooks `w` that are told of the event, if there is room for it and their user may know of the system. */
const listening = (event: string, system_id: string) =>
  `JOIN diagnostics_webhook w ON w.disabled_at IS NULL AND w.overflow_since IS NULL AND ${event} = ANY (w.events)
    JOIN diagnostics_user u ON u.id = w.created_by AND (u.systems IS NULL OR ${system_id} = ANY (u.systems))`;
const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
/** RFC 3339, in UTC. */
const rfc3339 = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/**
 * For the jobs that ended, as rows of their table. What reviewers store is no news of a producer's batch.
 * @param ended name of a CTE with RETURNING *
 */
export const tellOfJobs = (ended: string) => `told AS (
    INSERT INTO diagnostics_webhook_delivery (webhook_id, event, subject_id, snapshot)
    SELECT w.id, 'job.' || e.status, e.id::text, json_build_object('job_id', e.id, 'system_id', e.system_id,
      'created_by', e.created_by, 'status', e.status, 'total_readings', e.total_readings,
      'inserted_readings', e.inserted_readings, 'duplicate_readings', e.duplicate_readings,
      'quarantined_readings', e.quarantined_readings, 'created_at_ms', ${ms("e.created_at")},
      'started_at_ms', ${ms("e.started_at")}, 'completed_at_ms', ${ms("e.completed_at")},
      'error_message', e.error_message)
    FROM ${ended} e ${listening("'job.' || e.status", "e.system_id")}
    WHERE e.review_task_id IS NULL AND (w.scope = 'all' OR w.created_by = e.created_by))`;

/**
 * For the alerts that changed, as rows of their table.
 * @param changed name of a CTE with RETURNING *
 */
export const tellOfAlerts = (changed: string, event: "alert.raised" | "alert.resolved") => `told AS (
    INSERT INTO diagnostics_webhook_delivery (webhook_id, event, subject_id, snapshot)
    SELECT w.id, '${event}', a.id::text, json_build_object('id', a.id, 'system_id', a.system_id,
      'system_name', (SELECT s.name FROM diagnostics_system s WHERE s.id = a.system_id),
      'raised_at', ${rfc3339("a.raised_at")}, 'resolved_at', ${rfc3339("a.resolved_at")},
      'back_since', ${rfc3339("a.back_since")}, 'share', a.share, 'peak_share', a.peak_share, 'limit', a.share_limit,
      'window_s', a.window_s, 'min_readings', a.min_readings, 'readings', a.readings, 'quarantined', a.quarantined,
      'acknowledged_at', ${rfc3339("a.acknowledged_at")}, 'acknowledged_by', a.acknowledged_by,
      'acknowledged_note', a.acknowledged_note)
    FROM ${changed} a ${listening(`'${event}'`, "a.system_id")} WHERE w.scope = 'all')`;

/** Clocks of workers and of the database may differ so much, and a transaction may be open for so long. */
const GAP_MARGIN = "interval '1 minute'";

/** What tells a webhook that nothing was noted for it between two moments; a little more is said than was. */
export const GAP_SNAPSHOT = (id: string, reason: "overflow" | "disabled", from: string) =>
  `json_build_object('webhook_id', ${id}, 'reason', '${reason}',
    'from', ${rfc3339(`(${from} - ${GAP_MARGIN})`)}, 'to', ${rfc3339(`(clock_timestamp() + ${GAP_MARGIN})`)})`;

/** Deliveries that are about the webhook itself, not about a job or an alert. */
const ABOUT_ITSELF = `event IN ('${TEST_EVENT}', '${GAP_EVENT}')`;

/**
 * A condition: somebody may know of what the delivery `d` is about. Said of a job by its creator and its system, and of
 * an alert by its system; what was noted when the user was an admin is not told to one who is none any more.
 * @param reach systems that they reach, or NULL @param all knows of everybody's @param user_id text
 */
export const mayKnow = (reach: string, all: string, user_id: string) => `(d.${ABOUT_ITSELF} OR coalesce(
  (${reach} IS NULL OR (d.snapshot->>'system_id')::uuid = ANY (${reach}))
  AND (${all} OR d.snapshot->>'created_by' = ${user_id}), false))`;

/** The user `u` may be told the delivery `d`. */
export const REACHED = mayKnow("u.systems", "u.role = 'admin'", "u.id::text");
