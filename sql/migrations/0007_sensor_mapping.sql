-- Which sensor a reading is of that names it instead of giving its id.

-- Stands for the state of a system's mappings; null: it never had one. Every change of a mapping sets it.
ALTER TABLE diagnostics_system ADD COLUMN mapped_at timestamptz;

CREATE TABLE diagnostics_sensor_mapping (
  -- follows from the system and from what is mapped, so there is one mapping of it
  id uuid PRIMARY KEY,
  system_id uuid NOT NULL REFERENCES diagnostics_system (id),
  -- a name that readings carry …
  name text,
  -- … or a measurement and a field of line protocol, with the tags that a line must have
  measurement text,
  field text,
  tags jsonb,
  -- what is mapped as one text: for lists
  label text NOT NULL,
  sensor_id uuid NOT NULL REFERENCES diagnostics_sensor (id),
  -- of values that come without one; null: the sensor's
  unit text,
  -- the user who set it last
  author uuid NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK (num_nulls(measurement, field, tags) = CASE WHEN name IS NULL THEN 0 ELSE 3 END)
);
CREATE INDEX diagnostics_sensor_mapping_system ON diagnostics_sensor_mapping (system_id, label, id);
CREATE INDEX diagnostics_sensor_mapping_sensor ON diagnostics_sensor_mapping (sensor_id);

-- The record is about more kinds of things than it was; which they are is the program's to say.
ALTER TABLE diagnostics_audit DROP CONSTRAINT IF EXISTS diagnostics_audit_subject_type_check;
ALTER TABLE diagnostics_audit ADD CONSTRAINT diagnostics_audit_subject_type_check
  CHECK (subject_type ~ '^[a-z_]{1,40}$');
