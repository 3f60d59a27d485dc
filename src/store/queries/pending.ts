/** How many quarantined readings wait for a decision. */
import type { QueryOptions, Reader } from "./reader.ts";

export class PendingQuery {
  constructor(private readonly reader: Reader) {}

  /** From the counts by hour, not from the readings. Throws what `Reader.rows` throws. */
  async count(options?: QueryOptions): Promise<number> {
    const [row] = await this.reader.rows<{ pending: number }>(
      {
        label: "pending readings",
        text: `SELECT coalesce(sum(pending), 0)::bigint AS pending FROM (
            SELECT pending FROM diagnostics_quarantine_hour
            UNION ALL SELECT pending FROM diagnostics_quarantine_change) p`,
        values: [],
      },
      options,
    );
    return Math.max(0, row?.pending ?? 0);
  }
}
