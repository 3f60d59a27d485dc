-- Lists of a million quarantined readings: incidents and counts are kept as they are shown, in place of sums by hour
-- that every look had to put together; and an index knows the readings of an incident.

-- Refusals of one system, sensor and reason, each at most an hour after the one before. The maintenance leader adds
-- diagnostics_quarantine_change to them; readers add what is still in it. Readings are never deleted and keep their
-- moments, so incidents grow and merge, and are never split. A count may be below zero while the row that it was
-- taken from still waits in the log.
CREATE TABLE diagnostics_quarantine_incident (
  system_id uuid NOT NULL,
  -- the nil UUID stands for a reading without a sensor
  sensor_id uuid NOT NULL,
  reason text NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  -- its newest reading
  sample_id bigint NOT NULL,
  pending bigint NOT NULL,
  approved bigint NOT NULL,
  rejected bigint NOT NULL,
  fixed bigint NOT NULL,
  PRIMARY KEY (system_id, sensor_id, reason, last_at)
);
CREATE INDEX diagnostics_quarantine_incident_last
  ON diagnostics_quarantine_incident (last_at DESC, system_id DESC, sensor_id DESC, reason DESC);
CREATE INDEX diagnostics_quarantine_incident_pending
  ON diagnostics_quarantine_incident (last_at DESC, system_id DESC, sensor_id DESC, reason DESC) WHERE pending > 0;
CREATE INDEX diagnostics_quarantine_incident_system
  ON diagnostics_quarantine_incident (system_id, last_at DESC, sensor_id DESC, reason DESC);
CREATE INDEX diagnostics_quarantine_incident_sensor
  ON diagnostics_quarantine_incident (sensor_id, last_at DESC, system_id DESC, reason DESC);

-- The same of all times together, kept in the same way.
CREATE TABLE diagnostics_quarantine_total (
  system_id uuid NOT NULL,
  sensor_id uuid NOT NULL,
  reason text NOT NULL,
  pending bigint NOT NULL,
  approved bigint NOT NULL,
  rejected bigint NOT NULL,
  fixed bigint NOT NULL,
  PRIMARY KEY (system_id, sensor_id, reason)
);

INSERT INTO diagnostics_quarantine_total
SELECT system_id, sensor_id, reason, sum(pending), sum(approved), sum(rejected), sum(fixed)
FROM diagnostics_quarantine_hour GROUP BY system_id, sensor_id, reason;

INSERT INTO diagnostics_quarantine_incident
SELECT system_id, sensor_id, reason, min(first_at), max(last_at), max(sample_id),
  sum(pending), sum(approved), sum(rejected), sum(fixed)
FROM (
  SELECT *, count(*) FILTER (WHERE goes_on IS NOT TRUE) OVER (
    PARTITION BY system_id, sensor_id, reason ORDER BY hour ROWS UNBOUNDED PRECEDING) AS nth
  FROM (
    SELECT *, first_at <= lag(last_at) OVER (PARTITION BY system_id, sensor_id, reason ORDER BY hour) + interval '1 hour' AS goes_on
    FROM diagnostics_quarantine_hour) marked) numbered
GROUP BY system_id, sensor_id, reason, nth;

DROP TABLE diagnostics_quarantine_hour;

-- Readings of a sensor and reason by the moment that incidents go by.
CREATE INDEX diagnostics_quarantined_reading_event ON diagnostics_quarantined_reading (
  coalesce(sensor_id, '00000000-0000-0000-0000-000000000000'::uuid), reason, review_status,
  diagnostics_event_at(reason, "timestamp", quarantined_at) DESC, id DESC, system_id);

-- Texts are looked for by index or newest first, whichever reads less; one in a hundred is too coarse to tell.
ALTER TABLE diagnostics_quarantined_reading ALTER COLUMN reason_details SET STATISTICS 400;

-- The record of a million decisions is read from any day on.
CREATE INDEX diagnostics_audit_at ON diagnostics_audit (at DESC, id DESC);
