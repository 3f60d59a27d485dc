/** From rows to readings: which cells are values, of which sensor, in which unit, and which are none. */
import { isUuid } from "../../contract/job-id.ts";
import { uuidV5 } from "../../contract/name-uuid.ts";
import { UsageError } from "../errors.ts";
import { type CellFormat, isEmptyCell, parseNumber } from "./cells.ts";
import type { ColumnMapping, Mapping } from "./mapping.ts";
import type { TableRow } from "./table.ts";
import { createTimeReader, type TimeReader, timeColumns } from "./time.ts";

/** A reading and the cell it came from. */
export interface PlacedReading {
  readonly line: number;
  /** Heading of the column (wide) or name of the sensor (long). */
  readonly column: string;
  readonly reading: {
    readonly sensor_id: string;
    readonly timestamp: string;
    readonly value: number;
    readonly unit: string;
    readonly quality?: number;
  };
}

/** Told of everything that a row holds; each value cell ends in exactly one of the three. */
export interface RowSink {
  reading(placed: PlacedReading): void;
  emptyCell(): void;
  /** @param cells value cells that are lost by it */
  unreadable(problem: { line: number; column: string | null; details: string; cells: number }): void;
}

/** Reads the rows of one file. */
export interface RowReader {
  readonly layout: "wide" | "long";
  /** Columns of the file that nothing is made of. */
  readonly unused: readonly string[];
  /** Value cells of a full row. */
  readonly cells_per_row: number;
  /** @param number number of the row, from 1, not counting the header */
  read(row: TableRow, number: number, sink: RowSink): void;
}

interface Header {
  readonly names: readonly string[];
  /** @throws {UsageError} when the file has no such column */
  indexOf(name: string): number;
}

const SENSOR_NAMES = ["sensor_id", "sensor"] as const;

/**
 * @param header cells of the first line
 * @throws {UsageError} when mapping and header do not fit
 */
export function createRowReader(mapping: Mapping, headings: readonly string[], system_id: string): RowReader {
  const header = readHeader(headings);
  const format: CellFormat = {
    decimal_comma: mapping.decimal_comma ?? false,
    empty: new Set((mapping.empty ?? []).map((text) => text.trim())),
  };
  const guessed = SENSOR_NAMES.some((name) => header.names.includes(name)) && header.names.includes("value");
  const layout = mapping.layout ?? (guessed ? "long" : "wide");
  const time = mapping.time ?? defaultTime(header);
  const stamps = createTimeReader(time, header.indexOf, format);
  const taken = new Set([...timeColumns(time), ...(mapping.ignore ?? [])]);
  const parts = { mapping, header, format, system_id, stamps, taken };
  return layout === "wide" ? wideReader(parts) : longReader(parts);
}

interface ReaderParts {
  readonly mapping: Mapping;
  readonly header: Header;
  readonly format: CellFormat;
  readonly system_id: string;
  readonly stamps: TimeReader;
  /** Columns that are no values. */
  readonly taken: ReadonlySet<string>;
}

function readHeader(headings: readonly string[]): Header {
  const names = headings.map((heading) => heading.trim());
  const twice = names.find((name, i) => name !== "" && names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`two columns are called "${twice}"`);
  const indexOf = (name: string) => {
    const index = names.indexOf(name);
    if (index >= 0) return index;
    throw new UsageError(
      `the file has no column "${name}"; its columns are ${names.slice(0, 40).join(", ")}`,
    );
  };
  return { names, indexOf };
}

function defaultTime(header: Header): { column: string } {
  const column = ["timestamp", "time"].find((name) => header.names.includes(name));
  if (column !== undefined) return { column };
  throw new UsageError("say where the time is: --time COLUMN, --seconds COLUMN, --interval S or a mapping");
}

/** Id of a sensor: as mapped, as it stands when it is a UUID, else made of the system and the name. */
function sensorIdOf(system_id: string, name: string, column: ColumnMapping | undefined): string {
  if (column?.sensor_id !== undefined) return column.sensor_id.toLowerCase();
  return isUuid(name) ? name.toLowerCase() : uuidV5(system_id, column?.name ?? name);
}

function wideReader({ mapping, header, format, system_id, stamps, taken }: ReaderParts): RowReader {
  const columns = Object.entries(mapping.columns ?? {}).map(([name, column]) => {
    if (column.unit === undefined)
      throw new UsageError(`column "${name}" has no unit: --column ${name}=UNIT`);
    const index = header.indexOf(name);
    if (taken.has(name)) throw new UsageError(`column "${name}" is a value and also a time or ignored`);
    return { name, index, unit: column.unit, sensor_id: sensorIdOf(system_id, name, column) };
  });
  if (columns.length === 0) {
    const known = header.names.slice(0, 40).join(", ");
    throw new UsageError(`say which columns are values: --column NAME=UNIT; the columns are ${known}`);
  }
  refuseSharedSensors(columns);
  const used = new Set([...taken, ...columns.map(({ name }) => name)]);
  const width = header.names.length;
  return {
    layout: "wide",
    unused: header.names.filter((name) => name !== "" && !used.has(name)),
    cells_per_row: columns.length,
    read({ line, cells }, number, sink) {
      const lost = { line, cells: columns.length };
      const misfit = widthProblem(cells, width);
      if (misfit !== null) return sink.unreadable({ ...lost, column: null, details: misfit });
      const timestamp = stamps(cells, number);
      if (typeof timestamp !== "string") return sink.unreadable({ ...lost, ...timestamp });
      for (const { name, index, unit, sensor_id } of columns) {
        const cell = cells[index]!;
        if (isEmptyCell(cell, format)) {
          sink.emptyCell();
          continue;
        }
        const value = parseNumber(cell, format);
        if (value === null) sink.unreadable({ line, column: name, details: noNumber(cell), cells: 1 });
        else sink.reading({ line, column: name, reading: { sensor_id, timestamp, value, unit } });
      }
    },
  };
}

/** Two columns of one sensor would give it two values at each time. */
function refuseSharedSensors(columns: readonly { name: string; sensor_id: string }[]): void {
  const seen = new Map<string, string>();
  for (const { name, sensor_id } of columns) {
    const other = seen.get(sensor_id);
    if (other !== undefined)
      throw new UsageError(`columns "${other}" and "${name}" are one sensor, ${sensor_id}`);
    seen.set(sensor_id, name);
  }
}

function longReader({ mapping, header, format, system_id, stamps, taken }: ReaderParts): RowReader {
  const { long = {}, columns = {} } = mapping;
  const has = (name: string) => header.names.includes(name);
  const sensor = long.sensor ?? SENSOR_NAMES.find(has) ?? "sensor";
  const value = long.value ?? "value";
  const unit = long.unit ?? (has("unit") ? "unit" : undefined);
  const quality = long.quality ?? (has("quality") ? "quality" : undefined);
  const at = {
    sensor: header.indexOf(sensor),
    value: header.indexOf(value),
    unit: unit === undefined ? null : header.indexOf(unit),
    quality: quality === undefined ? null : header.indexOf(quality),
  };
  const used = new Set([...taken, sensor, value, unit, quality]);
  const ids = new SensorIds(system_id, columns);
  const width = header.names.length;
  return {
    layout: "long",
    unused: header.names.filter((name) => name !== "" && !used.has(name)),
    cells_per_row: 1,
    read({ line, cells }, number, sink) {
      const refuse = (column: string | null, details: string) =>
        sink.unreadable({ line, column, details, cells: 1 });
      const misfit = widthProblem(cells, width);
      if (misfit !== null) return refuse(null, misfit);
      const name = cells[at.sensor]!.trim();
      if (name === "") return refuse(sensor, "the sensor is empty");
      if (isEmptyCell(cells[at.value]!, format)) return sink.emptyCell();
      const timestamp = stamps(cells, number);
      if (typeof timestamp !== "string") return refuse(timestamp.column, timestamp.details);
      const measured = parseNumber(cells[at.value]!, format);
      if (measured === null) return refuse(name, noNumber(cells[at.value]!));
      const unitText = columns[name]?.unit ?? (at.unit === null ? "" : cells[at.unit]!.trim());
      if (unitText === "" && at.unit === null) return refuse(name, `no unit: --column ${name}=UNIT`);
      const graded = qualityOf(at.quality === null ? "" : cells[at.quality]!, format);
      if (graded === null) return refuse(quality ?? null, noNumber(cells[at.quality!]!));
      const reading = { sensor_id: ids.of(name), timestamp, value: measured, unit: unitText, ...graded };
      sink.reading({ line, column: name, reading });
    },
  };
}

/** Remembers the ids of the first sensors of a file; a file with more of them is only slower, not larger. */
class SensorIds {
  readonly #known = new Map<string, string>();
  constructor(
    private readonly system_id: string,
    private readonly columns: Readonly<Record<string, ColumnMapping>>,
  ) {}

  of(name: string): string {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const id = sensorIdOf(this.system_id, name, this.columns[name]);
    if (this.#known.size < 100_000) this.#known.set(name, id);
    return id;
  }
}

/** Nothing for an empty cell, null for one that is no number. */
function qualityOf(cell: string, format: CellFormat): { quality?: number } | null {
  if (isEmptyCell(cell, format)) return {};
  const quality = parseNumber(cell, format);
  return quality === null ? null : { quality };
}

/** Fewer cells than headings, or more of which one holds something; delimiters at the end are no harm. */
function widthProblem(cells: readonly string[], width: number): string | null {
  if (cells.length === width) return null;
  if (cells.length > width && cells.slice(width).every((cell) => cell.trim() === "")) return null;
  return `${cells.length} cells, but the header has ${width}`;
}

function noNumber(cell: string): string {
  return `${JSON.stringify(cell.slice(0, 60))} is not a number`;
}
