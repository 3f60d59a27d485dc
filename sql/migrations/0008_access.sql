-- Who may: systems of accounts, identities of an outside provider, API keys, tokens that were ended before their time.

ALTER TABLE diagnostics_user
  -- null: every system
  ADD COLUMN systems uuid[] CHECK (cardinality(systems) > 0),
  -- tokens of an earlier version are refused
  ADD COLUMN token_version integer NOT NULL DEFAULT 0,
  -- of an outside identity: its provider, and what it calls the person; role is then what its newest token said
  ADD COLUMN issuer text,
  ADD COLUMN subject text,
  -- API processes look for what changed lately
  ADD COLUMN changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ALTER COLUMN password_hash DROP NOT NULL,
  ADD CHECK ((issuer IS NULL) = (subject IS NULL)),
  ADD CHECK ((issuer IS NULL) = (password_hash IS NOT NULL));
CREATE INDEX diagnostics_user_changed ON diagnostics_user (changed_at);

-- By trigger, so that a change by hand counts as one of the service does.
CREATE FUNCTION diagnostics_user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_at := clock_timestamp();
  IF NEW.role <> OLD.role OR NEW.active <> OLD.active OR NEW.password_hash IS DISTINCT FROM OLD.password_hash THEN
    NEW.token_version := greatest(NEW.token_version, OLD.token_version + 1);
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER diagnostics_user_changed BEFORE UPDATE ON diagnostics_user
  FOR EACH ROW EXECUTE FUNCTION diagnostics_user_changed();

-- Secrets of devices and programs. A key acts for its owner: never with more rights, often with fewer.
CREATE TABLE diagnostics_api_key (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES diagnostics_user (id),
  name text NOT NULL CHECK (name <> ''),
  -- how the key begins; shown to tell keys apart
  prefix text NOT NULL UNIQUE,
  -- SHA-256 of the whole key, which is random: nothing slower is needed
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  scopes text[] NOT NULL CHECK (scopes <@ '{ingest,read,write}' AND cardinality(scopes) > 0),
  -- null: every system of the owner
  systems uuid[] CHECK (cardinality(systems) > 0),
  -- null: the limit of the configuration
  requests_per_minute bigint CHECK (requests_per_minute > 0),
  readings_per_minute bigint CHECK (readings_per_minute > 0),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_by uuid NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_by uuid,
  -- written in bulk, some seconds later
  last_used_at timestamptz,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX diagnostics_api_key_user ON diagnostics_api_key (user_id, id DESC);
CREATE INDEX diagnostics_api_key_changed ON diagnostics_api_key (changed_at);

CREATE FUNCTION diagnostics_api_key_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_at := clock_timestamp();
  RETURN NEW;
END
$$;
-- Not by last_used_at: its writes must not look like changes.
CREATE TRIGGER diagnostics_api_key_changed
  BEFORE UPDATE OF user_id, name, hash, scopes, systems, requests_per_minute, readings_per_minute, expires_at, revoked_at
  ON diagnostics_api_key FOR EACH ROW EXECUTE FUNCTION diagnostics_api_key_changed();

-- Tokens that somebody logged out, until they would have expired anyway.
CREATE TABLE diagnostics_ended_token (
  -- SHA-256 of what its signature covers, base64url
  id text PRIMARY KEY,
  user_id uuid NOT NULL,
  ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX diagnostics_ended_token_ended ON diagnostics_ended_token (ended_at);

-- Systems that a decision is about at most; null: any. It holds also when the actor's own systems change.
ALTER TABLE diagnostics_review_task ADD COLUMN systems uuid[];

-- System that an entry concerns; null: none, or several. Those who are limited to systems see the entries of these.
ALTER TABLE diagnostics_audit ADD COLUMN system_id uuid;
-- The program knows what entries are about (SUBJECT_TYPES); a list here would change with each part of it.
ALTER TABLE diagnostics_audit DROP CONSTRAINT diagnostics_audit_subject_type_check;
ALTER TABLE diagnostics_audit ADD CHECK (subject_type ~ '^[a-z_]{1,40}$');
