-- Moments that no list can show. A reading refused for its shape was kept with any time it claimed (the years 1 and
-- 9999 exist), and incidents and details, which go by that time, could not be written as RFC 3339 or looked around.
-- Such a time stays in `raw` only. The nil UUID, which stands for "no sensor" in the sums, names no sensor either.
UPDATE diagnostics_quarantined_reading SET "timestamp" = NULL
  WHERE "timestamp" < '1970-01-01Z' OR "timestamp" >= '2200-01-01Z';
UPDATE diagnostics_quarantined_reading SET sensor_id = NULL
  WHERE sensor_id = '00000000-0000-0000-0000-000000000000';
-- Nothing is left in these hours: the statements above moved it.
DELETE FROM diagnostics_quarantine_change WHERE hour < '1969-12-31Z' OR hour >= '2200-01-01Z';
DELETE FROM diagnostics_quarantine_hour WHERE hour < '1969-12-31Z' OR hour >= '2200-01-01Z';

-- What a decision has stored under a key: a later reading of the same decision may not replace it.
CREATE INDEX diagnostics_quarantined_reading_stored
  ON diagnostics_quarantined_reading (sensor_id, "timestamp") WHERE stored_by_job IS NOT NULL;
