/**
 * NDJSON: one JSON value a line, each a reading. Lines end with LF; a CR before it is white space of JSON. Lines of
 * white space alone are no readings. A line that is not JSON is one reading that cannot be read.
 */
import { quoted } from "../printable.ts";
import { Unreadable } from "./body-format.ts";

/** White space of JSON (RFC 8259 section 2) that may stand in a line. */
const BLANK = /^[ \t\r]*$/;
const LAST_BLANK_CODE = 0x20;

/** Number of readings. */
export function countNdjson(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; ) {
    const end = endOfLine(text, at);
    if (!isBlank(text, at, end)) count += 1;
    at = end + 1;
  }
  return count;
}

/** As many readings as `countNdjson` says, in their order. */
export function readNdjson(text: string): unknown[] {
  const readings: unknown[] = [];
  for (let at = 0; at < text.length; ) {
    const end = endOfLine(text, at);
    if (!isBlank(text, at, end)) readings.push(parsedLine(text.slice(at, end)));
    at = end + 1;
  }
  return readings;
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

function isBlank(text: string, at: number, end: number): boolean {
  // Almost every line begins with a brace: nothing has to be cut out of the text to see that.
  return at === end || (text.charCodeAt(at) <= LAST_BLANK_CODE && BLANK.test(text.slice(at, end)));
}

function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // SyntaxError, or RangeError when it is nested too deep for the parser.
    return new Unreadable(line, `the line is not JSON: ${quoted(line)}`);
  }
}
