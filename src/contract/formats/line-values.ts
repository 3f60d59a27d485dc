/** Values and timestamps of line protocol. */

import { formatTimestamp, isWritable_us } from "../timestamp.ts";

/** How many of them make a microsecond, or how many microseconds they make. */
export const PRECISIONS = ["ns", "us", "ms", "s"] as const;
export type Precision = (typeof PRECISIONS)[number];
const US_PER: Readonly<Record<Precision, number>> = { ns: 0.001, us: 1, ms: 1_000, s: 1_000_000 };

const ZERO = 48;
const DASH = 45;
const DOT = 46;
/** A whole number of so many digits is exact in a double, and so is its quotient by a power of ten up to 10^22. */
const EXACT_DIGITS = 15;
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, n) => 10 ** n);

/**
 * A plain decimal such as `-12.5`, or NaN for everything else: what almost all values are, without cutting them out
 * of the text. Exact: one division of two exact numbers rounds as parsing the text would.
 */
export function plainDecimal(text: string, from: number, end: number): number {
  let at = from;
  const negative = text.charCodeAt(at) === DASH;
  if (negative) at += 1;
  let digits = 0;
  let mantissa = 0;
  let point = -1;
  for (; at < end; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits += 1;
    } else if (digit === DOT - ZERO && point < 0) point = digits;
    else return Number.NaN;
  }
  if (digits === 0 || digits > EXACT_DIGITS) return Number.NaN;
  const value = point < 0 ? mantissa : mantissa / POWERS[digits - point]!;
  return negative ? -value : value;
}

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INTEGER = /^[+-]?\d+i$/;
const UNSIGNED = /^\+?\d+u$/;
const LARGEST_INTEGER = 2n ** 63n - 1n;
const LARGEST_UNSIGNED = 2n ** 64n - 1n;
const TRUE: ReadonlySet<string> = new Set(["t", "T", "true", "True", "TRUE"]);
const FALSE: ReadonlySet<string> = new Set(["f", "F", "false", "False", "FALSE"]);

/** What a field says: a number, a text in quotation marks, a truth; any other text as it is, which no rule takes. */
export function fieldValue(text: string): number | string | boolean {
  if (FLOAT.test(text)) return Number(text);
  if (INTEGER.test(text)) return whole(text, -LARGEST_INTEGER - 1n, LARGEST_INTEGER);
  if (UNSIGNED.test(text)) return whole(text, 0n, LARGEST_UNSIGNED);
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  const isQuoted = text.length >= 2 && text.startsWith('"') && text.endsWith('"');
  return isQuoted ? text.slice(1, -1).replace(/\\(["\\])/g, "$1") : text;
}

/** Beyond 64 bits it is not a number of this kind, and stays a text. */
function whole(text: string, least: bigint, largest: bigint): number | string {
  const value = BigInt(text.slice(0, -1));
  return value >= least && value <= largest ? Number(value) : text;
}

/** Digits of a nanosecond that microseconds do not have. */
const CUT_DIGITS = 3;
const MAX_DIGITS = 19;

/**
 * A timestamp as whole microseconds since the epoch; what nanoseconds say beyond them is cut off.
 * @returns NaN when the text is not a whole number of 64 bits
 */
export function lineTimestamp_us(text: string, from: number, end: number, precision: Precision): number {
  let at = from;
  const negative = text.charCodeAt(at) === DASH;
  if (negative) at += 1;
  const digits = end - at;
  if (digits < 1 || digits > MAX_DIGITS) return Number.NaN;
  const kept = precision === "ns" ? end - CUT_DIGITS : end;
  let value = 0;
  let cut = 0;
  for (; at < end; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    if (at < kept) value = value * 10 + digit;
    else cut += digit;
  }
  const us = precision === "ns" ? value : value * US_PER[precision];
  if (!negative) return us;
  // Down, as cutting digits off a date-time would: never forward in time.
  return cut > 0 ? -us - 1 : 0 - us;
}

/**
 * A timestamp for people and for the quarantine: RFC 3339, with the nanoseconds that were sent.
 * @param sent "" when the line has none
 * @param timestamp_us what `lineTimestamp_us` made of it; NaN leaves it as it was sent
 */
export function timestampText(sent: string, timestamp_us: number, precision: Precision): string {
  if (!isWritable_us(timestamp_us)) return sent;
  const text = formatTimestamp(timestamp_us);
  const cut =
    precision === "ns" && !sent.startsWith("-") ? sent.slice(-CUT_DIGITS).padStart(CUT_DIGITS, "0") : "000";
  if (cut === "000") return text;
  return `${text.slice(0, -1)}${text.includes(".") ? "" : ".000000"}${cut}Z`;
}
