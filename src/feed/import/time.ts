/** The timestamp of a row, by one of the four ways a mapping can state it. */
import { formatTimestamp, parseTimestamp_us } from "../../contract/timestamp.ts";
import { UsageError } from "../errors.ts";
import { type CellFormat, isEmptyCell, parseNumber } from "./cells.ts";
import type { TimeMapping } from "./mapping.ts";

/** A row without a usable time. */
export interface TimeProblem {
  readonly column: string;
  readonly details: string;
}

/** RFC 3339 text, or why there is none. @param row number of the row, from 1 */
export type TimeReader = (cells: readonly string[], row: number) => string | TimeProblem;

const US_PER = { s: 1e6, ms: 1e3, us: 1 } as const;
/** Years 0000 to 9999, which four digits can name. */
const MIN_US = parseTimestamp_us("0000-01-01T00:00:00Z");
const MAX_US = parseTimestamp_us("9999-12-31T23:59:59Z");

/** Columns of the file that the time is made of. */
export function timeColumns(time: TimeMapping): readonly string[] {
  if ("column" in time) return [time.column];
  return "columns" in time ? Object.keys(time.columns) : [];
}

/**
 * @param indexOf position of a column; throws for one that the file does not have
 * @throws {UsageError} when a relative time has no valid start
 */
export function createTimeReader(
  time: TimeMapping,
  indexOf: (column: string) => number,
  format: CellFormat,
): TimeReader {
  if ("epoch" in time) return epochReader(time.column, indexOf(time.column), US_PER[time.epoch], format);
  if ("column" in time) return textReader(time.column, indexOf(time.column), time.zone, format);
  const start_us = startOf(time.start);
  if ("interval_s" in time) {
    const { interval_s } = time;
    return (_cells, row) => stamp(start_us + Math.round((row - 1) * interval_s * 1e6), "");
  }
  return sumReader(time, start_us, indexOf, format);
}

function startOf(start: string | undefined): number {
  if (start === undefined) throw new UsageError("the times are relative: say --start 2026-01-01T00:00:00Z");
  const start_us = parseTimestamp_us(start);
  if (Number.isNaN(start_us)) throw new UsageError(`the start "${start}" is not an RFC 3339 date-time`);
  return start_us;
}

/** Text goes on as it is: the service judges it, and what is wrong with it ends in quarantine with its line. */
function textReader(column: string, index: number, zone: string | undefined, format: CellFormat): TimeReader {
  return (cells) => {
    const cell = cells[index]!.trim();
    if (isEmptyCell(cell, format)) return { column, details: "the time is empty" };
    if (zone === undefined || /(?:[Zz]|[+-]\d\d:?\d\d)$/.test(cell.slice(10))) return cell;
    return cell.replace(/^(\d{4}-\d\d-\d\d) +/, "$1T") + zone;
  };
}

function epochReader(column: string, index: number, us_per_unit: number, format: CellFormat): TimeReader {
  return (cells) => {
    const n = parseNumber(cells[index]!, format);
    if (n === null) return notANumber(column, cells[index]!);
    return stamp(Math.round(n * us_per_unit), column);
  };
}

function sumReader(
  time: { readonly columns: Record<string, number>; readonly first?: Record<string, number> },
  start_us: number,
  indexOf: (column: string) => number,
  format: CellFormat,
): TimeReader {
  for (const column of Object.keys(time.first ?? {})) {
    if (!Object.hasOwn(time.columns, column)) {
      throw new UsageError(`the time's "first" names "${column}", which is not among its columns`);
    }
  }
  const terms = Object.entries(time.columns).map(([column, seconds]) => ({
    column,
    index: indexOf(column),
    seconds,
    first: time.first?.[column] ?? 0,
  }));
  return (cells) => {
    let offset_s = 0;
    for (const { column, index, seconds, first } of terms) {
      const n = parseNumber(cells[index]!, format);
      if (n === null) return notANumber(column, cells[index]!);
      offset_s += (n - first) * seconds;
    }
    return stamp(start_us + Math.round(offset_s * 1e6), terms[0]!.column);
  };
}

function notANumber(column: string, cell: string): TimeProblem {
  const details =
    cell.trim() === "" ? "the time is empty" : `${JSON.stringify(cell.slice(0, 60))} is not a number`;
  return { column, details };
}

function stamp(time_us: number, column: string): string | TimeProblem {
  if (time_us >= MIN_US && time_us <= MAX_US) return formatTimestamp(time_us);
  return { column, details: "the time lies outside the years 0000 to 9999" };
}
