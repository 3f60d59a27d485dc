/** How many stored readings of a sensor a range would have refused. */
import type { TimeRange } from "../../contract/query-range.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import type { Range } from "../../contract/units.ts";
import type { QueryOptions, RowReader } from "./reader.ts";

export interface RangePreviewAsked {
  readonly sensor_id: string;
  /** Canonical unit of the limits. */
  readonly unit: string;
  readonly limits: Range;
  readonly range: TimeRange;
}

export interface RangeCounts {
  readonly readings: number;
  readonly below: number;
  readonly above: number;
  /** Extremes of the stored values; null without readings. */
  readonly lowest: number | null;
  readonly highest: number | null;
}

export class RangePreviewQueries {
  constructor(private readonly reader: RowReader) {}

  /** Over the readings in the unit of the limits. Throws what `Reader.rows` throws. */
  async count(
    { sensor_id, unit, limits, range }: RangePreviewAsked,
    options?: QueryOptions,
  ): Promise<RangeCounts> {
    const rows = await this.reader.rows<RangeCounts>(
      {
        label: "preview of a range",
        text: `SELECT count(*) AS readings, count(*) FILTER (WHERE value < $5) AS below,
            count(*) FILTER (WHERE value > $6) AS above, min(value) AS lowest, max(value) AS highest
          FROM diagnostics_sensordata
          WHERE sensor_id = $1 AND "timestamp" >= $2 AND "timestamp" < $3 AND unit = $4`,
        values: [
          sensor_id,
          formatTimestamp(range.from_us),
          formatTimestamp(range.to_us),
          unit,
          limits.min,
          limits.max,
        ],
      },
      options,
    );
    return rows[0] ?? { readings: 0, below: 0, above: 0, lowest: null, highest: null };
  }
}
