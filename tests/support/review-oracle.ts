/** What must hold of reviews whatever was decided, by whom, and what died meanwhile; asked of the tables themselves. */

/** A client of postgres.js, whatever it makes of types. */
interface Asking {
  unsafe(text: string): PromiseLike<readonly unknown[]>;
}

const NOT_STORED = "an approved or fixed reading is not stored, and nothing took its place";
const NOT_ALL = "stored readings are not those that jobs inserted, less those that decisions took out";

/** Each finds what is wrong: a row for each case, none when all is right. */
const CHECKS: Readonly<Record<string, string>> = {
  "a job's counters do not add up": `SELECT id FROM diagnostics_ingestion_job
    WHERE status = 'completed' AND total_readings <> inserted_readings + duplicate_readings + quarantined_readings`,
  "the job of a review does not say what the record says": `SELECT j.id, j.inserted_readings, j.duplicate_readings, r.*
    FROM diagnostics_ingestion_job j LEFT JOIN LATERAL (
      SELECT count(*) FILTER (WHERE a.after ->> 'outcome' IN ('store', 'replace', 'restore')) AS inserted,
        count(*) FILTER (WHERE a.after ->> 'outcome' = 'identical') AS duplicate
      FROM diagnostics_audit a WHERE a.subject_type = 'reading' AND a.task_id = j.review_task_id
        AND (a.after ->> 'job_id')::uuid = j.id) r ON true
    WHERE j.review_task_id IS NOT NULL AND (j.inserted_readings, j.duplicate_readings, j.quarantined_readings)
      IS DISTINCT FROM (r.inserted, r.duplicate, 0)`,
  "a task does not say what the record says": `SELECT t.id, t.action, t.stored, t.identical, t.replaced, t.changed, t.withdrawn, t.restored, r.*
    FROM diagnostics_review_task t LEFT JOIN LATERAL (
      SELECT count(*) FILTER (WHERE o = 'store') AS s, count(*) FILTER (WHERE o = 'identical') AS i,
        count(*) FILTER (WHERE o = 'replace') AS r,
        count(*) FILTER (WHERE o IN ('keep', 'reject', 'reopen', 'withdraw', 'restore')) AS c,
        count(*) FILTER (WHERE o IN ('withdraw', 'restore')) AS w, count(*) FILTER (WHERE o = 'restore') AS b
      FROM (SELECT a.after ->> 'outcome' AS o FROM diagnostics_audit a
        WHERE a.subject_type = 'reading' AND a.task_id = t.id) l) r ON true
    WHERE (t.stored, t.identical, t.replaced, t.changed, t.withdrawn, t.restored) IS DISTINCT FROM (r.s, r.i, r.r, r.c, r.w, r.b)
      OR t.done <> t.stored + t.identical + t.replaced + t.changed
        + (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(t.failing))`,
  "a reading was decided on twice by one task": `SELECT subject_id, task_id FROM diagnostics_audit
    WHERE subject_type = 'reading' GROUP BY 1, 2 HAVING count(*) > 1`,
  "a step of the record does not begin where the one before ended": `SELECT subject_id, id, before_status, last_status FROM (
      SELECT subject_id, id, before ->> 'review_status' AS before_status, coalesce(lag(after ->> 'review_status')
        OVER (PARTITION BY subject_id ORDER BY id), 'pending') AS last_status
      FROM diagnostics_audit WHERE subject_type = 'reading' AND before::text NOT LIKE '%\\u0000%') s
    WHERE before_status <> last_status`,
  "a reading is not what its record says": `SELECT q.id, q.review_status, q.review_task_id, a.*
    FROM diagnostics_quarantined_reading q LEFT JOIN LATERAL (
      SELECT a.task_id, a.after ->> 'review_status' AS status, a.after ->> 'job_id' AS job_id FROM diagnostics_audit a
      WHERE a.subject_type = 'reading' AND a.subject_id = q.id::text ORDER BY a.id DESC LIMIT 1) a ON true
    WHERE (q.review_status, q.review_task_id) IS DISTINCT FROM (coalesce(a.status, 'pending'), a.task_id)
      OR (q.review_status IN ('approved', 'fixed') AND q.stored_by_job::text IS DISTINCT FROM a.job_id)
      OR (q.review_status NOT IN ('approved', 'fixed') AND q.stored_by_job IS NOT NULL)`,
  "what is stored and what is decided on are not the same readings": `SELECT q.id, h.reading_id FROM
      (SELECT * FROM diagnostics_quarantined_reading WHERE review_status IN ('approved', 'fixed')) q
      FULL JOIN diagnostics_review_holding h ON h.reading_id = q.id AND h.task_id = q.review_task_id
    WHERE q.id IS NULL OR h.reading_id IS NULL`,
  [NOT_STORED]: `SELECT h.reading_id, h.value, h.unit, d.value AS is
    FROM diagnostics_review_holding h LEFT JOIN diagnostics_sensordata d
      ON d.sensor_id = h.sensor_id AND d."timestamp" = h."timestamp"
    WHERE (d.value, d.unit) IS DISTINCT FROM (h.value, h.unit) AND NOT EXISTS (SELECT FROM diagnostics_review_holding o
      WHERE o.sensor_id = h.sensor_id AND o."timestamp" = h."timestamp" AND o.depth > h.depth)`,
  "readings that share a depth have different values": `SELECT sensor_id, "timestamp", depth FROM diagnostics_review_holding
    GROUP BY 1, 2, 3 HAVING count(DISTINCT (value, unit, own)) > 1`,
  [NOT_ALL]: `SELECT * FROM (
      SELECT (SELECT count(*) FROM diagnostics_sensordata) AS stored,
        (SELECT coalesce(sum(inserted_readings), 0) FROM diagnostics_ingestion_job) AS inserted,
        (SELECT coalesce(sum(replaced + withdrawn), 0) FROM diagnostics_review_task) AS taken) s
    WHERE stored <> inserted - taken`,
  "the hourly aggregate is not that of the readings": `SELECT * FROM (
      SELECT sensor_id, time_bucket('1 hour', "timestamp") AS bucket, count(*) AS n, max(value) AS m
      FROM diagnostics_sensordata GROUP BY 1, 2) d
      FULL JOIN diagnostics_sensordata_hourly h ON h.sensor_id = d.sensor_id AND h.bucket = d.bucket
    WHERE d.n IS DISTINCT FROM h.readings_count OR d.m IS DISTINCT FROM h.max_value`,
  "the upkept totals are not those of the rows": `SELECT * FROM (
      SELECT system_id, coalesce(sensor_id, '00000000-0000-0000-0000-000000000000') AS sensor_id, reason,
        count(*) FILTER (WHERE review_status = 'pending') AS p, count(*) FILTER (WHERE review_status = 'approved') AS a,
        count(*) FILTER (WHERE review_status = 'rejected') AS r, count(*) FILTER (WHERE review_status = 'fixed') AS f
      FROM diagnostics_quarantined_reading GROUP BY 1, 2, 3) q
      FULL JOIN (SELECT system_id, sensor_id, reason, sum(pending) AS p, sum(approved) AS a, sum(rejected) AS r, sum(fixed) AS f
        FROM (SELECT system_id, sensor_id, reason, pending, approved, rejected, fixed FROM diagnostics_quarantine_total
          UNION ALL SELECT system_id, sensor_id, reason, pending, approved, rejected, fixed FROM diagnostics_quarantine_change) c
        GROUP BY 1, 2, 3) k USING (system_id, sensor_id, reason)
    WHERE (q.p, q.a, q.r, q.f) IS DISTINCT FROM (k.p, k.a, k.r, k.f)`,
};

export interface Wrong {
  readonly what: string;
  readonly cases: readonly unknown[];
}

/** What is true of all readings, and where chunks are dropped of those from a moment on, RFC 3339. */
const UNLESS_DROPPED: Readonly<Record<string, (kept_from: string) => string | null>> = {
  [NOT_STORED]: (kept_from) => `${CHECKS[NOT_STORED]} AND h."timestamp" >= '${kept_from}'`,
  // `verify` knows of dropped chunks.
  [NOT_ALL]: () => null,
};

/**
 * At a moment when nobody decides and nothing is ingested.
 * @param kept_from chunks of before may have been dropped, RFC 3339; null: none was
 */
export async function wrongReviews(sql: Asking, kept_from: string | null = null): Promise<Wrong[]> {
  const found: Wrong[] = [];
  for (const [what, always] of Object.entries(CHECKS)) {
    const other = UNLESS_DROPPED[what];
    const text = kept_from !== null && other ? other(kept_from) : always;
    if (text === null) continue;
    const cases = await sql.unsafe(`${text} LIMIT 5`);
    if (cases.length > 0) found.push({ what, cases: [...cases] });
  }
  return found;
}
