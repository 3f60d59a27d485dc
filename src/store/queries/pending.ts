/** How many quarantined readings wait for a decision. */
import { CHANGED_TOTALS } from "./quarantine-count-sources.ts";
import type { QueryOptions, Reader } from "./reader.ts";

export class PendingQuery {
  constructor(private readonly reader: Reader) {}

  /** From the totals, not from the readings. Throws what `Reader.rows` throws. */
  async count(options?: QueryOptions): Promise<number> {
    const [row] = await this.reader.rows<{ pending: number }>(
      {
        label: "pending readings",
        text: `SELECT coalesce(sum(pending), 0)::bigint AS pending FROM (${CHANGED_TOTALS}) t`,
        values: [],
      },
      options,
    );
    return Math.max(0, row?.pending ?? 0);
  }
}
