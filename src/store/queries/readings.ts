/** Raw readings of one sensor, a page at a time, as text. */
import type { TimeRange } from "../../contract/query-range.ts";
import { formatTimestamp } from "../../contract/timestamp.ts";
import type { QueryOptions, RowReader } from "./reader.ts";
import { type BodyRow, type Column, selectBody, type TableStyle, textOf } from "./table-text.ts";

/** Where a page begins: at the edge of the range, or next to a reading, which is not on it. */
export interface PageStart {
  /** `after` goes on in the order asked for; `before` goes back, and the page still comes in that order. */
  readonly side: "after" | "before";
  /** Time of that reading, µs since the epoch. */
  readonly timestamp_us: number;
}

export interface ReadingsPage {
  readonly sensor_id: string;
  readonly range: TimeRange;
  readonly order: "asc" | "desc";
  readonly limit: number;
  readonly start: PageStart | null;
}

export interface ReadingsText {
  readonly body: string;
  readonly count: number;
  /** Times of the first and the last reading in the order asked for, µs; null without readings. */
  readonly first_us: number | null;
  readonly last_us: number | null;
}

interface PageRow extends BodyRow {
  readonly n: number;
  readonly earliest: number | null;
  readonly latest: number | null;
}

const TIME: Column = { name: "timestamp", kind: "time" };
const VALUE: Column = { name: "value", kind: "number" };
const QUALITY: Column = { name: "quality", kind: "number" };
/** The unit is the same for all readings of a sensor: it stands in the envelope where there is one. */
export const READING_COLUMNS: readonly Column[] = [TIME, VALUE, QUALITY];
export const READING_COLUMNS_WITH_UNIT: readonly Column[] = [
  TIME,
  VALUE,
  { name: "unit", kind: "text" },
  QUALITY,
];

export class ReadingQueries {
  constructor(private readonly reader: RowReader) {}

  /** Throws what `Reader.rows` throws. */
  async page(page: ReadingsPage, style: TableStyle, options?: QueryOptions): Promise<ReadingsText> {
    const columns = columnsFor(style);
    const { from, to } = bounds(page);
    const forward = page.start?.side !== "before";
    const scan = forward === (page.order === "asc") ? "ASC" : "DESC";
    // The second sort costs nothing when it agrees with the scan, and turns the page round when it was found backwards.
    const rows = await this.reader.rows<PageRow>(
      {
        label: "readings of a sensor",
        text: `SELECT count(*) AS n, ${micros("min")} AS earliest, ${micros("max")} AS latest, ${selectBody(columns, style)}
          FROM (SELECT * FROM (
              SELECT "timestamp", value, unit, quality FROM diagnostics_sensordata
              WHERE sensor_id = $1 AND "timestamp" >= $2 AND "timestamp" < $3 ORDER BY "timestamp" ${scan} LIMIT $4
            ) found ORDER BY "timestamp" ${page.order === "asc" ? "ASC" : "DESC"}) page`,
        values: [page.sensor_id, formatTimestamp(from), formatTimestamp(to), page.limit],
      },
      options,
    );
    const row = rows[0];
    const ends = [row?.earliest ?? null, row?.latest ?? null];
    const [first_us = null, last_us = null] = page.order === "asc" ? ends : ends.reverse();
    return { body: textOf(row, columns, style), count: row?.n ?? 0, first_us, last_us };
  }
}

/** What stands in the rows of a style; CSV and NDJSON have the unit in each row. */
export function columnsFor(style: TableStyle): readonly Column[] {
  return style === "csv" || style === "lines" ? READING_COLUMNS_WITH_UNIT : READING_COLUMNS;
}

const micros = (which: "min" | "max") => `(extract(epoch FROM ${which}("timestamp")) * 1000000)::bigint`;

/** The part of the range on the page's side of its start, half open. */
function bounds({ range, order, start }: ReadingsPage): { from: number; to: number } {
  const { from_us, to_us } = range;
  if (!start) return { from: from_us, to: to_us };
  const later = (start.side === "after") === (order === "asc");
  return later
    ? { from: Math.max(from_us, start.timestamp_us + 1), to: to_us }
    : { from: from_us, to: Math.min(to_us, start.timestamp_us) };
}
