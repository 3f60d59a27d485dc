/**
 * What a change of a sensor makes sure of first, inside its transaction: the rows are there, in use, and stay so
 * until it commits. Always the system before its sensor, or both in one statement.
 */
import type postgres from "postgres";
import type { SensorKey } from "../contract/registry.ts";
import { RegistryError } from "./registry-errors.ts";

export type Transaction = postgres.TransactionSql<{ bigint: bigint }>;

/** @throws {RegistryError} system_not_found, archived */
export async function lockOpenSystem(tx: Transaction, system_id: string): Promise<void> {
  const rows = await tx<{ archived: boolean }[]>`
    SELECT archived_at IS NOT NULL AS archived FROM diagnostics_system WHERE id = ${system_id} FOR SHARE`;
  if (rows[0] === undefined) throw new RegistryError({ kind: "system_not_found" });
  if (rows[0].archived) throw new RegistryError({ kind: "archived", what: "system" });
}

/**
 * Keeps other editors of the sensor waiting, so that they see what this one did. Foreign keys do not wait for it.
 * @throws {RegistryError} system_not_found, sensor_not_found, archived
 */
export async function lockOpenSensor(
  tx: Transaction,
  { system_id, sensor_id }: SensorKey,
): Promise<{ unit: string }> {
  await lockOpenSystem(tx, system_id);
  const rows = await tx<{ unit: string; archived: boolean }[]>`
    SELECT unit, archived_at IS NOT NULL AS archived FROM diagnostics_sensor
    WHERE id = ${sensor_id} AND system_id = ${system_id} FOR NO KEY UPDATE`;
  const sensor = rows[0];
  if (sensor === undefined) throw new RegistryError({ kind: "sensor_not_found" });
  if (sensor.archived) throw new RegistryError({ kind: "archived", what: "sensor" });
  return sensor;
}

/**
 * Readings and limits are numbers in the unit of the sensor: with another unit they would mean something else.
 * @throws {RegistryError} unit_in_use
 */
export async function requireUnusedUnit(tx: Transaction, sensor_id: string): Promise<void> {
  const [held] = await tx<{ by_readings: boolean; by_range: boolean }[]>`
    SELECT EXISTS (SELECT 1 FROM diagnostics_sensordata WHERE sensor_id = ${sensor_id}) AS by_readings,
      EXISTS (SELECT 1 FROM (
          SELECT DISTINCT ON (valid_from) valid_from, min_value FROM diagnostics_sensor_range
          WHERE sensor_id = ${sensor_id} ORDER BY valid_from, version DESC) AS judging
        WHERE min_value IS NOT NULL AND valid_from >= coalesce((SELECT max(valid_from)
          FROM diagnostics_sensor_range WHERE sensor_id = ${sensor_id} AND valid_from <= now()), '-infinity')) AS by_range`;
  if (held?.by_readings) throw new RegistryError({ kind: "unit_in_use", by: "readings" });
  if (held?.by_range) throw new RegistryError({ kind: "unit_in_use", by: "range" });
}
