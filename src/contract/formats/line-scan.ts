/**
 * Where the parts of line protocol begin and end (InfluxDB line protocol reference): a measurement with its tags, a
 * blank, fields with commas between them, and, after another blank, a timestamp. A backslash makes the next character
 * an ordinary one; a quotation, which begins where a value begins, may hold blanks, commas and line ends. Nothing is
 * said here about whether the parts are any good, so that counting and reading cannot disagree.
 */
import { BodyFormatError } from "./body-format.ts";

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const QUOTE = 34;
const HASH = 35;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;

export class LineScanner {
  /** The measurement and the tags of the line found last: `text.slice(keyAt, keyEnd)`. */
  keyAt = 0;
  keyEnd = 0;
  /** Its fields, at least one, which may be empty. */
  fieldsAt = 0;
  fieldsEnd = 0;
  fieldCount = 0;
  /** What stands behind the fields, with the blanks around it. */
  timeAt = 0;
  timeEnd = 0;
  #next = 0;

  constructor(readonly text: string) {}

  /** Go to the next line that is neither empty nor a comment. @throws {BodyFormatError} when a quotation is never closed */
  next(): boolean {
    const { text } = this;
    const at = lineStart(text, this.#next);
    if (at >= text.length) return false;
    this.keyAt = at;
    this.keyEnd = partEnd(text, at, SPACE);
    let end = afterSpaces(text, this.keyEnd);
    this.fieldsAt = end;
    this.fieldCount = 0;
    do {
      end = fieldEnd(text, this.fieldCount === 0 ? end : end + 1);
      this.fieldCount += 1;
    } while (text.charCodeAt(end) === COMMA);
    this.fieldsEnd = end;
    this.timeAt = end;
    const newline = text.indexOf("\n", end);
    this.timeEnd = newline < 0 ? text.length : newline;
    this.#next = this.timeEnd + 1;
    return true;
  }
}

/** Number of readings: one for each field. @throws {BodyFormatError} when a quotation is never closed */
export function countLineFields(text: string): number {
  const lines = new LineScanner(text);
  let count = 0;
  while (lines.next()) count += lines.fieldCount;
  return count;
}

/** Past blanks, empty lines and comments. */
function lineStart(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === HASH) {
      const newline = text.indexOf("\n", at);
      if (newline < 0) return text.length;
      at = newline;
    } else if (code !== SPACE && code !== LF && code !== TAB && code !== CR) return at;
  }
  return at;
}

function afterSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at += 1;
  return at;
}

/**
 * The first `stop` that no backslash precedes, or the end of the line.
 * @param end where to stop looking: a body of ten thousand parts without a `stop` would be walked through as often
 */
export function partEnd(text: string, from: number, stop: number, end = text.length): number {
  let at = from;
  for (; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code === stop || code === LF) return at;
    if (code === BACKSLASH && text.charCodeAt(at + 1) !== LF) at += 1;
  }
  return end;
}

/** The comma, blank or line end behind the field that begins at `from`. @throws {BodyFormatError} */
export function fieldEnd(text: string, from: number): number {
  let valueBegins = false;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === COMMA || code === SPACE || code === LF) return at;
    if (code === QUOTE && valueBegins) at = quotationEnd(text, at);
    else if (code === BACKSLASH && text.charCodeAt(at + 1) !== LF) at += 1;
    valueBegins = code === EQUALS;
  }
  return text.length;
}

/** The closing mark of the quotation that opens at `open`. @throws {BodyFormatError} */
function quotationEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  const line = text.slice(0, open).split("\n").length;
  throw new BodyFormatError(`the quotation mark in line ${line} is never closed`, line);
}
