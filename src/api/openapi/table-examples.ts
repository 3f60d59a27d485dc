/** Examples of a table in every format, made of the one in JSON. */
import { type Column, csvHeader } from "../../store/queries/table-text.ts";
import { csvRecord } from "../formats/csv.ts";

type Row = Readonly<Record<string, unknown>>;
/** An answer in JSON: rows at the top, or of each series. */
export type TableExample = Row &
  (
    | { readonly items: readonly Row[] }
    | { readonly series: readonly ({ readonly items: readonly Row[] } & Row)[] }
  );

export interface TableExamples {
  readonly columns: unknown;
  /** With its header. */
  readonly csv: string;
  /** One line of NDJSON, as a value. */
  readonly line: Row;
}

/** @param flat columns of the formats without an envelope */
export function tableExamples(
  example: TableExample,
  columns: readonly Column[],
  flat: readonly Column[],
): TableExamples {
  const rows = rowsOf(example).map((row) => picked(row, flat));
  const [line = {}] = rows;
  const records = rows.map((row) => csvRecord(Object.values(row)));
  return { columns: asColumns(example, columns), csv: csvHeader(flat) + records.join(""), line };
}

/** With what stands once in JSON: the sensor and its unit. */
function rowsOf(example: TableExample): readonly Row[] {
  const { items, series, sensor } = example as {
    readonly items?: readonly Row[];
    readonly series?: readonly TableExample[];
    readonly sensor?: { readonly id: string; readonly unit: string };
  };
  if (series) return series.flatMap(rowsOf);
  const common = sensor ? { sensor_id: sensor.id, unit: sensor.unit } : {};
  return (items ?? []).map((item) => ({ ...common, ...item }));
}

function asColumns(example: Row, columns: readonly Column[]): unknown {
  const { items, series, ...meta } = example as Row & { items?: readonly Row[]; series?: readonly Row[] };
  if (series) return { ...meta, series: series.map((one) => asColumns(one, columns)) };
  const arrays = columns.map(({ name }) => [name, items!.map((item) => item[name] ?? null)]);
  return { ...meta, columns: Object.fromEntries(arrays) };
}

function picked(row: Row, columns: readonly Column[]): Row {
  return Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null]));
}
