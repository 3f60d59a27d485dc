/** What is needed to tell how complete recordings are: readings per hour, and the holes between them. */
import type { TimeRange } from "../../contract/query-range.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import type { QueryOptions, RowReader } from "./reader.ts";

/** Readings of a sensor in one hour. */
export interface HourCount {
  readonly sensor_id: string;
  /** Begin of the hour, RFC 3339. */
  readonly hour: string;
  readonly readings: number;
}

/** A hole in the readings of a sensor. */
export interface Gap {
  /** The last reading before the hole, or the edge of the range, RFC 3339. */
  readonly from: string;
  /** The first reading after it, or the edge of the range. */
  readonly to: string;
  readonly seconds: number;
}

export interface GapQuery {
  readonly sensor_id: string;
  readonly range: TimeRange;
  readonly min_gap_s: number;
  readonly limit: number;
}

export class CompletenessQueries {
  constructor(private readonly reader: RowReader) {}

  /** Hours with readings, by sensor and hour. Throws what `Reader.rows` throws. */
  async hours(
    system_id: string,
    sensor_ids: readonly string[],
    range: TimeRange,
    options?: QueryOptions,
  ): Promise<HourCount[]> {
    return this.reader.rows<HourCount>(
      {
        label: "readings per hour",
        text: `SELECT sensor_id, bucket AS hour, readings_count AS readings FROM diagnostics_sensordata_hourly
          WHERE system_id = $1 AND sensor_id = ANY($2::uuid[]) AND bucket >= $3 AND bucket < $4
          ORDER BY sensor_id, bucket`,
        values: [system_id, sensor_ids, formatTimestamp(range.from_us), formatTimestamp(range.to_us)],
      },
      options,
    );
  }

  /**
   * Gaps of at least `min_gap_s`, in order of time; before the first reading and after the last one, the edge of the
   * range counts as a reading. Throws what `Reader.rows` throws.
   */
  async gaps({ sensor_id, range, min_gap_s, limit }: GapQuery, options?: QueryOptions): Promise<Gap[]> {
    return this.reader.rows<Gap>(
      {
        label: "gaps of a sensor",
        text: `WITH stamps AS NOT MATERIALIZED (
            SELECT "timestamp" AS at FROM diagnostics_sensordata
            WHERE sensor_id = $1 AND "timestamp" >= $2 AND "timestamp" < $3
          ), holes AS (
            SELECT at AS "from", lead(at, 1, $3::timestamptz) OVER (ORDER BY at) AS "to" FROM stamps
            UNION ALL
            SELECT $2::timestamptz, coalesce((SELECT at FROM stamps ORDER BY at LIMIT 1), $3::timestamptz)
          )
          SELECT "from", "to", extract(epoch FROM "to" - "from")::float8 AS seconds FROM holes
          WHERE "to" - "from" >= make_interval(secs => $4::float8) AND "to" > "from" ORDER BY "from", "to" LIMIT $5`,
        values: [sensor_id, formatTimestamp(range.from_us), formatTimestamp(range.to_us), min_gap_s, limit],
      },
      options,
    );
  }
}
