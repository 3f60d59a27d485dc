-- Runs with programs since 0013
-- Limits of quarantine that one system has of its own; null: those of the service. Its row stays when it has none left.
CREATE TABLE diagnostics_alert_limit (
  system_id uuid PRIMARY KEY REFERENCES diagnostics_system (id),
  share double precision CHECK (share BETWEEN 0 AND 1),
  window_s integer CHECK (window_s > 0),
  min_readings bigint CHECK (min_readings > 0),
  -- the user who set them last
  author uuid NOT NULL,
  updated_at timestamptz NOT NULL
);

ALTER TABLE diagnostics_quarantine_alert
  -- what it was judged by, as share_limit and window_s; null: by a program before this
  ADD COLUMN min_readings bigint,
  -- open, but the share is back: when it has been so for a while, the alert is resolved
  ADD COLUMN back_since timestamptz,
  -- who saw to it last, and what they say
  ADD COLUMN acknowledged_at timestamptz,
  ADD COLUMN acknowledged_by text,
  ADD COLUMN acknowledged_note text;
