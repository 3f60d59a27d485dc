/**
 * Alerts about systems whose readings are refused too often; for the maintenance leader only, who is alone. Each
 * change and its row of the record are one statement.
 *
 *   (none) ──share passes the limit──> open ──share falls to the limit, or no readings──> resolved
 */
import type { DedicatedSession } from "./dedicated-session.ts";
import { tellOfAlerts } from "./webhooks/outbox.ts";

export interface AlertRule {
  /** Quarantined / all readings above which an alert is raised. */
  readonly share: number;
  /** Batches received within these seconds count. */
  readonly window_s: number;
  /** Fewer readings raise none. */
  readonly min_readings: number;
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

/**
 * Readings that workers have judged; a batch in the queue says nothing yet, and what reviewers store is not what
 * producers sent. $1 window, s
 */
const SHARES = `SELECT system_id, sum(inserted_readings + duplicate_readings + quarantined_readings)::text AS readings,
    sum(quarantined_readings)::text AS quarantined
  FROM diagnostics_ingestion_job
  WHERE created_at >= now() - $1 * interval '1 s' AND review_task_id IS NULL AND status IN ('completed', 'failed')
  GROUP BY system_id HAVING sum(inserted_readings + duplicate_readings + quarantined_readings) > 0`;

/** Parameters $1 to $3 system, readings, quarantined; $4 limit, $5 window, s */
const SEEN = `seen AS (
    SELECT system_id, readings, quarantined, quarantined / readings::float8 AS share
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS s (system_id, readings, quarantined)),
  rule AS (SELECT $4::float8 AS share_limit, $5::int AS window_s)`;
const RECORD = `INSERT INTO diagnostics_audit (actor_name, action, subject_type, subject_id, system_id, after)
  SELECT 'service', $6, 'alert', id::text, system_id, json_build_object('system_id', system_id, 'share', share,
    'limit', share_limit, 'window_s', window_s, 'readings', readings, 'quarantined', quarantined)
  FROM changed ORDER BY id RETURNING id`;

const RAISE = `WITH ${SEEN}, changed AS (
    INSERT INTO diagnostics_quarantine_alert (system_id, share, peak_share, readings, quarantined, share_limit, window_s)
    SELECT system_id, share, share, readings, quarantined, share_limit, window_s FROM seen, rule
    WHERE share > share_limit AND readings >= $7::bigint
    ON CONFLICT (system_id) WHERE resolved_at IS NULL DO NOTHING RETURNING *),
  ${tellOfAlerts("changed", "alert.raised")}
  ${RECORD}`;

/** Not on record: figures that move are no decision. */
const UPDATE = `WITH ${SEEN}
  UPDATE diagnostics_quarantine_alert a
  SET share = seen.share, peak_share = greatest(a.peak_share, seen.share), readings = seen.readings,
    quarantined = seen.quarantined, share_limit = rule.share_limit, window_s = rule.window_s, updated_at = now()
  FROM seen, rule WHERE a.system_id = seen.system_id AND a.resolved_at IS NULL AND seen.share > rule.share_limit
    AND (a.share, a.readings, a.quarantined, a.share_limit, a.window_s)
      IS DISTINCT FROM (seen.share, seen.readings, seen.quarantined, rule.share_limit, rule.window_s)`;

const RESOLVE = `WITH ${SEEN}, over AS (
    SELECT a.id, coalesce(seen.share, 0) AS share, coalesce(seen.readings, 0) AS readings,
      coalesce(seen.quarantined, 0) AS quarantined, rule.*
    FROM rule, diagnostics_quarantine_alert a LEFT JOIN seen USING (system_id)
    WHERE a.resolved_at IS NULL AND coalesce(seen.share, 0) <= rule.share_limit),
  changed AS (
    UPDATE diagnostics_quarantine_alert a
    SET resolved_at = now(), updated_at = now(), share = over.share, readings = over.readings,
      quarantined = over.quarantined, share_limit = over.share_limit, window_s = over.window_s
    FROM over WHERE a.id = over.id RETURNING a.*),
  ${tellOfAlerts("changed", "alert.resolved")}
  ${RECORD}`;

const OPEN = "SELECT count(*)::int AS open FROM diagnostics_quarantine_alert WHERE resolved_at IS NULL";

/** Look at the shares of all systems once, and raise, update and resolve alerts. */
export async function judgeQuarantine(session: DedicatedSession, rule: AlertRule): Promise<AlertCounts> {
  const shares = await session.query<SystemShare & Record<string, unknown>>(SHARES, [rule.window_s]);
  const parameters = [
    shares.map((s) => s.system_id),
    shares.map((s) => s.readings),
    shares.map((s) => s.quarantined),
    rule.share,
    rule.window_s,
  ];
  const resolved = await session.query(RESOLVE, [...parameters, "alert.resolve"]);
  await session.query(UPDATE, parameters);
  const raised = await session.query(RAISE, [...parameters, "alert.raise", rule.min_readings]);
  const [row] = await session.query<{ open: number }>(OPEN);
  return { open: row?.open ?? 0, raised: raised.length, resolved: resolved.length };
}
