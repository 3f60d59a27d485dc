/**
 * CSV as RFC 4180 has it: a header that names the columns, in any order, then one reading a record. Records end with
 * LF or CRLF; empty lines are no readings. An empty cell is a field that was not sent. Columns of other names are
 * kept with the reading and not stored. Cells of `value` and `quality` that are numbers as JSON writes them are
 * numbers; any other text stays what it is, and the rules refuse it.
 */
import { quoted } from "../printable.ts";
import { numberIn } from "../series.ts";
import { BodyFormatError, Unreadable } from "./body-format.ts";
import { afterQuotation, CsvRecords, QUOTE } from "./csv-records.ts";

/** Every record has a cell for each of these; where readings name their sensors, the unit may be known without. */
const REQUIRED = ["timestamp", "value"];
const NUMERIC: ReadonlySet<string> = new Set(["value", "quality"]);
const MAX_COLUMNS = 64;

/** Number of readings. @throws {BodyFormatError} when there is no usable header, or a quotation is never closed */
export function countCsv(text: string): number {
  const records = new CsvRecords(text);
  columnsOf(headerOf(records));
  let count = 0;
  while (records.next()) count += 1;
  return count;
}

/** As many readings as `countCsv` says, in their order. @throws {BodyFormatError} when that throws */
export function readCsv(text: string): unknown[] {
  const records = new CsvRecords(text);
  const columns = columnsOf(headerOf(records));
  const readings: unknown[] = [];
  while (records.next()) readings.push(readingOf(text.slice(records.at, records.end), columns));
  return readings;
}

function headerOf(records: CsvRecords): string {
  if (!records.next()) throw new BodyFormatError("the body is empty; its first line must name the columns");
  return records.text.slice(records.at, records.end);
}

function columnsOf(header: string): string[] {
  const names = cellsOf(header, MAX_COLUMNS);
  if (names === null) throw new BodyFormatError("the header does not follow RFC 4180");
  if (names.length > MAX_COLUMNS)
    throw new BodyFormatError(`the header names more than ${MAX_COLUMNS} columns`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new BodyFormatError(`the header names the column ${quoted(twice)} twice`);
  const required = names.includes("sensor") ? REQUIRED : ["sensor_id", ...REQUIRED, "unit"];
  const missing = required.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new BodyFormatError(`the header lacks the column ${missing.join(", ")}`);
  return names;
}

function readingOf(record: string, columns: readonly string[]): unknown {
  const cells = cellsOf(record, columns.length);
  if (cells === null) return new Unreadable(record, `the line does not follow RFC 4180: ${quoted(record)}`);
  if (cells.length !== columns.length) {
    const have = cells.length > columns.length ? `more than ${columns.length}` : String(cells.length);
    const why = `the line has ${have} cells, the header ${columns.length}: ${quoted(record)}`;
    return new Unreadable(record, why);
  }
  // Without a prototype: a column may have any name, __proto__ included.
  const reading: Record<string, unknown> = Object.create(null);
  for (let i = 0; i < cells.length; i += 1) {
    const cell = cells[i]!;
    if (cell === "") continue;
    const name = columns[i]!;
    reading[name] = NUMERIC.has(name) ? (numberIn(cell) ?? cell) : cell;
  }
  return reading;
}

/**
 * The cells of a record, or null when its quotation marks are not as RFC 4180 wants them.
 * @param expected one cell more than these is enough to know that there are too many
 */
function cellsOf(record: string, expected: number): string[] | null {
  if (!record.includes('"')) return record.split(",", expected + 1);
  const cells: string[] = [];
  for (let at = 0; ; ) {
    const isQuoted = record.charCodeAt(at) === QUOTE;
    const end = isQuoted ? afterQuotation(record, at) : at;
    const comma = record.indexOf(",", end);
    const stop = comma < 0 ? record.length : comma;
    const plain = record.slice(end, stop);
    if (isQuoted ? plain !== "" : plain.includes('"')) return null;
    cells.push(isQuoted ? record.slice(at + 1, end - 1).replaceAll('""', '"') : plain);
    if (comma < 0 || cells.length > expected) return cells;
    at = comma + 1;
  }
}
