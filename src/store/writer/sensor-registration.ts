/** Registers the sensors of a group's first readings, in the transaction of these readings. */
import type { Registration } from "../../contract/membership.ts";
import { storable } from "../../contract/printable.ts";
import type { WriterTransaction } from "./connection.ts";

/** Another transaction registered some of the sensors first, elsewhere or in another unit; nothing was written. */
export class SensorTakenError extends Error {
  override readonly name = "SensorTakenError";
  constructor(readonly sensor_ids: readonly string[]) {
    super(`${sensor_ids.length} sensors were registered differently in the meantime`);
  }
}

/**
 * In the order of the ids, as every writer: two that register the same sensors wait and do not deadlock. A name that
 * somebody else takes in this moment leaves its sensor out, and the group is tried again.
 */
const REGISTER = `INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit)
  SELECT id, system_id,
    CASE WHEN EXISTS (SELECT FROM diagnostics_sensor s WHERE s.system_id = new.system_id AND s.name = new.name)
      THEN new.name || '-' || left(md5(random()::text), 8) ELSE new.name END,
    quantity, unit
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
    AS new (id, system_id, quantity, unit, name)
  ORDER BY id
  ON CONFLICT DO NOTHING`;
/** A statement of its own, so that it sees what others committed while the first waited. */
const READ_BACK = "SELECT id, system_id, unit FROM diagnostics_sensor WHERE id = ANY($1::uuid[])";

/** Shorter than a name may be, so that there is room to tell it from one that is taken. */
const MAX_NAME = 140;
const ID_SHOWN = 8;

/** The name that a sensor's readings give, made fit for lists; without one, its id. */
function registeredName({ id, name }: Pick<Registration, "id" | "name">): string {
  if (name === null) return `sensor-${id.replaceAll("-", "")}`;
  const clean = storable(name, MAX_NAME)
    .replace(/\p{Cc}/gu, "\ufffd")
    .trim();
  // Two names that become one this way are still two sensors.
  return clean === name
    ? name
    : `${storable(clean, MAX_NAME - ID_SHOWN - 1).trim()}-${id.slice(0, ID_SHOWN)}`;
}

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
    sensors.map(registeredName),
  ]);
  const rows = await tx.query<{ id: string; system_id: string; unit: string }>(READ_BACK, [ids]);
  const stored = new Map(rows.map((row) => [row.id, row]));
  const taken = sensors.filter(({ id, system_id, unit }) => {
    const row = stored.get(id);
    return row?.system_id !== system_id || row.unit !== unit;
  });
  if (taken.length > 0) throw new SensorTakenError(taken.map(({ id }) => id));
}
