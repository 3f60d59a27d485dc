/** Systems, sensors and the ranges of sensors as the store keeps them, and how they become answers. */
import type { EffectiveRange, UnitList } from "./registry.ts";
import type { Range, UnitRegistry } from "./units.ts";

/** Which sensor of which system; lower-case UUIDs. */
export interface SensorKey {
  readonly system_id: string;
  readonly sensor_id: string;
}

/** A system as the store keeps it. */
export interface SystemRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly archived_at: Date | null;
}

/** A sensor as the store keeps it, with the version of its own range that judges at the moment of the query. */
export interface SensorRecord {
  readonly id: string;
  readonly system_id: string;
  readonly name: string;
  readonly quantity: string;
  readonly unit: string;
  readonly expected_rate_hz: number | null;
  readonly created_by: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly archived_at: Date | null;
  readonly own_range: OwnRange | null;
}

/** A version that judges; `range` is null when it says: the unit's. */
export interface OwnRange {
  readonly version: number;
  readonly range: Range | null;
}

/** A version as the store keeps it; both limits are null when it says: the unit's. */
export interface RangeVersionRecord {
  readonly version: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly valid_from: Date;
  readonly author: string;
  readonly author_name: string | null;
  readonly created_at: Date;
}

/** A mapping as the store keeps it: of a name, or of a field; the columns of the other kind are null. */
export interface MappingRecord {
  readonly id: string;
  readonly system_id: string;
  readonly label: string;
  readonly name: string | null;
  readonly measurement: string | null;
  readonly field: string | null;
  readonly tags: Readonly<Record<string, string>> | null;
  readonly sensor_id: string;
  readonly sensor_name: string;
  readonly unit: string | null;
  readonly author: string;
  readonly author_name: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** The limits that judge readings of a sensor: its own, else its unit's, else none (the unit is configured no more). */
export function effectiveRange(unit: string, own: OwnRange | null, units: UnitRegistry): EffectiveRange {
  if (own?.range) return { ...own.range, source: "sensor", version: own.version };
  const known = units.list().find(({ symbol }) => symbol === unit);
  const { min = null, max = null, source = null } = known ?? {};
  return { min, max, source, version: null };
}

/** What clients see of a sensor; dates become RFC 3339 in JSON. */
export function toSensorView({ own_range, ...sensor }: SensorRecord, units: UnitRegistry) {
  return { ...sensor, range: effectiveRange(sensor.unit, own_range, units) };
}

/** The unit registry as answered. Constants are text, so that no reader rounds them. */
export function toUnitList(units: UnitRegistry): UnitList {
  return {
    items: units.list().map(({ aliases, ...unit }) => ({
      ...unit,
      aliases: aliases.map(({ spellings, offset = 0, factor = 1, divisor = 1 }) => ({
        spellings: [...spellings],
        offset: String(offset),
        factor: divisor === 1 ? String(factor) : `${factor}/${divisor}`,
      })),
    })),
  };
}
