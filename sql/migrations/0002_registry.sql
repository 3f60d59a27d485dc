-- Systems and sensors: what is measured, in which unit, within which limits.
ALTER TABLE diagnostics_system
  ADD COLUMN description text NOT NULL DEFAULT '',
  ADD COLUMN archived_at timestamptz,
  ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();

CREATE TABLE diagnostics_sensor (
  id uuid PRIMARY KEY,
  system_id uuid NOT NULL REFERENCES diagnostics_system (id),
  name text NOT NULL CHECK (name <> '' AND name = btrim(name)),
  quantity text NOT NULL,
  -- canonical unit, in which its readings are stored
  unit text NOT NULL,
  -- readings per second that a complete recording has; null: learnt from the data
  expected_rate_hz double precision CHECK (expected_rate_hz > 0 AND expected_rate_hz <= 1000000),
  -- null: registered by its first reading
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- workers look for what changed lately, so every change sets it
  updated_at timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz,
  UNIQUE (system_id, name)
);
CREATE INDEX diagnostics_sensor_updated ON diagnostics_sensor (updated_at);
CREATE INDEX diagnostics_system_updated ON diagnostics_system (updated_at);

-- A sensor's own limits, in place of its unit's. Never changed: a new version follows.
CREATE TABLE diagnostics_sensor_range (
  sensor_id uuid NOT NULL REFERENCES diagnostics_sensor (id),
  version integer NOT NULL CHECK (version > 0),
  -- both null: back to the unit's range
  min_value double precision,
  max_value double precision,
  -- batches received from then on are judged by it
  valid_from timestamptz NOT NULL,
  author uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sensor_id, version),
  CHECK ((min_value IS NULL) = (max_value IS NULL)),
  CHECK (min_value < max_value)
);

-- The sensor's own range that judged an out_of_range reading; null: the range of the unit.
ALTER TABLE diagnostics_quarantined_reading ADD COLUMN range_version integer;

-- Timestamps of the stored readings of a job: a producer's clock shows in created_at - newest_reading_at.
ALTER TABLE diagnostics_ingestion_job
  ADD COLUMN oldest_reading_at timestamptz,
  ADD COLUMN newest_reading_at timestamptz;

-- Jobs are listed newest first, with the id to tell apart those of one moment: all, of a user, of a system.
DROP INDEX diagnostics_ingestion_job_created;
CREATE INDEX diagnostics_ingestion_job_created ON diagnostics_ingestion_job (created_at DESC, id DESC);
CREATE INDEX diagnostics_ingestion_job_user ON diagnostics_ingestion_job (created_by, created_at DESC, id DESC);
CREATE INDEX diagnostics_ingestion_job_system ON diagnostics_ingestion_job (system_id, created_at DESC, id DESC);

-- Sensors that have readings already, as if their first reading came today.
INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit)
SELECT DISTINCT ON (sensor_id) sensor_id, system_id, 'sensor-' || replace(sensor_id::text, '-', ''),
  CASE unit WHEN 'bar' THEN 'pressure' WHEN 'celsius' THEN 'temperature' WHEN 'lpm' THEN 'volume flow'
    WHEN 'rpm' THEN 'rotational speed' WHEN 'W' THEN 'power' WHEN 'mm/s' THEN 'velocity' WHEN '%' THEN 'ratio'
    WHEN 'V' THEN 'voltage' WHEN 'A' THEN 'current' WHEN 'mm' THEN 'length' ELSE 'other' END,
  unit
FROM diagnostics_sensordata
ORDER BY sensor_id, "timestamp";
