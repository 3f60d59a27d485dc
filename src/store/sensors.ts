/** Registered sensors: to list, to read and to change. Ingest registers and reads them elsewhere (`registry.ts`). */
import type { OwnRange, SensorKey, SensorRecord } from "../contract/registry-records.ts";
import type { Range } from "../contract/units.ts";
import { takenKey } from "./errors.ts";
import type { Database, Sql } from "./pool.ts";
import { RegistryError } from "./registry-errors.ts";
import { openSensor, requireUnusedUnit, unchanged, untilUndisturbed } from "./registry-state.ts";
import { insertVersion } from "./sensor-ranges.ts";
import { type ArchivedFilter, archivedCondition } from "./systems.ts";

export interface SensorQuery {
  readonly archived: ArchivedFilter;
  /** Part of the name, the quantity, the unit or the id, in either case. */
  readonly text: string | undefined;
  /** Name of the last one seen. */
  readonly after: string | null;
  readonly limit: number;
}

export interface NewSensor extends SensorKey {
  readonly name: string;
  readonly quantity: string;
  /** Canonical. */
  readonly unit: string;
  readonly expected_rate_hz: number | null;
  /** Id of a user. */
  readonly created_by: string;
  /** First version of its own range; null: its unit's. */
  readonly range: Range | null;
}

/** What is undefined stays. */
export interface SensorChange {
  readonly name: string | undefined;
  readonly expected_rate_hz: number | null | undefined;
  /** Canonical. */
  readonly unit: { readonly symbol: string; readonly quantity: string } | undefined;
}

/** Timestamps of the oldest and the newest stored reading, µs since the epoch; null without readings. */
export interface ReadingSpan {
  readonly first_us: number | null;
  readonly last_us: number | null;
}

const NAME_KEY = "diagnostics_sensor_system_id_name_key";

interface SensorRow extends Omit<SensorRecord, "own_range"> {
  readonly version: number | null;
  readonly min_value: number | null;
  readonly max_value: number | null;
}

function toRecord({ version, min_value: min, max_value: max, ...sensor }: SensorRow): SensorRecord {
  const range = min === null || max === null ? null : { min, max };
  const own_range: OwnRange | null = version === null ? null : { version, range };
  return { ...sensor, own_range };
}

export class SensorStore {
  constructor(private readonly database: Database) {}

  /**
   * Sensors of a system by name, each with the version of its range that judges now.
   * @throws {RegistryError} system_not_found @throws {StoreUnavailableError}
   */
  async list(system_id: string, query: SensorQuery): Promise<SensorRecord[]> {
    const { archived, text, after, limit } = query;
    const rows = await this.database.run("list sensors", (sql) =>
      selectSensors(
        sql,
        sql`(SELECT * FROM diagnostics_sensor WHERE system_id = ${system_id} AND ${archivedCondition(sql, archived)}
          ${after === null ? sql`` : sql`AND name > ${after}`}
          ${text === undefined ? sql`` : sql`AND strpos(lower(concat_ws(' ', name, quantity, unit, id)), lower(${text})) > 0`}
          ORDER BY name LIMIT ${limit})`,
      ),
    );
    if (rows.length === 0) await this.#requireSystem(system_id);
    return rows.map(toRecord);
  }

  /** @throws {RegistryError} sensor_not_found, system_not_found @throws {StoreUnavailableError} */
  async get({ system_id, sensor_id }: SensorKey): Promise<SensorRecord> {
    const rows = await this.database.run("sensor by id", (sql) =>
      selectSensors(
        sql,
        sql`(SELECT * FROM diagnostics_sensor WHERE id = ${sensor_id} AND system_id = ${system_id})`,
      ),
    );
    const row = rows[0];
    if (row !== undefined) return toRecord(row);
    await this.#requireSystem(system_id);
    throw new RegistryError({ kind: "sensor_not_found" });
  }

  /** Two steps on the unique index. @throws {StoreUnavailableError} */
  async readingSpan(sensor_id: string): Promise<ReadingSpan> {
    const rows = await this.database.run(
      "reading span of sensor",
      (sql) => sql<{ first_us: string | null; last_us: string | null }[]>`
        SELECT (SELECT (extract(epoch FROM "timestamp") * 1000000)::bigint FROM diagnostics_sensordata
                WHERE sensor_id = ${sensor_id} ORDER BY "timestamp" LIMIT 1) AS first_us,
               (SELECT (extract(epoch FROM "timestamp") * 1000000)::bigint FROM diagnostics_sensordata
                WHERE sensor_id = ${sensor_id} ORDER BY "timestamp" DESC LIMIT 1) AS last_us`,
    );
    const number = (text: string | null | undefined) =>
      text === null || text === undefined ? null : Number(text);
    return { first_us: number(rows[0]?.first_us), last_us: number(rows[0]?.last_us) };
  }

  /** @throws {RegistryError} system_not_found, archived, id_taken, name_taken @throws {StoreUnavailableError} */
  async register(sensor: NewSensor): Promise<void> {
    const { system_id, sensor_id, name, quantity, unit, expected_rate_hz: rate, created_by, range } = sensor;
    const first = { version: 1, range, valid_from_ms: null, author: created_by };
    const rows = await keysApart(
      this.database.run("register sensor", (sql) => {
        const made = sql`
          INSERT INTO diagnostics_sensor
            (id, system_id, name, quantity, unit, expected_rate_hz, created_by, created_at, updated_at)
          SELECT ${sensor_id}::uuid, id, ${name}::text, ${quantity}::text, ${unit}::text, ${rate}::float8,
            ${created_by}::uuid, clock_timestamp(), clock_timestamp()
          FROM diagnostics_system WHERE id = ${system_id} AND archived_at IS NULL
          RETURNING id`;
        if (range === null) return made;
        return sql`WITH sensor AS (${made}) ${insertVersion(sql, first)} RETURNING version`;
      }),
    );
    if (rows.length === 1) return;
    await this.#requireSystem(system_id);
    throw new RegistryError({ kind: "archived", what: "system" });
  }

  /**
   * @throws {RegistryError} sensor_not_found, system_not_found, archived, name_taken, unit_in_use
   * @throws {StoreUnavailableError}
   */
  async change(key: SensorKey, change: SensorChange): Promise<void> {
    const { name, expected_rate_hz: rate, unit } = change;
    await untilUndisturbed(async () => {
      const state = await openSensor(this.database, key);
      if (unit !== undefined && unit.symbol !== state.unit)
        await requireUnusedUnit(this.database, key.sensor_id);
      const rows = await keysApart(
        this.database.run(
          "change sensor",
          (sql) => sql`
            UPDATE diagnostics_sensor SET name = coalesce(${name ?? null}, name),
              expected_rate_hz = CASE WHEN ${rate !== undefined} THEN ${rate ?? null}::float8 ELSE expected_rate_hz END,
              unit = coalesce(${unit?.symbol ?? null}, unit), quantity = coalesce(${unit?.quantity ?? null}, quantity),
              updated_at = clock_timestamp()
            WHERE ${unchanged(sql, key, state)} RETURNING id`,
        ),
      );
      return rows.length === 1;
    });
  }

  /** Nothing happens to one that is archived already; an unknown one is for `get` to tell. @throws {StoreUnavailableError} */
  async archive({ system_id, sensor_id }: SensorKey): Promise<void> {
    await this.database.run(
      "archive sensor",
      (sql) => sql`
        UPDATE diagnostics_sensor SET archived_at = clock_timestamp(), updated_at = clock_timestamp()
        WHERE id = ${sensor_id} AND system_id = ${system_id} AND archived_at IS NULL`,
    );
  }

  /** Nothing happens to one that is in use; an unknown one is for `get` to tell. @throws {StoreUnavailableError} */
  async restore({ system_id, sensor_id }: SensorKey): Promise<void> {
    await this.database.run(
      "restore sensor",
      (sql) => sql`
        UPDATE diagnostics_sensor SET archived_at = NULL, updated_at = clock_timestamp()
        WHERE id = ${sensor_id} AND system_id = ${system_id} AND archived_at IS NOT NULL`,
    );
  }

  async #requireSystem(system_id: string): Promise<void> {
    const rows = await this.database.run(
      "system of sensor",
      (sql) => sql`SELECT 1 FROM diagnostics_system WHERE id = ${system_id}`,
    );
    if (rows.length === 0) throw new RegistryError({ kind: "system_not_found" });
  }
}

/** Sensors of the rows that `source` selects, by name. */
function selectSensors(sql: Sql, source: ReturnType<Sql>) {
  return sql<SensorRow[]>`
    SELECT s.id, s.system_id, s.name, s.quantity, s.unit, s.expected_rate_hz, s.created_by, s.created_at,
      s.updated_at, s.archived_at, r.version, r.min_value, r.max_value
    FROM ${source} s
    LEFT JOIN LATERAL (
      SELECT version, min_value, max_value FROM diagnostics_sensor_range
      WHERE sensor_id = s.id AND valid_from <= now()
      ORDER BY valid_from DESC, version DESC LIMIT 1) r ON true
    ORDER BY s.name`;
}

/** Tells a taken name from a taken id. @throws {RegistryError} name_taken, id_taken */
async function keysApart<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const key = takenKey(error);
    if (key === undefined) throw error;
    throw new RegistryError({ kind: key === NAME_KEY ? "name_taken" : "id_taken" });
  }
}
