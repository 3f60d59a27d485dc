/** Quarantined readings of a job, in the order of the batch. */
import type { RefusalReason } from "../contract/refusal.ts";
import type { Database } from "./pool.ts";

export interface QuarantinedReading {
  readonly ordinal: number;
  readonly sensor_id: string | null;
  /** RFC 3339 with all its microseconds. */
  readonly timestamp: string | null;
  readonly value: number | null;
  readonly unit: string | null;
  readonly quality: number | null;
  readonly raw: unknown;
  readonly reason: RefusalReason;
  readonly reason_details: string;
  /** Version of the sensor's own range that refused it; null when none did. */
  readonly range_version: number | null;
}

export interface QuarantinePage {
  readonly items: QuarantinedReading[];
  /** Pass as `after` for the next page; null at the end. */
  readonly next: number | null;
  readonly counts: Partial<Record<RefusalReason, number>>;
}

export class QuarantineStore {
  constructor(private readonly database: Database) {}

  /** @param after last ordinal seen, -1 for the first page. @throws {StoreUnavailableError} */
  async ofJob(job_id: string, after: number, limit: number): Promise<QuarantinePage> {
    const [found, counts] = await Promise.all([
      this.database.run(
        "quarantine of job",
        (sql) => sql<QuarantinedReading[]>`
          SELECT ordinal, sensor_id, to_char("timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp",
                 value, unit, quality, raw, reason, reason_details, range_version
          FROM diagnostics_quarantined_reading WHERE job_id = ${job_id} AND ordinal > ${after}
          ORDER BY ordinal LIMIT ${limit + 1}`,
      ),
      this.database.run(
        "quarantine counts of job",
        (sql) => sql<{ reason: RefusalReason; n: number }[]>`
          SELECT reason, count(*)::int AS n FROM diagnostics_quarantined_reading
          WHERE job_id = ${job_id} GROUP BY reason`,
      ),
    ]);
    const items = found.slice(0, limit);
    return {
      items,
      next: found.length > limit ? (items.at(-1)?.ordinal ?? null) : null,
      counts: Object.fromEntries(counts.map(({ reason, n }) => [reason, n])),
    };
  }
}
