-- Jobs whose batch was lost with Redis: failed at this moment, and open again should the batch turn up after all.
ALTER TABLE diagnostics_ingestion_job ADD COLUMN lost_at timestamptz;

-- What is still to be stored is held against Redis again and again; without it that reads every job there ever was.
CREATE INDEX diagnostics_ingestion_job_open ON diagnostics_ingestion_job (id)
  WHERE status IN ('queued', 'processing');
CREATE INDEX diagnostics_ingestion_job_lost ON diagnostics_ingestion_job (created_at DESC, id DESC)
  WHERE lost_at IS NOT NULL;
