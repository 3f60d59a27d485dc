/** Rows of the hourly aggregate, in the order of sensor and hour. */
import type { TimeRange } from "../../contract/query-range.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import type { QueryOptions, RowReader } from "./reader.ts";
import { type BodyRow, type Column, selectBody, type TableStyle, textOf } from "./table-text.ts";

export interface HourlyKey {
  readonly sensor_id: string;
  /** RFC 3339. */
  readonly bucket: string;
}

export interface HourlyPage {
  readonly system_id: string;
  /** Null: all sensors of the system. */
  readonly sensor_ids: readonly string[] | null;
  /** Whole hours. */
  readonly range: TimeRange;
  readonly limit: number;
  /** Last row seen. */
  readonly after: HourlyKey | null;
}

export interface HourlyText {
  readonly body: string;
  readonly count: number;
  readonly last: HourlyKey | null;
}

export const HOURLY_COLUMNS: readonly Column[] = [
  { name: "bucket", kind: "time" },
  { name: "sensor_id", kind: "id" },
  { name: "readings_count", kind: "number" },
  { name: "avg_value", kind: "number" },
  { name: "min_value", kind: "number" },
  { name: "max_value", kind: "number" },
  { name: "stddev_value", kind: "number", nullable: true },
  { name: "last_value", kind: "number" },
];

interface PageRow extends BodyRow {
  readonly n: number;
  readonly last_sensor: string | null;
  readonly last_bucket: string | null;
}

export class HourlyQueries {
  constructor(private readonly reader: RowReader) {}

  /** Throws what `Reader.rows` throws. */
  async page(page: HourlyPage, style: TableStyle, options?: QueryOptions): Promise<HourlyText> {
    const { system_id, sensor_ids, range, after } = page;
    const rows = await this.reader.rows<PageRow>(
      {
        label: "hourly aggregate",
        text: `SELECT count(*) AS n, (array_agg(sensor_id))[count(*)] AS last_sensor,
            (array_agg(bucket))[count(*)] AS last_bucket, ${selectBody(HOURLY_COLUMNS, style)}
          FROM (SELECT * FROM diagnostics_sensordata_hourly
            WHERE system_id = $1 AND bucket >= $2 AND bucket < $3
              AND ($4::uuid[] IS NULL OR sensor_id = ANY($4))
              AND ($5::uuid IS NULL OR sensor_id > $5 OR (sensor_id = $5 AND bucket > $6::timestamptz))
            ORDER BY sensor_id, bucket LIMIT $7) page`,
        values: [
          system_id,
          formatTimestamp(range.from_us),
          formatTimestamp(range.to_us),
          sensor_ids,
          after?.sensor_id ?? null,
          after?.bucket ?? null,
          page.limit,
        ],
      },
      options,
    );
    const row = rows[0];
    const last =
      row?.last_sensor && row.last_bucket ? { sensor_id: row.last_sensor, bucket: row.last_bucket } : null;
    return { body: textOf(row, HOURLY_COLUMNS, style), count: row?.n ?? 0, last };
  }

  /** Readings of these sensors in the range, by the aggregate. Throws what `Reader.rows` throws. */
  async count(
    system_id: string,
    sensor_ids: readonly string[],
    range: TimeRange,
    options?: QueryOptions,
  ): Promise<number> {
    const rows = await this.reader.rows<{ n: number }>(
      {
        label: "readings in a range",
        text: `SELECT coalesce(sum(readings_count), 0)::bigint AS n FROM diagnostics_sensordata_hourly
          WHERE system_id = $1 AND sensor_id = ANY($2::uuid[]) AND bucket >= $3 AND bucket < $4`,
        values: [system_id, sensor_ids, formatTimestamp(range.from_us), formatTimestamp(range.to_us)],
      },
      options,
    );
    return rows[0]?.n ?? 0;
  }
}
