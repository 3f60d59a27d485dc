/**
 * RFC 3339 date-times to and from whole microseconds since 1970-01-01T00:00:00Z (POSIX time, as PostgreSQL's
 * timestamptz counts it). `Date.parse` is no substitute: it accepts "2024-02-30" and "5", and stops at ms.
 */

const US_PER_SECOND = 1_000_000;
const SECONDS_PER_DAY = 86_400;
/** Days from 0001-01-01 to 1970-01-01 in the proleptic Gregorian calendar. */
const DAYS_TO_EPOCH = 719_162;
/** Days of a common year before each month, from January. */
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334] as const;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z in POSIX seconds: what four digits of a year can name. */
const FIRST_SECOND = -62_167_219_200;
const LAST_SECOND = 253_402_300_799;

/** The last whole microsecond of the year 9999 that a double holds: there they are 32 apart. */
const LAST_US = (LAST_SECOND + 1) * US_PER_SECOND - 32;

/** Shortest date-time: `2024-01-01T00:00:00Z`. */
const MIN_LENGTH = 20;
const ZERO = 48;
const DASH = 45;
const COLON = 58;
const DOT = 46;
const PLUS = 43;

/**
 * Strict RFC 3339 `date-time` (section 5.6; capital or small T and Z) to whole microseconds since the epoch.
 *
 * - Fraction digits beyond the sixth are cut off, never rounded: a reading is not moved forward in time.
 * - Second 60 is accepted only as 23:59:60 UTC on the last day of June or December (section 5.7) and becomes
 *   the following second, as POSIX and PostgreSQL have it.
 * - Offsets reach from -23:59 to +23:59; `-00:00` is UTC.
 * - The instant must lie in the years 0000-9999 of UTC. It is exact to the microsecond from 1684 to 2255,
 *   where a double holds every whole microsecond.
 *
 * @returns NaN when the text is not such a date-time; nothing is thrown
 */
export function parseTimestamp_us(text: string): number {
  if (text.length < MIN_LENGTH) return Number.NaN;
  const day = parseDay(text);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  const separator = text.charCodeAt(10) | 0x20;
  if (
    Number.isNaN(day) ||
    separator !== 0x74 ||
    text.charCodeAt(13) !== COLON ||
    text.charCodeAt(16) !== COLON
  ) {
    return Number.NaN;
  }
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return Number.NaN;

  let at = 19;
  let fraction_us = 0;
  if (text.charCodeAt(at) === DOT) {
    const first = ++at;
    // The weight of the next digit; 0 from the seventh on, which cuts the rest off.
    let unit_us = 100_000;
    for (; at < text.length; at++) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) break;
      fraction_us += digit * unit_us;
      unit_us = (unit_us / 10) | 0;
    }
    if (at === first) return Number.NaN;
  }
  const offset_s = parseOffset_s(text, at);
  const seconds = day * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset_s;
  if (!(seconds >= FIRST_SECOND && seconds <= LAST_SECOND)) return Number.NaN;
  if (second === 60 && !followsLeapSecond(seconds)) return Number.NaN;
  // The last microseconds of all would be rounded into the year 10000.
  return Math.min(seconds * US_PER_SECOND + fraction_us, LAST_US);
}

/** Whether `formatTimestamp` can write it. */
export function isWritable_us(timestamp_us: number): boolean {
  return (
    Number.isInteger(timestamp_us) && timestamp_us >= FIRST_SECOND * US_PER_SECOND && timestamp_us <= LAST_US
  );
}

/**
 * RFC 3339 in UTC, with six fraction digits only when the microseconds are not zero.
 *
 * @param timestamp_us whole microseconds since the epoch
 * @throws RangeError when it is not whole or lies outside the years 0000-9999
 */
export function formatTimestamp(timestamp_us: number): string {
  const seconds = Math.floor(timestamp_us / US_PER_SECOND);
  if (!isWritable_us(timestamp_us)) {
    throw new RangeError(`${timestamp_us} is not a count of microseconds within the years 0000-9999`);
  }
  const fraction_us = timestamp_us - seconds * US_PER_SECOND;
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return fraction_us === 0 ? `${whole}Z` : `${whole}.${String(fraction_us).padStart(6, "0")}Z`;
}

/** Days since the epoch of the leading `YYYY-MM-DD`, or NaN. Arithmetic only: cheaper than any cache. */
function parseDay(text: string): number {
  const century = twoDigits(text, 0);
  const yearOfCentury = twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  if (century < 0 || yearOfCentury < 0 || month < 1 || month > 12 || day < 1) return Number.NaN;
  if (text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return Number.NaN;
  const year = century * 100 + yearOfCentury;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > DAYS_IN_MONTH[month - 1]! + (leap && month === 2 ? 1 : 0)) return Number.NaN;
  const before = year - 1;
  // In year 0 the two terms that are rounded towards zero, not down, cancel out.
  const leapDays = (before >> 2) - ((before / 100) | 0) + ((before / 400) | 0);
  const dayOfYear = DAYS_BEFORE_MONTH[month - 1]! + (leap && month > 2 ? 1 : 0) + day - 1;
  return before * 365 + leapDays + dayOfYear - DAYS_TO_EPOCH;
}

/** Seconds east of UTC of the `time-offset` that must fill the rest of the text, or NaN. */
function parseOffset_s(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  if ((sign | 0x20) === 0x7a) return text.length === at + 1 ? 0 : Number.NaN;
  if ((sign !== PLUS && sign !== DASH) || text.length !== at + 6) return Number.NaN;
  const hours = twoDigits(text, at + 1);
  const minutes = twoDigits(text, at + 4);
  if (text.charCodeAt(at + 3) !== COLON || hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
    return Number.NaN;
  }
  const offset_s = hours * 3600 + minutes * 60;
  return sign === PLUS ? offset_s : -offset_s;
}

/** Two ASCII digits as a number, or -1. Asks only positions inside the text, where charCodeAt is never NaN. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9) return -1;
  return tens * 10 + ones;
}

/** Whether a leap second may stand just before this POSIX second: midnight UTC of 1 January or 1 July. */
function followsLeapSecond(seconds: number): boolean {
  if (seconds % SECONDS_PER_DAY !== 0) return false;
  const date = new Date(seconds * 1000);
  const month = date.getUTCMonth();
  return date.getUTCDate() === 1 && (month === 0 || month === 6);
}
