/** The latest reading of each sensor of a system. */
import { formatTimestamp } from "../../contract/timestamp.ts";
import type { QueryOptions, RowReader } from "./reader.ts";
import { type BodyRow, type Column, selectBody, type TableStyle, textOf } from "./table-text.ts";

export interface LatestPage {
  readonly system_id: string;
  /** Readings before it are not looked for, µs since the epoch. */
  readonly since_us: number;
  readonly limit: number;
  /** Name of the last sensor seen. */
  readonly after: string | null;
}

export interface LatestText {
  readonly body: string;
  readonly count: number;
  readonly last_name: string | null;
}

export const LATEST_COLUMNS: readonly Column[] = [
  { name: "sensor_id", kind: "id" },
  { name: "name", kind: "text" },
  { name: "quantity", kind: "text" },
  { name: "unit", kind: "text" },
  { name: "timestamp", kind: "time", nullable: true },
  { name: "value", kind: "number", nullable: true },
  { name: "quality", kind: "number", nullable: true },
];

interface PageRow extends BodyRow {
  readonly n: number;
  readonly last_name: string | null;
}

export class LatestQueries {
  constructor(private readonly reader: RowReader) {}

  /**
   * Sensors in use, by name. One step into the index a sensor and chunk: DISTINCT ON would read everything.
   * Throws what `Reader.rows` throws.
   */
  async page(
    { system_id, since_us, limit, after }: LatestPage,
    style: TableStyle,
    options?: QueryOptions,
  ): Promise<LatestText> {
    const rows = await this.reader.rows<PageRow>(
      {
        label: "latest of a system",
        text: `SELECT count(*) AS n, (array_agg(name))[count(*)] AS last_name, ${selectBody(LATEST_COLUMNS, style)}
          FROM (SELECT s.id AS sensor_id, s.name, s.quantity, s.unit, l."timestamp", l.value, l.quality
            FROM (SELECT * FROM diagnostics_sensor
              WHERE system_id = $1 AND archived_at IS NULL AND ($3::text IS NULL OR name > $3) ORDER BY name LIMIT $4) s
            LEFT JOIN LATERAL (SELECT d."timestamp", d.value, d.quality FROM diagnostics_sensordata d
              WHERE d.sensor_id = s.id AND d."timestamp" >= $2 ORDER BY d."timestamp" DESC LIMIT 1) l ON true
            ORDER BY s.name) page`,
        values: [system_id, formatTimestamp(since_us), after, limit],
      },
      options,
    );
    const row = rows[0];
    return {
      body: textOf(row, LATEST_COLUMNS, style),
      count: row?.n ?? 0,
      last_name: row?.last_name ?? null,
    };
  }
}
