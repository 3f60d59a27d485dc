/** Tables as text, as spreadsheets give them: from a file, or pasted. */
import { FormError } from "./form-error.ts";

export interface TextRow {
  /** Of the text, from 1: where its record begins. */
  readonly line: number;
  /** By the name that the header has for it, in small letters; blanks at the ends are not part of it. */
  readonly cells: Readonly<Record<string, string>>;
}

/** One cell and what ends it, by the sign between cells; the first that the header has is the table's. */
const CELLS: ReadonlyMap<string, RegExp> = new Map([
  ["\t", /(?:"((?:[^"]|"")*)"|([^"\t\r\n][^\t\r\n]*)?)(\t|\r?\n|\r|$)/y],
  [";", /(?:"((?:[^"]|"")*)"|([^";\r\n][^;\r\n]*)?)(;|\r?\n|\r|$)/y],
  [",", /(?:"((?:[^"]|"")*)"|([^",\r\n][^,\r\n]*)?)(,|\r?\n|\r|$)/y],
]);

/**
 * The records below a header, with tabs, semicolons or commas between cells, quoted as RFC 4180 has it.
 * @param known names that the header may have @throws {FormError} for people
 */
export function rowsOf(text: string, known: readonly string[]): readonly TextRow[] {
  const clean = text.replace(/^\ufeff/, "");
  const first = /^\s*(.*)/.exec(clean)?.[1] ?? "";
  const sign = [...CELLS.keys()].find((one) => first.includes(one)) ?? ",";
  const [header, ...records] = recordsOf(clean, sign);
  const names = (header?.cells ?? []).map((name) => name.trim().toLowerCase());
  const wrong = names.find((name) => !known.includes(name));
  if (header === undefined || wrong !== undefined)
    throw new FormError(
      `The first line must name the columns, of ${known.join(", ")}; it has "${wrong ?? ""}".`,
    );
  return records.map(({ line, cells }) => {
    if (cells.length > names.length)
      throw new FormError(`Line ${line} has ${cells.length} cells, the header ${names.length}.`);
    return { line, cells: Object.fromEntries(names.map((name, at) => [name, (cells[at] ?? "").trim()])) };
  });
}

interface Parsed {
  readonly line: number;
  readonly cells: string[];
}

/** Empty lines do not count. @throws {FormError} when a quotation does not end */
function recordsOf(text: string, sign: string): readonly Parsed[] {
  const cell = CELLS.get(sign)!;
  cell.lastIndex = 0;
  const records: Parsed[] = [];
  let line = 1;
  let current: Parsed = { line, cells: [] };
  while (cell.lastIndex < text.length) {
    const found = cell.exec(text);
    if (!found)
      throw new FormError(`Line ${line} has a quotation mark that is not closed, or text behind one.`);
    const [whole, quoted, bare = "", end] = found;
    current.cells.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    line += whole.match(/\r\n|\r|\n/g)?.length ?? 0;
    const atEnd = cell.lastIndex >= text.length;
    if (end === sign && !atEnd) continue;
    if (end === sign) current.cells.push("");
    if (current.cells.some((one) => one.trim() !== "")) records.push(current);
    current = { line, cells: [] };
  }
  return records;
}
