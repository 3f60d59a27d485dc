/** What a mapping is for, as people type and read it: a name, or a field of line protocol with some tags. */
import type { FieldKey, SeriesKey } from "../../../contract/series-key.ts";
import { FormError } from "./form-error.ts";

/** `line=1, host=gw 7`; the values may have blanks, and `\,` and `\=` stand for the signs themselves. */
export const tagsText = (tags: FieldKey["tags"]): string =>
  Object.entries(tags)
    .map(([key, value]) => `${escaped(key)}=${escaped(value)}`)
    .join(", ");

const escaped = (text: string) => text.replace(/[\\,=]/g, "\\$&");
const plain = (text: string) => text.replace(/\\(.)/g, "$1");
/** A part up to the sign that is not escaped. */
const partsOf = (text: string, sign: "," | "=") =>
  text.match(sign === "," ? /(?:\\.|[^\\,])+/g : /(?:\\.|[^\\=])+/g) ?? [];

/** @throws {FormError} for people */
export function tagsOf(text: string): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const pair of partsOf(text, ",")) {
    if (pair.trim() === "") continue;
    const [key = "", value = "", ...more] = partsOf(pair.trim(), "=");
    if (key.trim() === "" || value.trim() === "" || more.length > 0)
      throw new FormError(`"${pair.trim()}" is no tag; write them as line=1, host=a.`);
    tags[plain(key.trim())] = plain(value.trim());
  }
  return tags;
}

/** Says which of two keys is meant, whatever the order of their tags. */
export const keyText = (key: SeriesKey): string =>
  "name" in key
    ? JSON.stringify([key.name])
    : JSON.stringify([key.measurement, key.field, Object.entries(key.tags).sort()]);

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/**
 * How a reading named its sensor: what a mapping must be for so that it fits.
 * @param raw the reading as it was sent
 * @returns null: it named none, or said the id
 */
export function sentKey(raw: unknown): SeriesKey | null {
  if (typeof raw !== "object" || raw === null) return null;
  const { sensor_id, sensor, measurement, field, tags } = raw as Readonly<Record<string, unknown>>;
  if (isText(sensor_id)) return null;
  if (isText(sensor)) return { name: sensor };
  if (!isText(measurement) || !isText(field)) return null;
  // These two tell of the value, not which sensor it is.
  const { unit: _, quality: __, ...naming } = (tags ?? {}) as FieldKey["tags"];
  return { measurement, field, tags: naming };
}

/** How a reading named its sensor, in words; null: it did not. */
export function sentName(raw: unknown): string | null {
  const key = sentKey(raw);
  return key && keyName(key);
}

/** Short, for a table or a heading. */
export function keyName(key: SeriesKey): string {
  if ("name" in key) return key.name;
  const tags = tagsText(key.tags);
  return `${key.measurement} ${key.field}${tags ? ` (${tags})` : ""}`;
}
