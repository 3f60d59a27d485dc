-- How many webhooks and keys somebody has, counted one maker after another: two statements at once would each count what
-- the other has not committed yet. Every statement of a volatile function sees what was committed before it (PostgreSQL
-- documentation, section 38.7), so whoever had to wait for the row of the user counts what the one before has made.

CREATE FUNCTION diagnostics_webhooks_of(owner uuid) RETURNS bigint VOLATILE LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM diagnostics_user WHERE id = owner FOR NO KEY UPDATE;
  RETURN (SELECT count(*) FROM diagnostics_webhook WHERE created_by = owner);
END
$$;

-- Those that are neither revoked nor expired.
CREATE FUNCTION diagnostics_keys_in_use(owner uuid) RETURNS bigint VOLATILE LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM diagnostics_user WHERE id = owner FOR NO KEY UPDATE;
  RETURN (SELECT count(*) FROM diagnostics_api_key
    WHERE user_id = owner AND revoked_at IS NULL AND coalesce(expires_at, 'infinity') > clock_timestamp());
END
$$;
