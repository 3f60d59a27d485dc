/**
 * Changes of a sensor without transactions: its state is read, the change is decided, and written only if the row is
 * still the one that was read. postgres.js throws outside of any promise when the backend of a transaction dies
 * within a statement, so there is none here; each write is one statement.
 */
import type { SensorKey } from "../contract/registry-records.ts";
import { type Database, type Sql, StoreUnavailableError } from "./pool.ts";
import { RegistryError } from "./registry-errors.ts";

/** Editors of one sensor at once that each get their turn. */
const MAX_ATTEMPTS = 20;

/** A sensor in use, as it was read. */
export interface SensorState {
  readonly unit: string;
  /** Stands for this state of the row, its ranges included: every change sets updated_at. */
  readonly seen: string;
  /** Its newest range version; null when it never had one. */
  readonly newest: {
    readonly version: number;
    readonly min: number | null;
    readonly max: number | null;
    readonly valid_from: Date;
    readonly begun: boolean;
  } | null;
}

interface StateRow {
  readonly system_archived: boolean;
  readonly archived: boolean;
  readonly unit: string | null;
  readonly seen: string | null;
  readonly version: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly valid_from: Date | null;
  readonly begun: boolean | null;
}

/** @throws {RegistryError} system_not_found, sensor_not_found, archived @throws {StoreUnavailableError} */
export async function openSensor(
  database: Database,
  { system_id, sensor_id }: SensorKey,
): Promise<SensorState> {
  const rows = await database.run(
    "state of sensor",
    (sql) => sql<StateRow[]>`
      SELECT y.archived_at IS NOT NULL AS system_archived, s.archived_at IS NOT NULL AS archived, s.unit,
        s.updated_at::text AS seen, r.version, r.min_value AS min, r.max_value AS max, r.valid_from,
        r.valid_from <= clock_timestamp() AS begun
      FROM diagnostics_system y
      LEFT JOIN diagnostics_sensor s ON s.system_id = y.id AND s.id = ${sensor_id}
      LEFT JOIN LATERAL (SELECT * FROM diagnostics_sensor_range WHERE sensor_id = s.id
        ORDER BY version DESC LIMIT 1) r ON true
      WHERE y.id = ${system_id}`,
  );
  const row = rows[0];
  if (row === undefined) throw new RegistryError({ kind: "system_not_found" });
  const { system_archived, archived, unit, seen, version, min, max, valid_from, begun } = row;
  if (unit === null || seen === null) throw new RegistryError({ kind: "sensor_not_found" });
  if (archived) throw new RegistryError({ kind: "archived", what: "sensor" });
  if (system_archived) throw new RegistryError({ kind: "archived", what: "system" });
  if (version === null || valid_from === null) return { unit, seen, newest: null };
  return { unit, seen, newest: { version, min, max, valid_from, begun: begun === true } };
}

/** True for the sensor only as it was read. */
export function unchanged(sql: Sql, { sensor_id }: SensorKey, { seen }: SensorState) {
  return sql`id = ${sensor_id} AND updated_at::text = ${seen}`;
}

/**
 * Repeat `attempt` until it says that it met the state it had read.
 * @throws {StoreUnavailableError} when others keep changing it; and what `attempt` throws
 */
export async function untilUndisturbed(attempt: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < MAX_ATTEMPTS; n += 1) if (await attempt()) return;
  throw new StoreUnavailableError("it was changed by others all the time");
}

/**
 * Readings and limits are numbers in the unit of the sensor: with another unit they would mean something else.
 * @throws {RegistryError} unit_in_use @throws {StoreUnavailableError}
 */
export async function requireUnusedUnit(database: Database, sensor_id: string): Promise<void> {
  const [held] = await database.run(
    "use of unit",
    (sql) => sql<{ by_readings: boolean; by_range: boolean }[]>`
      SELECT EXISTS (SELECT 1 FROM diagnostics_sensordata WHERE sensor_id = ${sensor_id}) AS by_readings,
        EXISTS (SELECT 1 FROM (
            SELECT DISTINCT ON (valid_from) valid_from, min_value FROM diagnostics_sensor_range
            WHERE sensor_id = ${sensor_id} ORDER BY valid_from, version DESC) AS version
          WHERE min_value IS NOT NULL AND valid_from >= coalesce((SELECT max(valid_from)
            FROM diagnostics_sensor_range WHERE sensor_id = ${sensor_id} AND valid_from <= clock_timestamp()),
            '-infinity')) AS by_range`,
  );
  if (held?.by_readings) throw new RegistryError({ kind: "unit_in_use", by: "readings" });
  if (held?.by_range) throw new RegistryError({ kind: "unit_in_use", by: "range" });
}
