/** What an entry of the record says was changed, in words for people. */
import type { Zone } from "../types.ts";
import { correctionFacts, selectionText } from "./asked.ts";
import { type Fields, isFields } from "./fields.ts";
import { bytes, number, quantity, shortId, timeText, words } from "./format.ts";

export interface Change {
  readonly name: string;
  /** Null: not told, or there was nothing. */
  readonly from: string | null;
  readonly to: string;
}

/** Names that say more to people than the field's own. */
const NAMES: Readonly<Record<string, string>> = {
  review_status: "state",
  sensor_id: "sensor",
  system_id: "system",
  job_id: "stored by job",
  timestamp: "time",
  min: "lowest good value",
  max: "highest good value",
  size_bytes: "size",
};
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d+))?(?:Z|[+-]\d\d:\d\d)$/i;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The fields of `after` that say something else than `before`. A field that only `before` has was not touched: entries
 * tell in `after` what was decided, not the whole. A null in `after` takes away what was there.
 */
export function changesOf(before: Fields, after: Fields, zone: Zone): readonly Change[] {
  const withUnit = typeof after.value === "number";
  // A reading that took the place of another: the one before is told, too.
  const replaced = after.outcome === "replace" && isFields(before.stored) ? of(before.stored, "value") : null;
  const stored = replaced && { name: "replaced", from: null, to: textOf("value", replaced, zone) };
  const changed = Object.keys(after)
    .filter((name) => !(name === "unit" && withUnit))
    .flatMap((name) => {
      const [was, is] = [of(before, name), of(after, name, before)];
      if (was === null && is === null) return [];
      if (was !== null && is !== null && isSame(was, is)) return [];
      if (name === "change" && is !== null) return correctionsOf(is.value);
      return [
        {
          name: NAMES[name] ?? words(name),
          from: was === null ? null : textOf(name, was, zone),
          to: is === null ? "none" : textOf(name, is, zone),
        },
      ];
    });
  return stored ? [...changed, stored] : changed;
}

/** What a task corrects: one after the other, as its own page tells it. */
const correctionsOf = (change: unknown): readonly Change[] =>
  correctionFacts(change).map(([name, to]) => ({
    name: name.charAt(0).toLowerCase() + name.slice(1),
    from: null,
    to,
  }));

/** The fields of something that was made or removed. */
export const factsOf = (fields: Fields, zone: Zone): readonly Change[] => changesOf({}, fields, zone);

interface Held {
  readonly value: unknown;
  /** Of a measured value. */
  readonly unit: string | null;
}

/** @param behind says the unit when the fields themselves do not */
function of(fields: Fields, name: string, behind: Fields = {}): Held | null {
  const value = fields[name] ?? null;
  if (value === null) return null;
  // A stored reading, or none.
  if (name === "stored" && isFields(value)) return of(value, "value");
  const unit = name === "value" ? (fields.unit ?? behind.unit) : null;
  return { value, unit: typeof unit === "string" ? unit : null };
}

const isSame = (a: Held, b: Held): boolean => a.unit === b.unit && sameText(a.value) === sameText(b.value);

/** Times that are one moment have one text, whatever zeros and zone they were written with. */
function sameText(value: unknown): string {
  const time = typeof value === "string" ? RFC_3339.exec(value) : null;
  if (!time) return JSON.stringify(value);
  const fraction = (time[1] ?? "").replace(/0+$/, "");
  return `${Math.floor(Date.parse(time[0]) / 1000)}.${fraction}`;
}

function textOf(name: string, { value, unit }: Held, zone: Zone): string {
  if (typeof value === "number") {
    if (name === "size_bytes") return bytes(value);
    return unit === null ? number(value) : quantity(value, unit);
  }
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (name === "selection") return selectionText(value);
  if (typeof value !== "string") return JSON.stringify(value);
  if (RFC_3339.test(value)) return timeText(value, zone);
  if (UUID.test(value)) return shortId(value);
  return name === "review_status" || name === "outcome" || name === "status" ? words(value) : value;
}
