-- A decision that stored a reading can be taken back.
-- Runs with programs since 0013: a table and columns that they do not know.

-- Of tasks that reopen: readings taken out again, and replaced ones that were put back.
ALTER TABLE diagnostics_review_task
  ADD COLUMN withdrawn bigint NOT NULL DEFAULT 0,
  ADD COLUMN restored bigint NOT NULL DEFAULT 0;

-- What each approved or fixed reading has in diagnostics_sensordata. Written and deleted with its status; the record of
-- how it came and went is diagnostics_audit.
CREATE TABLE diagnostics_review_holding (
  reading_id bigint PRIMARY KEY,
  task_id uuid NOT NULL,
  sensor_id uuid NOT NULL,
  "timestamp" timestamptz NOT NULL,
  value double precision NOT NULL,
  unit text NOT NULL,
  -- Each value that decisions put under a key lies upon the one before; readings with the same value share one depth.
  depth integer NOT NULL,
  -- false: the same was stored before anybody decided
  own boolean NOT NULL,
  -- the stored reading that it took the place of; {}: a program before this migration did not keep all of it
  replaced json
);
CREATE INDEX diagnostics_review_holding_key ON diagnostics_review_holding (sensor_id, "timestamp", depth DESC);

-- From the record. Only `after` is read: `before` holds what was sent, which may have characters that are no text.
INSERT INTO diagnostics_review_holding (reading_id, task_id, sensor_id, "timestamp", value, unit, depth, own, replaced)
SELECT id, task_id, sensor_id, "timestamp", value, unit, depth,
  bool_or(outcome <> 'identical') OVER same,
  CASE WHEN bool_or(outcome = 'replace') OVER same THEN '{}'::json END
FROM (
  SELECT *, count(*) FILTER (WHERE outcome <> 'identical') OVER (
    PARTITION BY sensor_id, "timestamp" ORDER BY line ROWS UNBOUNDED PRECEDING) AS depth
  FROM (
    SELECT q.id, a.id AS line, a.task_id, (a.after ->> 'sensor_id')::uuid AS sensor_id,
      (a.after ->> 'timestamp')::timestamptz AS "timestamp", (a.after ->> 'value')::double precision AS value,
      a.after ->> 'unit' AS unit, a.after ->> 'outcome' AS outcome
    FROM diagnostics_quarantined_reading q
    JOIN LATERAL (SELECT * FROM diagnostics_audit a
      WHERE a.subject_type = 'reading' AND a.subject_id = q.id::text AND a.task_id = q.review_task_id
      ORDER BY a.id DESC LIMIT 1) a ON true
    WHERE q.review_status IN ('approved', 'fixed')) line) stored
WINDOW same AS (PARTITION BY sensor_id, "timestamp", depth);

-- The record is kept by statement; by row, too: a statement on a parent of the table, or what a subscription applies,
-- comes to its rows only.
CREATE TRIGGER diagnostics_audit_kept_row BEFORE UPDATE OR DELETE ON diagnostics_audit
  FOR EACH ROW EXECUTE FUNCTION diagnostics_audit_is_kept();
ALTER TABLE diagnostics_audit ENABLE ALWAYS TRIGGER diagnostics_audit_kept_row;
