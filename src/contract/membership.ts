/**
 * Whether the sensors of a group belong to the systems of its batches and measure what they are registered for.
 * Asked after the rules for a single reading, over typed arrays: a group in which all is well costs one comparison
 * of two small integers a row.
 */
import type { ReadingColumns } from "./columns.ts";
import type { KnownSensor } from "./known-sensor.ts";
import type { RefusalReason } from "./refusal.ts";

/** `auto`: the first good reading registers its sensor; `strict`: readings of unknown sensors are refused. */
export type SensorRegistration = "auto" | "strict";

/** A sensor that the group's transaction registers. */
export interface Registration {
  readonly id: string;
  readonly system_id: string;
  /** Canonical unit of its first reading. */
  readonly unit: string;
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

/**
 * @param systems lower-case UUID of the system of each batch
 * @param known the registered ones among `columns.sensors`, by id
 * @param describe quantity of a canonical unit, for the details
 */
export function judgeMembership(
  columns: ReadingColumns,
  systems: readonly string[],
  known: ReadonlyMap<string, KnownSensor>,
  mode: SensorRegistration,
  quantityOf: (unit: string) => string,
): Membership {
  const distinct = [...new Set(systems)];
  const systemOfBatch = Int32Array.from(systems, (id) => distinct.indexOf(id));
  const expected = expectations(columns, distinct, known, mode);
  const registrations: Registration[] = [];
  const misplaced: Misplaced[] = [];
  for (let row = 0; row < columns.length; row += 1) {
    const sensor = columns.sensor[row]!;
    const system = systemOfBatch[columns.batch[row]!]!;
    if (expected.system[sensor] === OPEN) {
      expected.system[sensor] = system;
      expected.unit[sensor] = columns.unit[row]!;
      const unit = columns.units[columns.unit[row]!]!;
      registrations.push({ id: columns.sensors[sensor]!, system_id: distinct[system]!, unit });
    } else if (expected.system[sensor] !== system || expected.unit[sensor] !== columns.unit[row]) {
      const id = columns.sensors[sensor]!;
      const first = known.get(id) ?? registered(registrations, id);
      misplaced.push({ row, ...explain(columns, row, first, distinct[system]!, quantityOf) });
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
  quantityOf: (unit: string) => string,
): Omit<Misplaced, "row"> {
  const id = columns.sensors[columns.sensor[row]!]!;
  if (sensor?.archived) return { reason: "system_not_found", details: `sensor ${id} is archived` };
  if (sensor === undefined || sensor.system_id !== system_id) {
    return { reason: "system_not_found", details: `sensor ${id} is not registered in system ${system_id}` };
  }
  const sent = columns.units[columns.unit[row]!]!;
  const details = `sensor ${id} measures ${quantityOf(sensor.unit)} in ${sensor.unit}; ${sent} is a unit of ${quantityOf(sent)}`;
  return { reason: "invalid_unit", details };
}
