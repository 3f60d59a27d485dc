/** How many quarantined readings wait for a decision. */
import type { Reach } from "../../contract/reach.ts";
import { Conditions } from "./conditions.ts";
import { CHANGED_TOTALS } from "./quarantine-totals.ts";
import type { QueryOptions, Reader } from "./reader.ts";

export class PendingQuery {
  constructor(private readonly reader: Reader) {}

  /** From the totals, not from the readings. Throws what `Reader.rows` throws. */
  async count(reach: Reach, options?: QueryOptions): Promise<number> {
    const where = new Conditions([]).add(reach, (p) => `system_id = ANY(${p}::uuid[])`);
    const [row] = await this.reader.rows<{ pending: number }>(
      {
        label: "pending readings",
        text: `SELECT coalesce(sum(pending), 0)::bigint AS pending FROM (${CHANGED_TOTALS}) t ${where.text}`,
        values: where.values,
      },
      options,
    );
    return Math.max(0, row?.pending ?? 0);
  }
}
