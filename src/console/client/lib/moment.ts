/** Moments as people type them: ISO 8601 as pages show it, or as far from now as `-24h`. */
import type { Zone } from "../types.ts";
import { FormError } from "./form-error.ts";
import { offsetText } from "./format.ts";

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
/** The minus of keyboards, and the one that pages print. */
const FROM_NOW = /^(?:now\s*)?([+\-−])\s*(\d{1,9}(?:\.\d{1,9})?)\s*(s|m|min|h|d|w)$/;
/** Elsewhere a month, which no number of days is. */
const MONTHS = /\d\s*M$/;
const ABSOLUTE =
  /^(\d{4})-(\d\d)-(\d\d)(?:(?:T|\s+)(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6})\d*)?)?)?\s*(Z|UTC|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$/i;
const WORDS: Readonly<Record<string, number>> = { yesterday: -1, today: 0, tomorrow: 1 };
const OFFSET = /^([+-])(\d\d):?(\d\d)$/;
/** Of RFC 3339 and of what a reading may have. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 9999;

/** What may be typed, for messages and hints. */
const MAY_BE = "Type a date and time such as 2026-11-27 21:37, or -24h, now or today.";

/**
 * @param text as typed; without a zone of its own it is a time of `zone`
 * @returns RFC 3339 in UTC, with as many digits of the second as were typed, up to microseconds; null for an empty text
 * @throws {FormError} that says what may be typed
 */
export function parseMoment(text: string, zone: Zone, now_ms = Date.now()): string | null {
  const typed = text.trim();
  const word = typed.toLowerCase();
  if (word === "") return null;
  if (word === "now") return iso(now_ms);
  const days = WORDS[word];
  if (days !== undefined) return iso(dayBegin(now_ms, days, zone));
  const moved = FROM_NOW.exec(word);
  if (moved && !MONTHS.test(typed)) {
    const [, sign, amount, unit = ""] = moved;
    return iso(now_ms + (sign === "+" ? 1 : -1) * Number(amount) * (UNITS_MS[unit] ?? 0));
  }
  const found = ABSOLUTE.exec(typed);
  if (!found) throw new FormError(MAY_BE);
  return absolute(found, zone);
}

/** To whole seconds, where nobody typed less. */
function iso(ms: number): string {
  const at = new Date(Math.floor(ms / 1000) * 1000);
  const year = at.getUTCFullYear();
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR)) throw new FormError(MAY_BE);
  return at.toISOString().replace(".000Z", "Z");
}

/** Midnight in the zone, so many days from today. */
function dayBegin(now_ms: number, days: number, zone: Zone): number {
  const now = new Date(now_ms);
  return zone === "utc"
    ? Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days)
    : new Date(now.getFullYear(), now.getMonth(), now.getDate() + days).getTime();
}

function absolute([, ...parts]: RegExpExecArray, zone: Zone): string {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(0, 6)
    .map((part) => Number(part ?? 0));
  const [fraction = "", own] = [parts[6], parts[7]?.toUpperCase()];
  const wall_ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const shown = new Date(wall_ms).toISOString();
  const two = (value: number) => String(value).padStart(2, "0");
  // What was carried over is no date or no time: 2026-02-30, 25:00
  const isReal = shown.startsWith(
    `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}.`,
  );
  if (year < FIRST_YEAR || !isReal) throw new FormError(`There is no such date or time. ${MAY_BE}`);
  // A day alone is its begin, which is not midnight where clocks skip that
  const isDay = parts[3] === undefined && own === undefined && zone === "local";
  const at = iso(
    isDay ? new Date(year, month - 1, day).getTime() : wall_ms - offsetOf(own, zone, wall_ms) * 60_000,
  );
  const digits = fraction.replace(/0+$/, "");
  return digits === "" ? at : at.replace("Z", `.${digits}Z`);
}

/**
 * Minutes that the zone of a time on the wall is ahead of UTC. Of the two moments that an hour has when clocks go
 * back, the first is meant. @throws {FormError} for times that clocks leave out
 */
function offsetOf(own: string | undefined, zone: Zone, wall_ms: number): number {
  const [, sign, hours, minutes] = OFFSET.exec(own ?? "") ?? [];
  if (sign) return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  if (own !== undefined || zone === "utc") return 0;
  const wall = new Date(wall_ms);
  const local = new Date(
    wall.getUTCFullYear(),
    wall.getUTCMonth(),
    wall.getUTCDate(),
    wall.getUTCHours(),
    wall.getUTCMinutes(),
    wall.getUTCSeconds(),
  );
  const offset_min = -local.getTimezoneOffset();
  if (local.getTime() + offset_min * 60_000 !== wall_ms)
    throw new FormError("That hour does not exist on that day: clocks go forward.");
  return offset_min;
}

/** Minutes that the zone of pages is ahead of UTC at a moment, as a text: `+01:00`. */
export const zoneText = (at: string | null, zone: Zone): string => {
  const ms = at === null ? Number.NaN : Date.parse(at);
  return zone === "utc"
    ? "UTC"
    : offsetText(-(Number.isNaN(ms) ? new Date() : new Date(ms)).getTimezoneOffset());
};

/**
 * As it is typed: `2026-11-27 21:37:00`, with its zone only where the text alone would be another moment. What is no
 * time stays as it is.
 */
export function momentText(at: string | null, zone: Zone): string {
  if (at === null) return "";
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return at;
  const offset_min = zone === "utc" ? 0 : -new Date(ms).getTimezoneOffset();
  const fraction = /\.(\d*[1-9])/.exec(at)?.[0] ?? "";
  const wall = new Date(ms + offset_min * 60_000).toISOString().slice(0, 19).replace("T", " ");
  const text = wall + fraction;
  return sameMoment(text, at, zone) ? text : `${text} ${offsetText(offset_min)}`;
}

/** Whether a text alone is read as the moment. */
function sameMoment(text: string, at: string, zone: Zone): boolean {
  try {
    return Date.parse(parseMoment(text, zone) ?? "") === Date.parse(at);
  } catch (error) {
    if (error instanceof FormError) return false;
    throw error;
  }
}
