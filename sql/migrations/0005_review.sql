-- Quarantine is worked off: review tasks, the record of every decision, and what lists and incidents are read from.

-- One decision of a reviewer, about one reading or a million. Committed in pieces; `position` says how far.
CREATE TABLE diagnostics_review_task (
  id uuid PRIMARY KEY,
  action text NOT NULL CHECK (action IN ('approve', 'fix', 'reject', 'reopen', 'revalidate')),
  state text NOT NULL CHECK (state IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
  actor uuid NOT NULL,
  actor_name text NOT NULL,
  note text,
  -- as asked for: ids, an incident or a filter
  selection json NOT NULL,
  -- what `fix` changes; null for the others
  change json,
  -- which value of a conflict stays; null: conflicts wait
  conflict text CHECK (conflict IN ('keep', 'replace')),
  -- readings selected when it began, counted up to a bound
  selected bigint NOT NULL CHECK (selected >= 0),
  -- quarantined readings after these ids are not part of it, and those up to `position` are dealt with
  last_id bigint NOT NULL,
  position bigint NOT NULL DEFAULT 0,
  done bigint NOT NULL DEFAULT 0,
  stored bigint NOT NULL DEFAULT 0,
  identical bigint NOT NULL DEFAULT 0,
  replaced bigint NOT NULL DEFAULT 0,
  -- rejected or reopened
  changed bigint NOT NULL DEFAULT 0,
  -- still refused, by reason
  failing jsonb NOT NULL DEFAULT '{}',
  -- not in the state that the action needs
  not_open bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  completed_at timestamptz,
  error_message text
);
CREATE INDEX diagnostics_review_task_created ON diagnostics_review_task (created_at DESC, id DESC);
CREATE INDEX diagnostics_review_task_open ON diagnostics_review_task (created_at) WHERE state IN ('queued', 'running');

ALTER TABLE diagnostics_quarantined_reading
  ADD COLUMN review_task_id uuid,
  -- the review's job that stored it
  ADD COLUMN stored_by_job uuid;

-- Set for the jobs of reviews: they store what was quarantined before, and count in no producer's share.
ALTER TABLE diagnostics_ingestion_job ADD COLUMN review_task_id uuid;
CREATE INDEX diagnostics_ingestion_job_review ON diagnostics_ingestion_job (review_task_id, created_at)
  WHERE review_task_id IS NOT NULL;

-- Lists ask for one status and, often, one reason, system or sensor; several of them are merged.
DROP INDEX diagnostics_quarantined_reading_time;
CREATE INDEX diagnostics_quarantined_reading_reason
  ON diagnostics_quarantined_reading (reason, review_status, quarantined_at DESC, id DESC);
CREATE INDEX diagnostics_quarantined_reading_system
  ON diagnostics_quarantined_reading (system_id, reason, review_status, quarantined_at DESC, id DESC);
CREATE INDEX diagnostics_quarantined_reading_sensor
  ON diagnostics_quarantined_reading (sensor_id, reason, review_status, quarantined_at DESC, id DESC);

-- The moment that an incident counts a refusal at: the reading's own time, unless that is what is wrong.
CREATE FUNCTION diagnostics_event_at(reason text, "timestamp" timestamptz, quarantined_at timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN reason = 'invalid_timestamp' OR "timestamp" IS NULL THEN quarantined_at ELSE "timestamp" END;

-- Who did what to which, in the order of their commits as far as ids tell. Rows come and stay.
CREATE TABLE diagnostics_audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- null: the service itself
  actor uuid,
  actor_name text NOT NULL,
  action text NOT NULL,
  subject_type text NOT NULL CHECK (subject_type IN
    ('reading', 'task', 'dead_letter', 'job', 'alert', 'user', 'range')),
  subject_id text NOT NULL,
  task_id uuid,
  -- json, not jsonb: readings as sent may hold \u0000
  before json,
  after json,
  note text
);
CREATE INDEX diagnostics_audit_subject ON diagnostics_audit (subject_type, subject_id, id DESC);
CREATE INDEX diagnostics_audit_actor ON diagnostics_audit (actor, id DESC);
CREATE INDEX diagnostics_audit_action ON diagnostics_audit (action, id DESC);

CREATE FUNCTION diagnostics_audit_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit record is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER diagnostics_audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON diagnostics_audit
  FOR EACH STATEMENT EXECUTE FUNCTION diagnostics_audit_is_kept();
-- also under session_replication_role = replica
ALTER TABLE diagnostics_audit ENABLE ALWAYS TRIGGER diagnostics_audit_kept;

-- How many quarantined readings of a system, sensor and reason there are in each hour, by status. Kept like the
-- hourly aggregate: writers append what changed, without a constraint where they could meet; the maintenance leader
-- adds it up; readers add both. first, last and sample cover every status, since quarantined readings are never deleted.
CREATE TABLE diagnostics_quarantine_hour (
  system_id uuid NOT NULL,
  -- the nil UUID stands for a reading without a sensor
  sensor_id uuid NOT NULL,
  reason text NOT NULL,
  hour timestamptz NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  sample_id bigint NOT NULL,
  pending bigint NOT NULL,
  approved bigint NOT NULL,
  rejected bigint NOT NULL,
  fixed bigint NOT NULL,
  PRIMARY KEY (system_id, sensor_id, reason, hour)
);
CREATE INDEX diagnostics_quarantine_hour_time ON diagnostics_quarantine_hour (hour DESC);
CREATE INDEX diagnostics_quarantine_hour_pending ON diagnostics_quarantine_hour (hour DESC) WHERE pending > 0;
CREATE TABLE diagnostics_quarantine_change (LIKE diagnostics_quarantine_hour);

CREATE FUNCTION diagnostics_quarantine_arrived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO diagnostics_quarantine_change
    (system_id, sensor_id, reason, hour, first_at, last_at, sample_id, pending, approved, rejected, fixed)
  SELECT system_id, coalesce(sensor_id, '00000000-0000-0000-0000-000000000000'), reason,
    date_trunc('hour', event_at, 'UTC'), min(event_at), max(event_at), max(id),
    count(*) FILTER (WHERE review_status = 'pending'), count(*) FILTER (WHERE review_status = 'approved'),
    count(*) FILTER (WHERE review_status = 'rejected'), count(*) FILTER (WHERE review_status = 'fixed')
  FROM (SELECT *, diagnostics_event_at(reason, "timestamp", quarantined_at) AS event_at FROM arrived) a
  GROUP BY 1, 2, 3, 4;
  RETURN NULL;
END
$$;
CREATE TRIGGER diagnostics_quarantine_arrived AFTER INSERT ON diagnostics_quarantined_reading
  REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION diagnostics_quarantine_arrived();

-- Only the status of a quarantined reading changes: one less of the old, one more of the new.
CREATE FUNCTION diagnostics_quarantine_reviewed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO diagnostics_quarantine_change
    (system_id, sensor_id, reason, hour, first_at, last_at, sample_id, pending, approved, rejected, fixed)
  SELECT system_id, coalesce(sensor_id, '00000000-0000-0000-0000-000000000000'), reason,
    date_trunc('hour', event_at, 'UTC'), min(event_at), max(event_at), max(id),
    coalesce(sum(n) FILTER (WHERE review_status = 'pending'), 0), coalesce(sum(n) FILTER (WHERE review_status = 'approved'), 0),
    coalesce(sum(n) FILTER (WHERE review_status = 'rejected'), 0), coalesce(sum(n) FILTER (WHERE review_status = 'fixed'), 0)
  FROM (
    SELECT 1 AS n, id, system_id, sensor_id, reason, review_status,
      diagnostics_event_at(reason, "timestamp", quarantined_at) AS event_at FROM now_so
    UNION ALL
    SELECT -1, id, system_id, sensor_id, reason, review_status,
      diagnostics_event_at(reason, "timestamp", quarantined_at) FROM before_it) c
  GROUP BY 1, 2, 3, 4;
  RETURN NULL;
END
$$;
CREATE TRIGGER diagnostics_quarantine_reviewed AFTER UPDATE ON diagnostics_quarantined_reading
  REFERENCING OLD TABLE AS before_it NEW TABLE AS now_so
  FOR EACH STATEMENT EXECUTE FUNCTION diagnostics_quarantine_reviewed();

INSERT INTO diagnostics_quarantine_hour
  (system_id, sensor_id, reason, hour, first_at, last_at, sample_id, pending, approved, rejected, fixed)
SELECT system_id, coalesce(sensor_id, '00000000-0000-0000-0000-000000000000'), reason,
  date_trunc('hour', event_at, 'UTC'), min(event_at), max(event_at), max(id),
  count(*) FILTER (WHERE review_status = 'pending'), count(*) FILTER (WHERE review_status = 'approved'),
  count(*) FILTER (WHERE review_status = 'rejected'), count(*) FILTER (WHERE review_status = 'fixed')
FROM (SELECT *, diagnostics_event_at(reason, "timestamp", quarantined_at) AS event_at
  FROM diagnostics_quarantined_reading) q
GROUP BY 1, 2, 3, 4;

-- A system whose share of quarantined readings passed the limit, until it fell below it again.
CREATE TABLE diagnostics_quarantine_alert (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  system_id uuid NOT NULL,
  raised_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  resolved_at timestamptz,
  -- of the last look
  share double precision NOT NULL,
  peak_share double precision NOT NULL,
  readings bigint NOT NULL,
  quarantined bigint NOT NULL,
  -- what it was judged by
  share_limit double precision NOT NULL,
  window_s integer NOT NULL
);
CREATE UNIQUE INDEX diagnostics_quarantine_alert_open ON diagnostics_quarantine_alert (system_id)
  WHERE resolved_at IS NULL;
CREATE INDEX diagnostics_quarantine_alert_raised ON diagnostics_quarantine_alert (raised_at DESC, id DESC);
