/** From the text of a cell to a number. */

/** What a file writes in its own way. */
export interface CellFormat {
  /** "1.234,5" is not understood; "1234,5" is 1234.5. */
  readonly decimal_comma: boolean;
  /** Texts that mean "no value", beside the empty one. */
  readonly empty: ReadonlySet<string>;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The cell holds no value, by the words of the mapping. */
export function isEmptyCell(cell: string, format: CellFormat): boolean {
  const text = cell.trim();
  return text === "" || format.empty.has(text);
}

/** A finite number, or null: words, hexadecimal, thousands separators and overflow are not guessed at. */
export function parseNumber(cell: string, format: CellFormat): number | null {
  const text = cell.trim();
  if (format.decimal_comma && text.includes(".")) return null;
  const dotted = format.decimal_comma ? text.replace(",", ".") : text;
  if (!DECIMAL.test(dotted)) return null;
  const n = Number(dotted);
  return Number.isFinite(n) ? n : null;
}
