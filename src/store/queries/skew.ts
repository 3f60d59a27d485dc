/** How long after their newest reading the batches of each producer arrived. */
import type { TimeRange } from "../../contract/query-range.ts";
import type { Reach } from "../../contract/reach.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import type { QueryOptions, Reader } from "./reader.ts";

export interface DelaySummary {
  readonly user_id: string;
  /** Null when the user is not known any more. */
  readonly username: string | null;
  readonly jobs: number;
  /** created_at - newest_reading_at of its jobs, ms; negative when the readings came from the future. */
  readonly min_delay_ms: number;
  readonly median_delay_ms: number;
  readonly p95_delay_ms: number;
}

export class SkewQueries {
  constructor(private readonly reader: Reader) {}

  /** Users with jobs in the range, those with the least delay first. Throws what `Reader.rows` throws. */
  async delays(
    range: TimeRange,
    reach: Reach,
    limit: number,
    options?: QueryOptions,
  ): Promise<DelaySummary[]> {
    return this.reader.rows<DelaySummary>(
      {
        label: "delay of producers",
        text: `SELECT d.created_by AS user_id, u.username, count(*) AS jobs, min(d.delay_ms) AS min_delay_ms,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY d.delay_ms) AS median_delay_ms,
            percentile_cont(0.95) WITHIN GROUP (ORDER BY d.delay_ms) AS p95_delay_ms
          FROM (SELECT created_by, extract(epoch FROM created_at - newest_reading_at)::float8 * 1000 AS delay_ms
            FROM diagnostics_ingestion_job
            WHERE created_at >= $1 AND created_at < $2 AND newest_reading_at IS NOT NULL
              AND ($4::uuid[] IS NULL OR system_id = ANY($4))) d
          LEFT JOIN diagnostics_user u ON u.id = d.created_by
          GROUP BY d.created_by, u.username ORDER BY min_delay_ms, user_id LIMIT $3`,
        values: [formatTimestamp(range.from_us), formatTimestamp(range.to_us), limit, reach],
      },
      options,
    );
  }
}
