/**
 * Names of what is measured, for readings that do not say the id of their sensor: a plain name, or the measurement,
 * the tags and the field of line protocol. A mapping of the registry says which sensor a name means. A name without
 * a mapping stands for a sensor whose id follows from it (a UUIDv5 of the system and the name), so that it is the
 * same sensor in every batch, thread and process.
 */
import { uuidV5 } from "./name-uuid.ts";

/** A field of line protocol. */
export interface FieldKey {
  readonly measurement: string;
  readonly field: string;
  readonly tags: Readonly<Record<string, string>>;
}
export type SeriesKey = { readonly name: string } | FieldKey;

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

/** Finds the sensors of one system's names. */
export class SeriesMap {
  readonly #names = new Map<string, SeriesMapping>();
  /** By measurement and field, those with the most tags first. */
  readonly #fields = new Map<string, SeriesMapping[]>();
  readonly #remembered = new Map<string, SeriesTarget>();

  /** @param system_id lower-case UUID */
  constructor(
    readonly system_id: string,
    mappings: readonly SeriesMapping[] = [],
  ) {
    for (const mapping of mappings) {
      if ("name" in mapping.key) this.#names.set(mapping.key.name, mapping);
      else this.#addField(mapping, mapping.key);
    }
  }

  /** The sensor that a key stands for. A mapping of the very name goes first, then that of the most tags. */
  find(key: SeriesKey): SeriesTarget | AmbiguousSeries {
    if ("name" in key) return this.#byName(key.name);
    const name = seriesName(key);
    const exact = this.#names.get(name);
    if (exact !== undefined) return targetOf(exact);
    const rivals = this.#fitting(key);
    const [first, second] = rivals;
    if (first === undefined) return this.#byName(name);
    if (second !== undefined)
      return new AmbiguousSeries(
        name,
        rivals.map((mapping) => mappingText(mapping.key)),
      );
    return targetOf(first);
  }

  #addField(mapping: SeriesMapping, { measurement, field }: FieldKey): void {
    const at = `${measurement}\0${field}`;
    const list = this.#fields.get(at) ?? [];
    list.push(mapping);
    list.sort((a, b) => tagCount(b) - tagCount(a));
    this.#fields.set(at, list);
  }

  /** Those of the mappings that fit, have the most tags and mean different things. */
  #fitting({ measurement, field, tags }: FieldKey): SeriesMapping[] {
    const list = this.#fields.get(`${measurement}\0${field}`);
    if (list === undefined) return [];
    const fit = list.filter(({ key }) =>
      Object.entries((key as FieldKey).tags).every(
        ([tag, value]) => Object.hasOwn(tags, tag) && tags[tag] === value,
      ),
    );
    const best = fit.filter((mapping) => tagCount(mapping) === tagCount(fit[0]!));
    const meaning = ({ sensor_id, unit }: SeriesMapping) => `${sensor_id} ${unit}`;
    return best.filter((mapping, i) => best.findIndex((other) => meaning(other) === meaning(mapping)) === i);
  }

  #byName(name: string): SeriesTarget {
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    const mapping = this.#names.get(name);
    const target = mapping
      ? targetOf(mapping)
      : { sensor_id: uuidV5(this.system_id, name), unit: null, name };
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(name, target);
    return target;
  }
}

const tagCount = ({ key }: SeriesMapping) => Object.keys((key as FieldKey).tags).length;
const targetOf = ({ sensor_id, unit }: SeriesMapping): SeriesTarget => ({ sensor_id, unit, name: null });
