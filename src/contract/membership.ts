/**
 * Whether the sensors of a group belong to the systems of its batches and measure what they are registered for.
 * Asked after the rules for a single reading, over typed arrays: a group in which all is well costs one comparison
 * of two small integers a row.
 */
import type { ReadingColumns } from "./columns.ts";
import type { KnownSensor } from "./known-sensor.ts";
import { quoted } from "./printable.ts";
import type { Refusal, RefusalReason } from "./refusal.ts";
import { MIN_QUALITY } from "./rule-settings.ts";
import type { UnitRegistry } from "./units.ts";

/** `auto`: the first good reading registers its sensor; `strict`: readings of unknown sensors are refused. */
export type SensorRegistration = "auto" | "strict";

/** A sensor that the group's transaction registers. */
export interface Registration {
  readonly id: string;
  readonly system_id: string;
  readonly quantity: string;
  /** Canonical unit of its first reading. */
  readonly unit: string;
  /** The name that its readings give; null when they give its id. */
  readonly name: string | null;
}

/** A row that may not be stored. */
export interface Misplaced {
  readonly row: number;
  readonly reason: RefusalReason;
  readonly details: string;
}

export interface Membership {
  readonly misplaced: readonly Misplaced[];
  readonly registrations: readonly Registration[];
}

/** Where the readings of one sensor of the group have to come from, as indexes. */
interface Expected {
  readonly system: Int32Array;
  readonly unit: Int32Array;
}

/** Nothing is registered: the first row decides. */
const OPEN = -1;
/** No row can fit. */
const CLOSED = -2;

export interface MembershipRules {
  readonly registration: SensorRegistration;
  readonly units: UnitRegistry;
}

/**
 * @param systems lower-case UUID of the system of each batch
 * @param known registered sensors by id
 */
export function judgeMembership(
  columns: ReadingColumns,
  systems: readonly string[],
  known: ReadonlyMap<string, KnownSensor>,
  rules: MembershipRules,
): Membership {
  const distinct = [...new Set(systems)];
  const systemOfBatch = Int32Array.from(systems, (id) => distinct.indexOf(id));
  const expected = expectations(columns, distinct, known, rules.registration);
  const registrations: Registration[] = [];
  const misplaced: Misplaced[] = [];
  for (let row = 0; row < columns.length; row += 1) {
    const sensor = columns.sensor[row]!;
    const system = systemOfBatch[columns.batch[row]!]!;
    if (expected.system[sensor] === OPEN) {
      expected.system[sensor] = system;
      expected.unit[sensor] = columns.unit[row]!;
      const unit = columns.units[columns.unit[row]!]!;
      const quantity = quantityOf(rules.units, unit);
      const id = columns.sensors[sensor]!;
      const name = columns.names.get(id) ?? null;
      registrations.push({ id, system_id: distinct[system]!, quantity, unit, name });
    } else if (expected.system[sensor] !== system || expected.unit[sensor] !== columns.unit[row]) {
      const id = columns.sensors[sensor]!;
      const first = known.get(id) ?? registered(registrations, id);
      misplaced.push({ row, ...explain(columns, row, first, distinct[system]!, rules.units) });
    }
  }
  return { misplaced, registrations };
}

function expectations(
  columns: ReadingColumns,
  systems: readonly string[],
  known: ReadonlyMap<string, KnownSensor>,
  mode: SensorRegistration,
): Expected {
  const system = new Int32Array(columns.sensors.length);
  const unit = new Int32Array(columns.sensors.length);
  columns.sensors.forEach((id, index) => {
    const sensor = known.get(id);
    if (sensor === undefined) {
      system[index] = mode === "auto" ? OPEN : CLOSED;
      return;
    }
    const at = sensor.archived ? -1 : systems.indexOf(sensor.system_id);
    system[index] = at < 0 ? CLOSED : at;
    const symbol = columns.units.indexOf(sensor.unit);
    unit[index] = symbol < 0 ? CLOSED : symbol;
  });
  return { system, unit };
}

type First = Pick<KnownSensor, "id" | "system_id" | "unit"> & { readonly archived?: boolean };

function registered(registrations: readonly Registration[], id: string): First | undefined {
  return registrations.find((registration) => registration.id === id);
}

function explain(
  columns: ReadingColumns,
  row: number,
  sensor: First | undefined,
  system_id: string,
  units: UnitRegistry,
): Omit<Misplaced, "row"> {
  const id = columns.sensors[columns.sensor[row]!]!;
  if (sensor?.archived) return { reason: "system_not_found", details: `sensor ${id} is archived` };
  if (sensor === undefined || sensor.system_id !== system_id) {
    const name = columns.names.get(id);
    const details =
      name === undefined
        ? `sensor ${id} is not registered in system ${system_id}`
        : `no mapping of system ${system_id} knows ${quoted(name)}, nor is there a sensor for it (${id})`;
    return { reason: "system_not_found", details };
  }
  const sent = columns.units[columns.unit[row]!]!;
  return { reason: "invalid_unit", details: wrongUnit(id, sensor.unit, sent, units) };
}

function quantityOf(units: UnitRegistry, symbol: string): string {
  return units.lookup(symbol)?.unit.quantity ?? symbol;
}

function wrongUnit(id: string, measured: string, sent: string, units: UnitRegistry): string {
  const quantity = quantityOf(units, measured);
  return `sensor ${id} measures ${quantity} in ${measured}; ${sent} is a unit of ${quantityOf(units, sent)}`;
}

/**
 * The unit is asked before the range: a reading that failed the range of a unit which its sensor does not have is
 * refused for the unit.
 */
export function regradeUnits(
  refusals: readonly Refusal[],
  known: ReadonlyMap<string, KnownSensor>,
  units: UnitRegistry,
): readonly Refusal[] {
  if (known.size === 0) return refusals;
  return refusals.map((refusal) => {
    const { reason, sensor_id, unit, quality } = refusal;
    if (reason !== "out_of_range" || sensor_id === null || unit === null) return refusal;
    const sensor = known.get(sensor_id);
    const sent = units.lookup(unit)?.unit.symbol;
    if (!sensor || sent === undefined || sent === sensor.unit || (quality ?? MIN_QUALITY) < MIN_QUALITY)
      return refusal;
    return {
      ...refusal,
      reason: "invalid_unit",
      details: wrongUnit(sensor_id, sensor.unit, sent, units),
      range_version: null,
    };
  });
}
