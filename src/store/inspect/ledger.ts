/** The ledger of jobs: what waits for long, and whether the counts of finished jobs are borne out by the tables. */
import type { Database } from "../pool.ts";

export interface LedgerFacts {
  /** Jobs accepted in the last 24 hours, by status. */
  readonly day: Readonly<Record<string, number>>;
  /** Accepted between 7 days and an hour ago and not finished. */
  readonly stuck: number;
  /** Lost with Redis in the last 7 days, and not stored since. */
  readonly lost: number;
  /** The newest of them. */
  readonly newest_lost: readonly string[];
  /** Newest finished jobs that were looked at. */
  readonly checked: number;
  /** Of these, jobs whose quarantined readings are not all in quarantine. */
  readonly wrong: readonly string[];
}

const CHECKED_JOBS = 1_000;
const NAMED = 5;

/** @throws {StoreUnavailableError} */
export function inspectLedger(database: Database): Promise<LedgerFacts> {
  return database.run("inspect ledger", async (sql) => {
    const day = await sql<{ status: string; jobs: number }[]>`
      SELECT status, count(*)::float8 AS jobs FROM diagnostics_ingestion_job
      WHERE created_at > now() - interval '24 hours' GROUP BY 1 ORDER BY 1`;
    const [stuck] = await sql<{ jobs: number }[]>`
      SELECT count(*)::float8 AS jobs FROM diagnostics_ingestion_job
      WHERE created_at > now() - interval '7 days' AND created_at < now() - interval '1 hour'
        AND status IN ('queued', 'processing')`;
    const lost = await sql<{ id: string; jobs: number }[]>`
      SELECT id, (count(*) OVER ())::float8 AS jobs FROM diagnostics_ingestion_job
      WHERE lost_at > now() - interval '7 days' ORDER BY created_at DESC, id DESC LIMIT ${NAMED}`;
    const checked = await sql<{ id: string; right: boolean }[]>`
      SELECT id, quarantined_readings =
        (SELECT count(*) FROM diagnostics_quarantined_reading q WHERE q.job_id = job.id) AS right
      FROM (SELECT id, quarantined_readings, status FROM diagnostics_ingestion_job
        ORDER BY created_at DESC, id DESC LIMIT ${CHECKED_JOBS}) job
      WHERE status = 'completed'`;
    return {
      day: Object.fromEntries(day.map(({ status, jobs }) => [status, jobs])),
      stuck: stuck?.jobs ?? 0,
      lost: lost[0]?.jobs ?? 0,
      newest_lost: lost.map(({ id }) => id),
      checked: checked.length,
      wrong: checked
        .filter((job) => !job.right)
        .slice(0, NAMED)
        .map(({ id }) => id),
    };
  });
}
