/**
 * Names of what is measured, for readings that do not say the id of their sensor: a plain name, or the measurement,
 * the tags and the field of line protocol. A mapping of the registry says which sensor a name means. A name without
 * a mapping stands for a sensor whose id follows from it (a UUIDv5 of the system and the name), so that it is the
 * same sensor in every batch, thread and process.
 */
import { uuidV5 } from "./name-uuid.ts";
import type { FieldKey, SeriesKey } from "./series-key.ts";

export type { FieldKey, SeriesKey } from "./series-key.ts";

/** A mapping of the registry. Of a field it names the tags that a line must have; others may be there too. */
export interface SeriesMapping {
  readonly key: SeriesKey;
  /** Lower case. */
  readonly sensor_id: string;
  /** Of values that come without a unit of their own; null: the sensor's. */
  readonly unit: string | null;
}

/** The sensor that a name stands for. */
export interface SeriesTarget {
  readonly sensor_id: string;
  readonly unit: string | null;
  /** The name, when no mapping knows it and the id was made from it. */
  readonly name: string | null;
}

/** Tags that describe the readings of a series and do not tell it apart from others. */
export const UNIT_TAG = "unit";
export const QUALITY_TAG = "quality";
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The number that a text is as JSON writes numbers; undefined when it is none. */
export function numberIn(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined;
}

/** The tags that belong to the name: all but `unit`, and `quality` where it is a number. */
function namingTags(tags: FieldKey["tags"]): [string, string][] {
  return Object.entries(tags).filter(
    ([key, value]) => key !== UNIT_TAG && (key !== QUALITY_TAG || numberIn(value) === undefined),
  );
}

const escaped = (text: string) => text.replace(/[\\,= ]/g, "\\$&");

/** A field as line protocol would write it, its tags in order and backslashes doubled: `pump,host=a pressure`. */
export function fieldText(measurement: string, tags: readonly [string, string][], field: string): string {
  const sorted = [...tags].sort(([a], [b]) => (a < b ? -1 : 1));
  const pairs = sorted.map(([key, value]) => `,${escaped(key)}=${escaped(value)}`).join("");
  return `${measurement.replace(/[\\, ]/g, "\\$&")}${pairs} ${escaped(field)}`;
}

/** A name as people see it and as it is found in a mapping. */
export function seriesName(key: SeriesKey): string {
  if ("name" in key) return key.name;
  return fieldText(key.measurement, namingTags(key.tags), key.field);
}

/** The text of what a mapping is for. */
export function mappingText(key: SeriesKey): string {
  return "name" in key ? key.name : fieldText(key.measurement, Object.entries(key.tags), key.field);
}

/** Id of the mapping of a key: there is one. */
export function mappingId(system_id: string, key: SeriesKey): string {
  return uuidV5(system_id, `mapping of a ${"name" in key ? "name" : "field"}: ${mappingText(key)}`);
}

/** Two mappings fit a field alike, so that nobody can say which sensor is meant. */
export class AmbiguousSeries {
  constructor(
    readonly name: string,
    readonly rivals: readonly string[],
  ) {}
}

/** Names remembered; beyond it all are forgotten and worked out again. */
const MAX_REMEMBERED = 50_000;

/** Mappings of one measurement and field that name the same tags, by the values of these. */
interface TagGroup {
  readonly names: readonly string[];
  readonly byValues: Map<string, SeriesMapping>;
}

/** Finds the sensors of one system's names. */
export class SeriesMap {
  readonly #names = new Map<string, SeriesMapping>();
  /** By measurement and field, those of the most tags first. */
  readonly #fields = new Map<string, TagGroup[]>();
  readonly #byName = new Map<string, SeriesTarget>();
  /** What was found of keys that are still in use. */
  readonly #byKey = new WeakMap<FieldKey, SeriesTarget | AmbiguousSeries>();

  /** @param system_id lower-case UUID */
  constructor(
    readonly system_id: string,
    mappings: readonly SeriesMapping[] = [],
  ) {
    for (const mapping of mappings) {
      if ("name" in mapping.key) this.#names.set(mapping.key.name, mapping);
      else this.#addField(mapping, mapping.key);
    }
    for (const groups of this.#fields.values()) groups.sort((a, b) => b.names.length - a.names.length);
  }

  /** The sensor that a key stands for. A mapping of the very name goes first, then that of the most tags. */
  find(key: SeriesKey): SeriesTarget | AmbiguousSeries {
    if ("name" in key) return this.#named(key.name);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const found = this.#findField(key);
    this.#byKey.set(key, found);
    return found;
  }

  #findField(key: FieldKey): SeriesTarget | AmbiguousSeries {
    const name = seriesName(key);
    const exact = this.#names.get(name);
    if (exact !== undefined) return targetOf(exact);
    const rivals = this.#fitting(key);
    const [first, second] = rivals;
    if (first === undefined) return this.#named(name);
    if (second === undefined) return targetOf(first);
    const texts = rivals.map((mapping) => mappingText(mapping.key));
    return new AmbiguousSeries(name, texts);
  }

  #addField(mapping: SeriesMapping, { measurement, field, tags }: FieldKey): void {
    const groups = this.#fields.getOrInsertComputed(groupKey(measurement, field), () => []);
    const names = Object.keys(tags).sort();
    let group = groups.find((one) => one.names.join("\0") === names.join("\0"));
    if (group === undefined) {
      group = { names, byValues: new Map() };
      groups.push(group);
    }
    group.byValues.set(valuesKey(names, tags), mapping);
  }

  /** Those of the mappings that fit, have the most tags and mean different things, in the order of their texts. */
  #fitting({ measurement, field, tags }: FieldKey): SeriesMapping[] {
    const groups = this.#fields.get(groupKey(measurement, field)) ?? [];
    const fit: SeriesMapping[] = [];
    let best = 0;
    for (const { names, byValues } of groups) {
      if (fit.length > 0 && names.length < best) break;
      const mapping = names.every((name) => Object.hasOwn(tags, name))
        ? byValues.get(valuesKey(names, tags))
        : undefined;
      if (mapping === undefined) continue;
      best = names.length;
      fit.push(mapping);
    }
    if (fit.length < 2) return fit;
    const meaning = ({ sensor_id, unit }: SeriesMapping) => `${sensor_id} ${unit}`;
    return fit
      .filter((mapping, i) => fit.findIndex((other) => meaning(other) === meaning(mapping)) === i)
      .sort((a, b) => (mappingText(a.key) < mappingText(b.key) ? -1 : 1));
  }

  #named(sent: string): SeriesTarget {
    const known = this.#byName.get(sent);
    if (known !== undefined) return known;
    // A copy: a part of a text would keep the whole body that it came in.
    const name = Buffer.from(sent).toString();
    const mapping = this.#names.get(name);
    const target = mapping
      ? targetOf(mapping)
      : { sensor_id: uuidV5(this.system_id, name), unit: null, name };
    if (this.#byName.size >= MAX_REMEMBERED) this.#byName.clear();
    this.#byName.set(name, target);
    return target;
  }
}

const groupKey = (measurement: string, field: string) => `${measurement}\0${field}`;
const valuesKey = (names: readonly string[], tags: FieldKey["tags"]) =>
  names.map((name) => tags[name]).join("\0");
const targetOf = ({ sensor_id, unit }: SeriesMapping): SeriesTarget => ({ sensor_id, unit, name: null });
