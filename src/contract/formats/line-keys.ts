/** Measurements, tags and fields by their texts, each distinct one taken apart once. */
import { quoted } from "../printable.ts";
import type { FieldKey } from "../series.ts";
import { partEnd } from "./line-scan.ts";

/** Characters of a measurement with its tags: they are kept with every refused reading. */
export const MAX_KEY_LENGTH = 4_096;
const COMMA = 44;
const EQUALS = 61;

/** A measurement with its tags. */
export interface LineKey {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Positions in `LineKeys.series` of its fields, by their names as sent. */
  readonly fields: Map<string, number>;
}

/** A text that is no measurement with tags, and why. */
export class KeyFault {
  constructor(readonly why: string) {}
}

export class LineKeys {
  /** Every field of every measurement and tag set, once. */
  readonly series: FieldKey[] = [];
  readonly #keys = new Map<string, LineKey | KeyFault>();

  key(text: string): LineKey | KeyFault {
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    const key = text.length > MAX_KEY_LENGTH ? TOO_LONG : parsedKey(text);
    this.#keys.set(text, key);
    return key;
  }

  /** Position in `series` of a field. @param name as sent, not empty */
  field(key: LineKey, name: string): number {
    const known = key.fields.get(name);
    if (known !== undefined) return known;
    const { measurement, tags } = key;
    const position = this.series.push({ measurement, tags, field: plain(name, TAG_ESCAPES) }) - 1;
    key.fields.set(name, position);
    return position;
  }
}

const TOO_LONG = new KeyFault(`the measurement and its tags have more than ${MAX_KEY_LENGTH} characters`);
const MEASUREMENT_ESCAPES = /\\([, ])/g;
const TAG_ESCAPES = /\\([,= ])/g;

function plain(text: string, escapes: RegExp): string {
  return text.includes("\\") ? text.replace(escapes, "$1") : text;
}

function parsedKey(text: string): LineKey | KeyFault {
  const end = partEnd(text, 0, COMMA);
  if (end === 0) return new KeyFault(`the line has no measurement: ${quoted(text)}`);
  // Object.create: a tag may have any name.
  const tags: Record<string, string> = Object.create(null);
  for (let at = end; at < text.length; ) {
    const tagEnd = partEnd(text, at + 1, COMMA);
    const tag = text.slice(at + 1, tagEnd);
    const equals = partEnd(tag, 0, EQUALS);
    const name = plain(tag.slice(0, equals), TAG_ESCAPES);
    const value = plain(tag.slice(equals + 1), TAG_ESCAPES);
    if (name === "" || value === "") return new KeyFault(`${quoted(tag)} is not a tag with a value`);
    if (name in tags) return new KeyFault(`the tag ${quoted(name)} is there twice`);
    tags[name] = value;
    at = tagEnd;
  }
  return { measurement: plain(text.slice(0, end), MEASUREMENT_ESCAPES), tags, fields: new Map() };
}
