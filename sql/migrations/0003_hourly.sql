-- The hourly aggregate of the Apache edition. Community keeps a continuous aggregate instead; the reconcile step
-- makes the view diagnostics_sensordata_hourly over the one or the other.
CREATE TABLE diagnostics_rollup_hour (
  sensor_id uuid NOT NULL,
  bucket timestamptz NOT NULL,
  system_id uuid NOT NULL,
  readings_count bigint NOT NULL,
  avg_value double precision NOT NULL,
  min_value double precision NOT NULL,
  max_value double precision NOT NULL,
  stddev_value double precision,
  last_value double precision NOT NULL,
  PRIMARY KEY (sensor_id, bucket)
);
CREATE INDEX diagnostics_rollup_hour_system ON diagnostics_rollup_hour (system_id, bucket DESC);

-- The view asks which hours are dirty; the maintainer takes them in order of age.
CREATE INDEX diagnostics_dirty_hour_key ON diagnostics_dirty_hour (system_id, hour);
