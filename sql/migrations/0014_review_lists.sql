-- Runs with programs since 0013
-- Text within reasons is looked for in any case, whatever its script. A server with a locale of Unicode does it by
-- itself, and its index of trigrams knows such text. One with the locale C folds the letters of ASCII alone, and its index
-- answers any other text with all readings there are; a collation that knows letters looks at them one by one instead.
DO $do$
DECLARE
  knows text;
  body text;
BEGIN
  IF lower('Ä') = 'ä' THEN
    body := 'details ILIKE pattern';
  ELSE
    -- pg_c_utf8 comes with PostgreSQL 17 and is four times as fast; the other one with builds that have ICU.
    SELECT collname INTO knows FROM pg_collation
    WHERE collnamespace = 'pg_catalog'::regnamespace AND collname IN ('pg_c_utf8', 'und-x-icu')
      AND collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))
    ORDER BY collname LIMIT 1;
    body := CASE WHEN knows IS NULL THEN 'details ILIKE pattern'
      ELSE format('lower(details COLLATE pg_catalog.%1$I) LIKE lower(pattern COLLATE pg_catalog.%1$I)', knows) END;
  END IF;
  EXECUTE format('CREATE FUNCTION diagnostics_text_like(details text, pattern text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %s', body);
END
$do$;

-- Who is limited to systems reads the record of these alone; entries of others are passed over no more.
CREATE INDEX diagnostics_audit_system ON diagnostics_audit (system_id, id DESC) WHERE system_id IS NOT NULL;
