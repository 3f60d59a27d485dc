/**
 * Where the records of a CSV text begin and end (RFC 4180). Line ends within quotation marks belong to the cell; the
 * marks count only where a cell begins. Empty lines are passed over.
 */
import { BodyFormatError } from "./body-format.ts";

export const QUOTE = 34;
const COMMA = 44;
const CR = 13;
const LF = 10;

export class CsvRecords {
  /** The record found last: `text.slice(at, end)`, without its line end. */
  at = 0;
  end = 0;
  #next = 0;
  /** The first quotation mark from here on; asked for once, not once a record, or the work would grow with its square. */
  #quote = -1;

  constructor(readonly text: string) {}

  /** Go to the next record; false when there is none. @throws {BodyFormatError} when a quotation is never closed */
  next(): boolean {
    const { text } = this;
    while (this.#next < text.length) {
      const at = this.#next;
      const lineEnd = this.#lineEnd(at);
      this.#next = lineEnd + 1;
      const end = lineEnd > at && text.charCodeAt(lineEnd - 1) === CR ? lineEnd - 1 : lineEnd;
      if (end === at) continue;
      this.at = at;
      this.end = end;
      return true;
    }
    return false;
  }

  #lineEnd(at: number): number {
    const { text } = this;
    if (this.#quote < at) {
      const found = text.indexOf('"', at);
      this.#quote = found < 0 ? text.length : found;
    }
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    return this.#quote > end ? end : quotedLineEnd(text, at);
  }
}

function quotedLineEnd(text: string, begin: number): number {
  let cellBegins = true;
  for (let at = begin; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === LF) return at;
    if (cellBegins && code === QUOTE) at = afterQuotation(text, at);
    else at += 1;
    cellBegins = code === COMMA;
  }
  return text.length;
}

/** Behind the closing mark of the quotation that opens at `open`. @throws {BodyFormatError} */
export function afterQuotation(text: string, open: number): number {
  for (let at = open + 1; ; at += 2) {
    at = text.indexOf('"', at);
    if (at < 0) {
      const line = text.slice(0, open).split("\n").length;
      throw new BodyFormatError(`the quotation mark in line ${line} is never closed`, line);
    }
    if (text.charCodeAt(at + 1) !== QUOTE) return at + 1;
  }
}
