/** Quarantined readings of a job, in the order of the batch. */
import type { RefusalReason } from "../contract/refusal.ts";
import type { Database } from "./pool.ts";

export interface QuarantinedReading {
  readonly ordinal: number;
  readonly sensor_id: string | null;
  readonly timestamp: Date | null;
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
    const [items, counts] = await Promise.all([
      this.database.run(
        "quarantine of job",
        (sql) => sql<QuarantinedReading[]>`
          SELECT ordinal, sensor_id, "timestamp", value, unit, quality, raw, reason, reason_details,
                 range_version
          FROM diagnostics_quarantined_reading WHERE job_id = ${job_id} AND ordinal > ${after}
          ORDER BY ordinal LIMIT ${limit}`,
      ),
      this.database.run(
        "quarantine counts of job",
        (sql) => sql<{ reason: RefusalReason; n: number }[]>`
          SELECT reason, count(*)::int AS n FROM diagnostics_quarantined_reading
          WHERE job_id = ${job_id} GROUP BY reason`,
      ),
    ]);
    const last = items.at(-1);
    return {
      items: [...items],
      next: last && items.length === limit ? last.ordinal : null,
      counts: Object.fromEntries(counts.map(({ reason, n }) => [reason, n])),
    };
  }
}
