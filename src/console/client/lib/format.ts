/** Numbers, units and times as people read them: one form everywhere, times always with their zone. */
import type { Zone } from "../types.ts";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** U+2013, as in a cell without a value. */
export const NOTHING = "–";

export const count = (value: number | null | undefined) => (value == null ? NOTHING : whole.format(value));
/** `1 reading`, `2 readings`. */
export const countOf = (value: number, noun: string) => `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
/** Null for none. */
export const someText = (value: number, noun: string) => (value === 0 ? null : countOf(value, noun));
export const brief = (value: number | null | undefined) =>
  value == null ? NOTHING : value < 10_000 ? whole.format(value) : compact.format(value);
/** Smaller ones are told by their power of ten: nobody counts noughts. */
const SMALL = 1e-5;
export function number(value: number | null | undefined): string {
  if (value == null) return NOTHING;
  const isSmall = value !== 0 && Math.abs(value) < SMALL;
  return isSmall ? Number(value.toPrecision(6)).toExponential() : short.format(value);
}

export function percent(share: number | null | undefined, digits = 1): string {
  if (share == null) return NOTHING;
  // 0.04 % must not read as none, nor 99.96 % as all.
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.999) return "> 99.9 %";
  return `${(share * 100).toFixed(digits)} %`;
}

const SYMBOLS: Readonly<Record<string, string>> = {
  celsius: "°C",
  lpm: "l/min",
  percent: "%",
};
export const unitText = (unit: string | null | undefined) => (unit ? (SYMBOLS[unit] ?? unit) : "");
/** A value with its unit, with a space that does not break. */
export const quantity = (value: number | null | undefined, unit: string | null | undefined) =>
  value == null ? NOTHING : `${number(value)}${unit ? `\u00a0${unitText(unit)}` : ""}`;

export function bytes(size: number | null | undefined): string {
  if (size == null) return NOTHING;
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} KiB`;
  if (size < 1024 ** 3) return `${(size / 1024 ** 2).toFixed(1)} MiB`;
  return `${(size / 1024 ** 3).toFixed(1)} GiB`;
}

/** The two largest units that say something: `2 min`, `1 h 5 min`. */
export function duration(ms: number | null | undefined): string {
  if (ms == null) return NOTHING;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return both(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  return hours < 48
    ? both(hours, "h", minutes % 60, "min")
    : both(Math.floor(hours / 24), "d", hours % 24, "h");
}

const both = (large: number, unit: string, small: number, smallUnit: string) =>
  small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`;

const two = (value: number) => String(value).padStart(2, "0");

/** Date, and clock with zone: `2026-11-27`, `07:53:14.250 +01:00`; milliseconds only where there are some. Null: no time. */
export function timeParts(
  iso: string,
  zone: Zone,
  { seconds = true, fraction = true } = {},
): [string, string] | null {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return null;
  const offset_min = zone === "utc" ? 0 : -at.getTimezoneOffset();
  const shown = new Date(at.getTime() + offset_min * 60_000).toISOString();
  const rest = fraction ? (/\.\d*[1-9]/.exec(iso)?.[0].slice(0, 4).padEnd(4, "0") ?? "") : "";
  const clock = seconds ? shown.slice(11, 19) + rest : shown.slice(11, 16);
  return [shown.slice(0, 10), `${clock} ${offsetText(offset_min)}`];
}

/** `2026-11-27 07:53:14 +01:00`. */
export const timeText = (
  iso: string,
  zone: Zone,
  options?: { seconds?: boolean; fraction?: boolean },
): string => timeParts(iso, zone, options)?.join(" ") ?? iso;

export function offsetText(offset_min: number): string {
  if (offset_min === 0) return "UTC";
  const size = Math.abs(offset_min);
  return `${offset_min < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** `3 min ago`; for what is still to come, `in 3 min`. */
export function ago(iso: string, now_ms = Date.now()): string {
  const ms = now_ms - Date.parse(iso);
  const text = rough(Math.abs(ms));
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

function rough(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** The first characters of a UUID, which people compare. v7 ids share their beginning, so the end is shown. */
export const shortId = (id: string | null | undefined) => (id ? `…${id.slice(-8)}` : NOTHING);

/** A sensor that its first reading registered is named after its id, which no column has room for. */
export const shortName = (name: string) =>
  name.replace(/^sensor-[0-9a-f]{24}(?=[0-9a-f]{8}(-|$))/, "sensor\u00a0…");

/** `out_of_range` as `out of range`. */
export const words = (name: string) => name.replaceAll("_", " ");

const places = new Intl.PluralRules("en", { type: "ordinal" });
const ENDINGS: Readonly<Record<string, string>> = { one: "st", two: "nd", few: "rd" };
/** `1st`, `512th`: as people count, from 1. */
export const placeText = (place: number) => `${count(place)}${ENDINGS[places.select(place)] ?? "th"}`;
