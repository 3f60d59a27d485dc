-- Tables of the platform that this service joins; its SQL must keep working, so names and columns are given.
-- hydraulic.chunk_interval_days is set by the migrator from CHUNK_INTERVAL_DAYS.
CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE TABLE diagnostics_user (
  id uuid PRIMARY KEY,
  username text NOT NULL UNIQUE CHECK (username <> '' AND username = btrim(username)),
  password_hash text NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'engineer', 'reviewer', 'producer')),
  -- null: the limit of the configuration
  requests_per_minute bigint CHECK (requests_per_minute > 0),
  readings_per_minute bigint CHECK (readings_per_minute > 0),
  active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE diagnostics_system (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (name <> ''),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- 8-byte columns first: no padding between them.
CREATE TABLE diagnostics_sensordata (
  "timestamp" timestamptz NOT NULL,
  value double precision NOT NULL,
  sensor_id uuid NOT NULL,
  system_id uuid NOT NULL,
  quality real NOT NULL,
  unit text NOT NULL
);
SELECT create_hypertable(
  'diagnostics_sensordata',
  by_range('timestamp', make_interval(days => current_setting('hydraulic.chunk_interval_days')::int)),
  create_default_indexes => false
);
CREATE UNIQUE INDEX diagnostics_sensordata_sensor_time ON diagnostics_sensordata (sensor_id, "timestamp" DESC);

CREATE TABLE diagnostics_ingestion_job (
  id uuid PRIMARY KEY,
  status text NOT NULL CHECK (status IN ('queued', 'processing', 'completed', 'failed')),
  total_readings integer NOT NULL CHECK (total_readings >= 0),
  inserted_readings integer NOT NULL DEFAULT 0,
  duplicate_readings integer NOT NULL DEFAULT 0,
  quarantined_readings integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  completed_at timestamptz,
  processing_time_ms double precision GENERATED ALWAYS AS
    (extract(epoch FROM completed_at - started_at)::double precision * 1000) STORED,
  error_message text,
  system_id uuid NOT NULL,
  created_by uuid NOT NULL,
  -- thread and stream entry that finished the job
  worker text,
  stream_entry text,
  -- Every reading of a completed job is accounted for.
  CONSTRAINT diagnostics_ingestion_job_ledger CHECK (
    status <> 'completed' OR total_readings = inserted_readings + duplicate_readings + quarantined_readings
  )
);
CREATE INDEX diagnostics_ingestion_job_created ON diagnostics_ingestion_job (created_at DESC);

CREATE TABLE diagnostics_quarantined_reading (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id uuid NOT NULL,
  -- position of the reading in its batch, from 0
  ordinal integer NOT NULL,
  system_id uuid NOT NULL,
  sensor_id uuid,
  "timestamp" timestamptz,
  value double precision,
  unit text,
  quality real,
  -- as sent; json, not jsonb: jsonb refuses \u0000 and rounds numbers
  raw json NOT NULL,
  reason text NOT NULL CHECK (reason IN
    ('parse_error', 'invalid_timestamp', 'out_of_range', 'invalid_unit', 'duplicate', 'system_not_found')),
  reason_details text NOT NULL,
  review_status text NOT NULL DEFAULT 'pending' CHECK (review_status IN ('pending', 'approved', 'rejected', 'fixed')),
  reviewed_by uuid,
  reviewed_at timestamptz,
  review_notes text,
  quarantined_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (job_id, ordinal)
);
CREATE INDEX diagnostics_quarantined_reading_time ON diagnostics_quarantined_reading (quarantined_at DESC);

-- Hours of a system whose aggregate must be computed again. A log: no unique constraint, so writers never meet.
CREATE TABLE diagnostics_dirty_hour (
  system_id uuid NOT NULL,
  hour timestamptz NOT NULL
);
