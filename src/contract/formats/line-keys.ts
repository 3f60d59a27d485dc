/** Measurements, tags and fields by their texts, each distinct one taken apart once. */
import { quoted } from "../printable.ts";
import type { FieldKey } from "../series.ts";
import { partEnd } from "./line-scan.ts";

/** Characters of a measurement with its tags: they are kept with every refused reading. */
export const MAX_KEY_LENGTH = 4_096;
const COMMA = 44;
const EQUALS = 61;

/** A measurement with its tags, and its fields by their names as sent. */
interface ParsedKey {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Map<string, FieldKey>;
}

/** A text that is no measurement with tags, and why. */
export class KeyFault {
  constructor(readonly why: string) {}
}

/**
 * Producers send the same measurements and tags in every batch: what was taken apart is remembered, and forgotten
 * altogether when it grows beyond this, characters.
 */
const MAX_REMEMBERED = 4_194_304;
const remembered = new Map<string, ParsedKey | KeyFault>();
let remembered_size = 0;

function parsed(sent: string): ParsedKey | KeyFault {
  const known = remembered.get(sent);
  if (known !== undefined) return known;
  if (sent.length > MAX_KEY_LENGTH) return TOO_LONG;
  // A copy: a part of a text would keep the whole body that it came in.
  const text = Buffer.from(sent).toString();
  const key = parsedKey(text);
  grow(text.length);
  remembered.set(text, key);
  return key;
}

function grow(size: number): void {
  remembered_size += size;
  if (remembered_size <= MAX_REMEMBERED) return;
  remembered.clear();
  remembered_size = size;
}

/** A measurement with its tags, as one body has it. */
export interface LineKey {
  readonly parsed: ParsedKey;
  /** Positions in `LineKeys.series` of its fields, by their names as sent. */
  readonly positions: Map<string, number>;
}

/** What one body is about. */
export class LineKeys {
  /** Every field of every measurement and tag set, once. */
  readonly series: FieldKey[] = [];
  readonly #keys = new Map<string, LineKey | KeyFault>();

  key(text: string): LineKey | KeyFault {
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    const found = parsed(text);
    const key = found instanceof KeyFault ? found : { parsed: found, positions: new Map<string, number>() };
    this.#keys.set(text, key);
    return key;
  }

  /** Position in `series` of a field. @param name as sent, not empty */
  field({ parsed: key, positions }: LineKey, name: string): number {
    const known = positions.get(name);
    if (known !== undefined) return known;
    const position = this.series.push(fieldOf(key, name)) - 1;
    positions.set(name, position);
    return position;
  }
}

function fieldOf({ measurement, tags, fields }: ParsedKey, sent: string): FieldKey {
  const known = fields.get(sent);
  if (known !== undefined) return known;
  const name = Buffer.from(sent).toString();
  const key = { measurement, tags, field: plain(name, TAG_ESCAPES) };
  grow(name.length);
  fields.set(name, key);
  return key;
}

const TOO_LONG = new KeyFault(`the measurement and its tags have more than ${MAX_KEY_LENGTH} characters`);
const MEASUREMENT_ESCAPES = /\\([, ])/g;
const TAG_ESCAPES = /\\([,= ])/g;

function plain(text: string, escapes: RegExp): string {
  return text.includes("\\") ? text.replace(escapes, "$1") : text;
}

function parsedKey(text: string): ParsedKey | KeyFault {
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
