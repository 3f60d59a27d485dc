/** Series for charts: the envelope (min, average, max) of the values of each bucket. */
import type { TimeRange } from "../../contract/query-range.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import type { QueryOptions, RowReader } from "./reader.ts";
import { type BodyRow, type Column, selectBody, type TableStyle, textOf } from "./table-text.ts";

/** Where the buckets are made from. */
export type SeriesSource = "raw" | "hourly";

export interface SeriesQuery {
  readonly system_id: string;
  /** In the order of the answer; no id twice. */
  readonly sensor_ids: readonly string[];
  /** Whole buckets. */
  readonly range: TimeRange;
  /** For the hourly source a multiple of an hour. */
  readonly bucket_ms: number;
  readonly source: SeriesSource;
}

export const SERIES_COLUMNS: readonly Column[] = [
  { name: "timestamp", kind: "time" },
  { name: "min", kind: "number" },
  { name: "avg", kind: "number" },
  { name: "max", kind: "number" },
  { name: "count", kind: "number" },
];
/** For styles in which the series of all sensors stand one after the other. */
export const SERIES_COLUMNS_WITH_SENSOR: readonly Column[] = [
  { name: "sensor_id", kind: "id" },
  ...SERIES_COLUMNS,
];

const BUCKET = `time_bucket(make_interval(secs => $4::float8 / 1000)`;

/** One index range a sensor; buckets without readings are absent. */
const RAW = `SELECT s.id AS sensor_id, s.n, p.* FROM unnest($1::uuid[]) WITH ORDINALITY s (id, n)
  CROSS JOIN LATERAL (
    SELECT ${BUCKET}, d."timestamp") AS "timestamp", min(d.value), avg(d.value), max(d.value), count(*)
    FROM diagnostics_sensordata d
    WHERE d.sensor_id = s.id AND d."timestamp" >= $2 AND d."timestamp" < $3 GROUP BY 1) p`;

/** Averages of hours count as much as they have readings. */
const HOURLY = `SELECT h.sensor_id, array_position($1::uuid[], h.sensor_id) AS n,
    ${BUCKET}, h.bucket) AS "timestamp", min(h.min_value) AS min,
    sum(h.avg_value * h.readings_count) / sum(h.readings_count) AS avg, max(h.max_value) AS max,
    sum(h.readings_count)::bigint AS count
  FROM diagnostics_sensordata_hourly h
  WHERE h.system_id = $5 AND h.sensor_id = ANY($1) AND h.bucket >= $2 AND h.bucket < $3 GROUP BY 1, 3`;

interface SensorRow extends BodyRow {
  readonly sensor_id: string;
}

export class SeriesQueries {
  constructor(private readonly reader: RowReader) {}

  /**
   * The text of each sensor's series by its id; a sensor without readings has none.
   * Throws what `Reader.rows` throws.
   */
  async bySensor(
    query: SeriesQuery,
    style: "rows" | "columns",
    options?: QueryOptions,
  ): Promise<Map<string, string>> {
    const text = `SELECT sensor_id, ${selectBody(SERIES_COLUMNS, style)}
      FROM (SELECT * FROM (${sourceOf(query)}) found ORDER BY n, "timestamp") series GROUP BY sensor_id`;
    const rows = await this.reader.rows<SensorRow>(statement(query, text), options);
    return new Map(rows.map((row) => [row.sensor_id, textOf(row, SERIES_COLUMNS, style)]));
  }

  /** All series, one after the other. Throws what `Reader.rows` throws. */
  async joined(query: SeriesQuery, style: "csv" | "lines", options?: QueryOptions): Promise<string> {
    const text = `SELECT ${selectBody(SERIES_COLUMNS_WITH_SENSOR, style)}
      FROM (SELECT * FROM (${sourceOf(query)}) found ORDER BY n, "timestamp") series`;
    const rows = await this.reader.rows<BodyRow>(statement(query, text), options);
    return textOf(rows[0], SERIES_COLUMNS_WITH_SENSOR, style);
  }
}

/** Text of a series without readings. */
export function emptySeries(style: TableStyle): string {
  return textOf(undefined, SERIES_COLUMNS, style);
}

const sourceOf = ({ source }: SeriesQuery) => (source === "raw" ? RAW : HOURLY);

function statement({ sensor_ids, range, bucket_ms, source, system_id }: SeriesQuery, text: string) {
  const values = [sensor_ids, formatTimestamp(range.from_us), formatTimestamp(range.to_us), bucket_ms];
  return {
    label: `series from ${source}`,
    text,
    values: source === "hourly" ? [...values, system_id] : values,
  };
}
