/** Records of a CSV or TSV file (RFC 4180) with the numbers of their lines, in bounded memory. */
import type { Readable } from "node:stream";
import { type InfoRecord, type Options, type Parser, parse } from "csv-parse";
import { FileFormatError } from "./source.ts";

/** One record; `line` is where it begins, from 1. */
export interface TableRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/** Lines that are no record: `details` says why. */
export interface BrokenLines {
  readonly line: number;
  readonly last_line: number;
  readonly details: string;
}

export interface TableCounts {
  /** Lines with nothing on them. */
  empty_lines: number;
}

/** A record longer than this is a quote that was never closed. */
const MAX_RECORD_BYTES = 1_048_576;
const DELIMITERS = ["\t", ";", ",", "|"] as const;

/**
 * The delimiter that stands most often in the header outside quotes; a comma for a header of one column.
 * Semicolons win over commas where both are as frequent: a decimal comma is likelier than a semicolon.
 */
export function detectDelimiter(header: string): string {
  const bare = header.replace(/"[^"]*"/g, "");
  let best = ",";
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const count = bare.split(delimiter).length - 1;
    if (count > most) [best, most] = [delimiter, count];
  }
  return best;
}

interface LineTracker {
  /** Last line that belongs to a record. */
  line: number;
  empty: number;
  /** First line of a quote without end: nothing after it can be told apart any more. */
  broken_from: number | null;
}

/**
 * Every record of the file, the header first. Quotes inside an unquoted cell are kept as they are: what such a
 * cell means is decided where it is read, with its line number.
 * @param broken told of lines that are no record
 * @throws {FileFormatError} when the source ends with an error (damaged compression, disk)
 */
export async function* tableRows(
  source: Readable,
  delimiter: string,
  counts: TableCounts,
  broken: (lines: BrokenLines) => void,
): AsyncGenerator<TableRow> {
  const at: LineTracker = { line: 0, empty: 0, broken_from: null };
  const parser = recordParser(delimiter, at);
  const lines = new LineCounter();
  source.on("data", (chunk: Buffer) => lines.add(chunk));
  source.on("error", (error) => parser.destroy(error));
  parser.on("close", () => source.destroy());
  try {
    yield* source.pipe(parser) as AsyncIterable<TableRow>;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FileFormatError(`the file cannot be read beyond line ${at.line}: ${why}`, { cause });
  }
  if (at.broken_from === null) {
    // The parser counts what follows the last line end as an empty line.
    counts.empty_lines = parser.info.empty_lines - (lines.ended ? 1 : 0);
    return;
  }
  counts.empty_lines = at.empty;
  const details = `a quote opened here is not closed (within ${MAX_RECORD_BYTES} bytes)`;
  broken({ line: at.broken_from, last_line: Math.max(at.broken_from, lines.count), details });
}

/** Gives out each record as a `TableRow`, and tells `at` how far it is. */
function recordParser(delimiter: string, at: LineTracker): Parser {
  return parse({
    bom: true,
    delimiter,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: MAX_RECORD_BYTES,
    // The types know on_record only as a filter of string[]; the library passes on whatever it returns.
    on_record: ((cells: string[], context: InfoRecord): TableRow | null => {
      if (at.broken_from !== null) return null;
      const line = at.line + (context.empty_lines - at.empty) + 1;
      [at.line, at.empty] = [context.lines, context.empty_lines];
      return { line, cells };
    }) as unknown as NonNullable<Options["on_record"]>,
    // Both errors that relaxed parsing leaves mean a quote without an end.
    on_skip: () => {
      at.broken_from ??= at.line + 1;
      return undefined;
    },
  });
}

/** Lines of the file, also where the parser has given up. Line feeds count; a file of bare CRs has one line. */
class LineCounter {
  #feeds = 0;
  /** Its first two bytes, and its last two. */
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);

  add(chunk: Buffer): void {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.#feeds += 1;
    if (this.#head.length < 2) this.#head = Buffer.concat([this.#head, chunk.subarray(0, 2)]);
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-2)]).subarray(-2);
  }

  /** The file ends in a line end. */
  get ended(): boolean {
    const isWide = this.#head.subarray(0, 2).equals(UTF16_MARK);
    const last = isWide && this.#tail.at(-1) === 0 ? this.#tail.at(-2) : this.#tail.at(-1);
    return last === 10 || last === 13;
  }

  get count(): number {
    return this.#feeds + (this.ended ? 0 : 1);
  }
}

/** Little-endian: the only UTF-16 that the parser knows. */
const UTF16_MARK = Buffer.from([0xff, 0xfe]);
