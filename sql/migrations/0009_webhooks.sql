-- Webhooks: who is told of what, and the outbox of what is to be told.

CREATE TABLE diagnostics_webhook (
  id uuid PRIMARY KEY,
  -- it tells what this user may know, as long as the user is active
  created_by uuid NOT NULL,
  url text NOT NULL,
  description text NOT NULL DEFAULT '',
  events text[] NOT NULL CHECK (cardinality(events) > 0),
  -- own: about the batches of its user; all: about everybody's
  scope text NOT NULL CHECK (scope IN ('own', 'all')),
  -- null while it is told
  disabled_at timestamptz,
  disabled_reason text CHECK (disabled_reason IN ('user', 'owner', 'gone', 'failing')),
  secret text NOT NULL,
  -- signs as well until then
  previous_secret text,
  previous_secret_until timestamptz,
  -- so many deliveries wait that nothing is noted since; null: there is room
  overflow_since timestamptz,
  -- the receiver asked for a pause
  paused_until timestamptz,
  -- first failure after the last success; null while it works
  failing_since timestamptz,
  last_failure_at timestamptz,
  last_success_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
  CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL))
);
CREATE INDEX diagnostics_webhook_user ON diagnostics_webhook (created_by, id);

-- What was told and what is to be told. Written in the transaction that ends the job or judges the alert, so without
-- a foreign key: a webhook that is deleted meanwhile must not fail a batch. Rows that are left over go later.
CREATE TABLE diagnostics_webhook_delivery (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  webhook_id uuid NOT NULL,
  -- the same for each attempt
  message_id uuid NOT NULL DEFAULT gen_random_uuid(),
  event text NOT NULL,
  -- job or alert
  subject_id text NOT NULL,
  -- what it is about, as it was then
  snapshot json NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- attempts are counted and given up from here on
  due_since timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempts integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  -- the newest attempts, oldest first
  history json NOT NULL DEFAULT '[]',
  CHECK ((state = 'pending') = (ended_at IS NULL))
);
CREATE INDEX diagnostics_webhook_delivery_due ON diagnostics_webhook_delivery (webhook_id, next_attempt_at, id)
  WHERE state = 'pending';
CREATE INDEX diagnostics_webhook_delivery_log ON diagnostics_webhook_delivery (webhook_id, id DESC);

-- The program knows what entries of the record are about; a list here would change with each part of it.
ALTER TABLE diagnostics_audit DROP CONSTRAINT IF EXISTS diagnostics_audit_subject_type_check;
ALTER TABLE diagnostics_audit ADD CONSTRAINT diagnostics_audit_subject_type_check
  CHECK (subject_type ~ '^[a-z_]{1,40}$');
