/**
 * The own ranges of sensors, as versions that are never changed. All times come from the database's clock: it is
 * one, while every API has its own, and a later version must not begin before an earlier one by mistake.
 */
import type { RangeVersionRecord, SensorKey } from "../contract/registry-records.ts";
import type { Range } from "../contract/units.ts";
import type { Database, Sql } from "./pool.ts";
import { RegistryError } from "./registry-errors.ts";
import { openSensor, type SensorState, unchanged, untilUndisturbed } from "./registry-state.ts";

export interface NewVersion {
  readonly version: number;
  /** Null: back to the range of the unit. */
  readonly range: Range | null;
  /** Ms since the epoch; null or past: now. */
  readonly valid_from_ms: number | null;
  /** Id of a user. */
  readonly author: string;
}

export interface RangeChange extends Omit<NewVersion, "version"> {
  /** Newest versions that may be followed, 0 for none yet; null: any. */
  readonly expected: readonly number[] | null;
}

export class SensorRangeStore {
  constructor(private readonly database: Database) {}

  /**
   * Versions of a sensor, newest first.
   * @param before version seen last; null for the first page
   * @throws {StoreUnavailableError}
   */
  async versions(sensor_id: string, before: number | null, limit: number): Promise<RangeVersionRecord[]> {
    const rows = await this.database.run(
      "range versions",
      (sql) => sql<RangeVersionRecord[]>`
        SELECT r.version, r.min_value AS min, r.max_value AS max, r.valid_from, r.author,
          u.username AS author_name, r.created_at
        FROM diagnostics_sensor_range r LEFT JOIN diagnostics_user u ON u.id = r.author
        WHERE r.sensor_id = ${sensor_id} ${before === null ? sql`` : sql`AND r.version < ${before}`}
        ORDER BY r.version DESC LIMIT ${limit}`,
    );
    return [...rows];
  }

  /**
   * Add a version, unless the newest one says the same already: then this is the same request once more.
   * @throws {RegistryError} system_not_found, sensor_not_found, archived, version_conflict
   * @throws {StoreUnavailableError}
   */
  async set(key: SensorKey, change: RangeChange): Promise<void> {
    await untilUndisturbed(async () => {
      const state = await openSensor(this.database, key);
      const { newest } = state;
      if (isSaid(newest, change)) return true;
      const version = newest?.version ?? 0;
      if (change.expected !== null && !change.expected.includes(version)) {
        throw new RegistryError({ kind: "version_conflict", newest: version });
      }
      const rows = await this.database.run("set range", (sql) => {
        const sensor = sql`UPDATE diagnostics_sensor SET updated_at = clock_timestamp()
          WHERE ${unchanged(sql, key, state)} RETURNING id`;
        const next = insertVersion(sql, { ...change, version: version + 1 });
        return sql`WITH sensor AS (${sensor}) ${next} RETURNING version`;
      });
      return rows.length === 1;
    });
  }
}

function isSaid(newest: SensorState["newest"], { range, valid_from_ms }: RangeChange): boolean {
  if (newest === null) return range === null;
  if (newest.min !== (range?.min ?? null) || newest.max !== (range?.max ?? null)) return false;
  return valid_from_ms === null ? newest.begun : newest.valid_from.getTime() === valid_from_ms;
}

/** For the sensor of the CTE `sensor`. Whole ms, so that a time that was read back and sent again is the same. */
export function insertVersion(sql: Sql, { version, range, valid_from_ms, author }: NewVersion) {
  const from = valid_from_ms === null ? null : new Date(valid_from_ms);
  return sql`
    INSERT INTO diagnostics_sensor_range (sensor_id, version, min_value, max_value, valid_from, author, created_at)
    SELECT id, ${version}::int, ${range?.min ?? null}::float8, ${range?.max ?? null}::float8,
      date_trunc('milliseconds', greatest(${from}::timestamptz, clock_timestamp())), ${author}::uuid,
      clock_timestamp()
    FROM sensor`;
}
