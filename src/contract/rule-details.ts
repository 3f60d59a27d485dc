/** The details of a refusal: what was sent and the limit it broke, in words a person can act on. */
import { quoted } from "./printable.ts";
import { MAX_QUALITY, MIN_QUALITY, type TimestampWindow } from "./rule-settings.ts";
import { formatTimestamp } from "./timestamp.ts";
import { MAX_UNIT_LENGTH } from "./unit-definitions.ts";
import { type Range, toCanonical, type UnitRegistry, type UnitUse } from "./units.ts";

/** Parts of a span of time, in microseconds, largest first. */
const SPANS = [
  ["d", 86_400_000_000],
  ["h", 3_600_000_000],
  ["min", 60_000_000],
] as const;

/** @param timestamp_us the text as parsed, NaN when it is no date-time */
export function timestampDetails(text: string, timestamp_us: number, window: TimestampWindow): string {
  const shown = `timestamp ${quoted(text)}`;
  if (Number.isNaN(timestamp_us)) return `${shown} is not a valid RFC 3339 date-time`;
  const { received_us, earliest_us, settings } = window;
  if (timestamp_us < earliest_us) {
    const limit = `${settings.maxPast_years} ${settings.maxPast_years === 1 ? "year" : "years"}`;
    return `${shown} is before ${formatTimestamp(earliest_us)}, ${limit} before it was received`;
  }
  const ahead = span(timestamp_us - received_us);
  return `${shown} is ${ahead} after it was received (at most ${span(settings.maxFuture_ms * 1000)})`;
}

/** `quality 42 is below 50` */
export function qualityDetails(quality: number, lowest = MIN_QUALITY): string {
  return quality < lowest
    ? `quality ${quality} is below ${lowest}`
    : `quality ${quality} is above ${MAX_QUALITY}`;
}

/** `unit "furlong" is not known; …`, with the near spelling if one was probably meant. */
export function unitDetails(unit: string, units: UnitRegistry): string {
  if (unit.trim() === "") return "unit is empty";
  const shown = `unit ${quoted(unit)} is not known`;
  const near = units.suggest(unit);
  if (near !== undefined) return `${shown}; is ${JSON.stringify(near)} meant?`;
  if (unit.length > MAX_UNIT_LENGTH) return `${shown}; units have at most ${MAX_UNIT_LENGTH} characters`;
  const symbols = units.list().map((known) => known.symbol);
  const more = symbols.length > 12 ? ", …" : "";
  return `${shown}; known are ${symbols.slice(0, 12).join(", ")}${more} and their aliases`;
}

/**
 * `pressure 812.4 bar is above 700 bar (ISO 4413)`; a converted value is shown both ways:
 * `pressure 12000 psi = 827.371 bar is above 700 bar (ISO 4413)`.
 *
 * @param range the limits that were applied: the unit's, or the sensor's own
 */
export function rangeDetails(use: UnitUse, value: number, range: Range): string {
  const { quantity, symbol, source } = use.unit;
  const canonical = toCanonical(use, value);
  const below = canonical < range.min;
  const limit = below ? range.min : range.max;
  const sent = `${quantity} ${value} ${use.spelling}`;
  const converted =
    use.spelling === symbol || !Number.isFinite(canonical) ? "" : ` = ${apart(canonical, limit)} ${symbol}`;
  const origin = range !== use.range ? "set for this sensor" : (source ?? "limit of every value");
  return `${sent}${converted} is ${below ? "below" : "above"} ${limit} ${symbol} (${origin})`;
}

/** Six significant digits, or as many more as it takes to tell the value from the limit. */
function apart(value: number, limit: number): string {
  for (let digits = 6; digits < 17; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (rounded !== limit) return String(rounded);
  }
  return String(value);
}

/** The two largest parts of a span: `7 min`, `5 min 0.001 s`, `2 d 3 h`. */
function span(length_us: number): string {
  const parts: string[] = [];
  let rest_us = length_us;
  for (const [name, part_us] of SPANS) {
    const count = Math.floor(rest_us / part_us);
    if (count > 0) parts.push(`${count} ${name}`);
    rest_us -= count * part_us;
  }
  if (rest_us > 0) parts.push(`${rest_us / 1_000_000} s`);
  return parts.length === 0 ? "0 s" : parts.slice(0, 2).join(" ");
}
