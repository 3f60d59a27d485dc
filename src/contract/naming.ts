/**
 * Readings that name their sensor instead of giving its id, as the rules see them: with the sensor that the name
 * stands for, and with a unit. The unit is the reading's own; else the mapping's; else that of the tag `unit`; else
 * the registered sensor's. The tag goes before the sensor's because values under it are converted: the first reading
 * in psi registers a sensor in bar, and the second one is still in psi.
 */
import { Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import type { KnownSensor } from "./known-sensor.ts";
import { quoted } from "./printable.ts";
import { READING_FIELDS } from "./reading.ts";
import {
  AmbiguousSeries,
  numberIn,
  QUALITY_TAG,
  type SeriesKey,
  type SeriesMap,
  seriesName,
  UNIT_TAG,
} from "./series.ts";
import { isObject, isReading, SERIES_FIELDS } from "./structure.ts";

/** What the registry says of one system's names. */
export interface Naming {
  readonly series: SeriesMap;
  /** Registered sensors by lower-case id. */
  readonly sensors: ReadonlyMap<string, KnownSensor>;
}

/** What all readings of a name have in common. */
export interface Resolved {
  /** Lower case. */
  readonly sensor_id: string;
  /** Of readings without a unit of their own; undefined: nobody says one. */
  readonly unit: string | undefined;
  /** Of readings without a quality of their own. */
  readonly quality: number | undefined;
  /** For the registration of the sensor; see `SeriesTarget`. */
  readonly name: string | null;
}

/** A reading whose structure is good, with its sensor found. */
export interface SeenReading {
  readonly sensor_id: string;
  readonly timestamp: string;
  readonly value: number;
  readonly unit: string | undefined;
  readonly quality?: number | undefined;
}

export interface Identified {
  readonly reading: SeenReading;
  readonly name: string | null;
}

/** The readings of some batches, one by one. */
export interface SentReadings {
  /** As it was sent: what the quarantine keeps. */
  raw(batch: number, ordinal: number): unknown;
  /** As the rules see it, with its sensor and unit where it only names them; see `seenReading`. */
  seen(batch: number, ordinal: number): SeenReading | undefined;
}

const { timestamp, value, unit, sensor } = READING_FIELDS;
const measured = { timestamp, value, unit: Type.Optional(unit), quality: Type.Optional(Type.Number()) };
const named = { sensor };
const nameCheck = TypeCompiler.Compile(Type.Object(named));
const fieldCheck = TypeCompiler.Compile(Type.Object(SERIES_FIELDS));
const measuredCheck = TypeCompiler.Compile(Type.Object(measured));

/** What a key stands for. */
export function resolve(key: SeriesKey, { series, sensors }: Naming): Resolved | AmbiguousSeries {
  const target = series.find(key);
  if (target instanceof AmbiguousSeries) return target;
  const tag = (name: string) => ("tags" in key && Object.hasOwn(key.tags, name) ? key.tags[name] : undefined);
  return {
    sensor_id: target.sensor_id,
    unit: target.unit ?? tag(UNIT_TAG) ?? sensors.get(target.sensor_id)?.unit,
    quality: numberIn(tag(QUALITY_TAG) ?? ""),
    name: target.name,
  };
}

/**
 * A reading that names its sensor, with the sensor found. The quarantine keeps readings of line protocol with
 * measurement, tags and field, so that they can be judged again.
 * @returns undefined when the value is no such reading
 */
export function identify(raw: unknown, naming: Naming): Identified | AmbiguousSeries | undefined {
  const key = keyOf(raw);
  if (key === undefined || !measuredCheck.Check(raw)) return undefined;
  const resolved = resolve(key, naming);
  if (resolved instanceof AmbiguousSeries) return resolved;
  const { sensor_id, name } = resolved;
  const { timestamp, value, unit = resolved.unit, quality = resolved.quality } = raw;
  return { reading: { sensor_id, timestamp, value, unit, quality }, name };
}

/** What can be seen of a value that is no reading, but names a sensor; any other value as it is. */
export function partlySeen(raw: unknown, naming: Naming | undefined): unknown {
  const key = naming && keyOf(raw);
  const resolved = key && resolve(key, naming);
  if (resolved === undefined || resolved instanceof AmbiguousSeries) return raw;
  const { sensor_id, unit, quality } = resolved;
  return { unit, quality, ...(raw as object), sensor_id };
}

/** A reading as the rules see it, whether it gives an id or a name; undefined when no sensor can be found in it. */
export function seenReading(raw: unknown, naming: Naming): SeenReading | undefined {
  if (isReading(raw)) return raw;
  const identified = identify(raw, naming);
  return identified instanceof AmbiguousSeries ? undefined : identified?.reading;
}

function keyOf(raw: unknown): SeriesKey | undefined {
  if (!isObject(raw) || raw.sensor_id !== undefined) return undefined;
  if (nameCheck.Check(raw)) return { name: raw.sensor };
  if (raw.sensor !== undefined || !fieldCheck.Check(raw)) return undefined;
  const { measurement, field, tags } = raw;
  return { measurement, field, tags };
}

/** Why a reading that names its sensor has no unit. */
export function unitMissing(raw: unknown): string {
  const key = keyOf(raw);
  const whose = key === undefined ? "" : ` of ${quoted(seriesName(key))}`;
  return `nobody says the unit${whose}: not the reading, nor a mapping, nor a registered sensor`;
}

/** Why a reading whose name fits several mappings is refused. */
export function ambiguity({ name, rivals }: AmbiguousSeries): string {
  return `${quoted(name)} fits several mappings of the system alike: ${rivals.map(quoted).join(" and ")}`;
}
