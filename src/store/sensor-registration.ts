/** Registers the sensors of a group's first readings, in the transaction of these readings. */
import type { Registration } from "../contract/membership.ts";
import type { WriterTransaction } from "./writer-connection.ts";

/** Another transaction registered some of the sensors first, elsewhere or in another unit; nothing was written. */
export class SensorTakenError extends Error {
  override readonly name = "SensorTakenError";
  constructor(readonly sensor_ids: readonly string[]) {
    super(`${sensor_ids.length} sensors were registered differently in the meantime`);
  }
}

/** In the order of the ids, as every writer: two that register the same sensors wait and do not deadlock. */
const REGISTER = `INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit)
  SELECT id, system_id,
    CASE WHEN EXISTS (SELECT FROM diagnostics_sensor s WHERE s.system_id = new.system_id AND s.name = new.name)
      THEN new.name || '-' || left(md5(random()::text), 8) ELSE new.name END,
    quantity, unit
  FROM (SELECT id, system_id, 'sensor-' || replace(id::text, '-', '') AS name, quantity, unit
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS given (id, system_id, quantity, unit)) AS new
  ORDER BY id
  ON CONFLICT (id) DO NOTHING`;
/** A statement of its own, so that it sees what others committed while the first waited. */
const READ_BACK = "SELECT id, system_id, unit FROM diagnostics_sensor WHERE id = ANY($1::uuid[])";

/** @throws {SensorTakenError} */
export async function registerSensors(
  tx: WriterTransaction,
  sensors: readonly Registration[],
): Promise<void> {
  if (sensors.length === 0) return;
  const ids = sensors.map(({ id }) => id);
  await tx.query(REGISTER, [
    ids,
    sensors.map(({ system_id }) => system_id),
    sensors.map(({ quantity }) => quantity),
    sensors.map(({ unit }) => unit),
  ]);
  const rows = await tx.query<{ id: string; system_id: string; unit: string }>(READ_BACK, [ids]);
  const stored = new Map(rows.map((row) => [row.id, row]));
  const taken = sensors.filter(({ id, system_id, unit }) => {
    const row = stored.get(id);
    return row?.system_id !== system_id || row.unit !== unit;
  });
  if (taken.length > 0) throw new SensorTakenError(taken.map(({ id }) => id));
}
