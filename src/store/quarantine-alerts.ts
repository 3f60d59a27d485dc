/**
 * Alerts about systems whose readings are refused too often; for the maintenance leader only, who is alone. Each
 * change and its row of the record are one statement.
 *
 *   (none) ──share passes the limit──> open ──share at the limit or below, for a while──> resolved
 *
 * It is over at once when no reading is left in the window, and when other limits judge it.
 */
import type { AlertLimits } from "../contract/alert.ts";
import type { DedicatedSession } from "./dedicated-session.ts";
import { tellOfAlerts } from "./webhooks/outbox.ts";

/** The limits of the service, for systems without their own. */
export interface AlertRule extends AlertLimits {
  /** For so long the share must be back before an alert is over: one that comes and goes wakes people each time. */
  readonly quiet_s: number;
}

export interface AlertCounts {
  readonly open: number;
  readonly raised: number;
  readonly resolved: number;
}

interface SystemShare {
  readonly system_id: string;
  readonly readings: string;
  readonly quarantined: string;
}

const JUDGED = "inserted_readings + duplicate_readings + quarantined_readings";
/**
 * Readings that workers have judged; a batch in the queue says nothing yet, and what reviewers store is not what
 * producers sent. @param window seconds
 */
const within = (window: string) => `created_at >= now() - ${window} * interval '1 s'
    AND review_task_id IS NULL AND status IN ('completed', 'failed')`;
/** Parameter $1: window of systems without their own, s. Those that have one are few: one look into an index for each. */
const SHARES = `SELECT system_id, readings::text AS readings, quarantined::text AS quarantined FROM (
    SELECT system_id, sum(${JUDGED}) AS readings, sum(quarantined_readings) AS quarantined
    FROM diagnostics_ingestion_job j WHERE ${within("$1")}
      AND NOT EXISTS (SELECT FROM diagnostics_alert_limit l WHERE l.system_id = j.system_id AND l.window_s IS NOT NULL)
    GROUP BY system_id
    UNION ALL
    SELECT l.system_id, own.readings, own.quarantined
    FROM diagnostics_alert_limit l CROSS JOIN LATERAL (
      SELECT sum(${JUDGED}) AS readings, sum(quarantined_readings) AS quarantined
      FROM diagnostics_ingestion_job j WHERE j.system_id = l.system_id AND ${within("l.window_s")}) own
    WHERE l.window_s IS NOT NULL) s WHERE readings > 0`;

/** Parameters $1 to $3 system, readings, quarantined; $4 to $6 share, window (s) and fewest readings of the service. */
const JUDGE = `seen AS (
    SELECT system_id, readings, quarantined, quarantined / readings::float8 AS share
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS s (system_id, readings, quarantined)),
  about AS (
    SELECT system_id FROM seen
    UNION SELECT system_id FROM diagnostics_quarantine_alert WHERE resolved_at IS NULL),
  judged AS (
    SELECT system_id, coalesce(s.readings, 0) AS readings, coalesce(s.quarantined, 0) AS quarantined,
      coalesce(s.share, 0) AS share, coalesce(l.share, $4::float8) AS share_limit,
      coalesce(l.window_s, $5::int) AS window_s, coalesce(l.min_readings, $6::bigint) AS min_readings
    FROM about LEFT JOIN seen s USING (system_id) LEFT JOIN diagnostics_alert_limit l USING (system_id))`;
const record = (action: string) => `INSERT INTO diagnostics_audit
    (actor_name, action, subject_type, subject_id, system_id, after)
  SELECT 'service', '${action}', 'alert', id::text, system_id, json_build_object('system_id', system_id, 'share', share,
    'limit', share_limit, 'window_s', window_s, 'min_readings', min_readings, 'readings', readings,
    'quarantined', quarantined)
  FROM changed ORDER BY id RETURNING id`;

const RAISE = `WITH ${JUDGE}, changed AS (
    INSERT INTO diagnostics_quarantine_alert
      (system_id, share, peak_share, readings, quarantined, share_limit, window_s, min_readings)
    SELECT system_id, share, share, readings, quarantined, share_limit, window_s, min_readings FROM judged
    WHERE share > share_limit AND readings >= min_readings
    ON CONFLICT (system_id) WHERE resolved_at IS NULL DO NOTHING RETURNING *),
  ${tellOfAlerts("changed", "alert.raised")}
  ${record("alert.raise")}`;

/** Not on record: figures that move are no decision. */
const UPDATE = `WITH ${JUDGE}, moved AS (
    SELECT j.*, CASE WHEN j.share <= j.share_limit THEN coalesce(a.back_since, now()) END AS back_since
    FROM judged j JOIN diagnostics_quarantine_alert a USING (system_id) WHERE a.resolved_at IS NULL)
  UPDATE diagnostics_quarantine_alert a
  SET share = m.share, peak_share = greatest(a.peak_share, m.share), readings = m.readings, quarantined = m.quarantined,
    share_limit = m.share_limit, window_s = m.window_s, min_readings = m.min_readings, back_since = m.back_since,
    updated_at = now()
  FROM moved m WHERE a.system_id = m.system_id AND a.resolved_at IS NULL
    AND (a.share, a.readings, a.quarantined, a.share_limit, a.window_s, a.min_readings, a.back_since)
      IS DISTINCT FROM (m.share, m.readings, m.quarantined, m.share_limit, m.window_s, m.min_readings, m.back_since)`;

/** Parameter $7: the share must be back for so long, s. */
const RESOLVE = `WITH ${JUDGE}, over AS (
    SELECT a.id, j.* FROM judged j JOIN diagnostics_quarantine_alert a USING (system_id)
    WHERE a.resolved_at IS NULL AND CASE
      WHEN (a.share_limit, a.window_s, coalesce(a.min_readings, j.min_readings))
        IS DISTINCT FROM (j.share_limit, j.window_s, j.min_readings)
      THEN j.share <= j.share_limit OR j.readings < j.min_readings
      ELSE j.share <= j.share_limit
        AND (j.readings = 0 OR coalesce(a.back_since, now()) <= now() - $7 * interval '1 s') END),
  changed AS (
    UPDATE diagnostics_quarantine_alert a
    SET resolved_at = now(), updated_at = now(), back_since = coalesce(a.back_since, now()), share = over.share,
      readings = over.readings, quarantined = over.quarantined, share_limit = over.share_limit,
      window_s = over.window_s, min_readings = over.min_readings
    FROM over WHERE a.id = over.id RETURNING a.*),
  ${tellOfAlerts("changed", "alert.resolved")}
  ${record("alert.resolve")}`;

const OPEN = "SELECT count(*)::int AS open FROM diagnostics_quarantine_alert WHERE resolved_at IS NULL";
/** Another text whenever a limit of a system's own has changed. */
const LIMITS =
  "SELECT count(*) || ' ' || coalesce(sum(extract(epoch FROM updated_at)), 0) AS state FROM diagnostics_alert_limit";

/** Stands for the own limits of all systems: whoever finds another one judges anew. */
export async function alertLimitsState(session: DedicatedSession): Promise<string> {
  const [row] = await session.query<{ state: string }>(LIMITS);
  return row?.state ?? "";
}

/** Look at the shares of all systems once, and raise, update and resolve alerts. */
export async function judgeQuarantine(session: DedicatedSession, rule: AlertRule): Promise<AlertCounts> {
  const shares = await session.query<SystemShare & Record<string, unknown>>(SHARES, [rule.window_s]);
  const parameters = [
    shares.map((s) => s.system_id),
    shares.map((s) => s.readings),
    shares.map((s) => s.quarantined),
    rule.share,
    rule.window_s,
    rule.min_readings,
  ];
  const resolved = await session.query(RESOLVE, [...parameters, rule.quiet_s]);
  await session.query(UPDATE, parameters);
  const raised = await session.query(RAISE, parameters);
  const [row] = await session.query<{ open: number }>(OPEN);
  return { open: row?.open ?? 0, raised: raised.length, resolved: resolved.length };
}
