/**
 * The own ranges of sensors, as versions that are never changed. All times come from the database's clock: it is
 * one, while every API has its own, and a later version must not begin before an earlier one by mistake.
 */
import type { RangeVersionRecord, SensorKey } from "../contract/registry.ts";
import type { Range } from "../contract/units.ts";
import type { Database } from "./pool.ts";
import { RegistryError } from "./registry-errors.ts";
import { lockOpenSensor, type Transaction } from "./registry-locks.ts";

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

interface Newest {
  readonly version: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly valid_from: Date;
  readonly begun: boolean;
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
    await this.database.run("set range", (sql) =>
      sql.begin(async (tx) => {
        await lockOpenSensor(tx, key);
        const newest = await newestVersion(tx, key.sensor_id);
        if (isSaid(newest, change)) return;
        const seen = newest?.version ?? 0;
        if (change.expected !== null && !change.expected.includes(seen)) {
          throw new RegistryError({ kind: "version_conflict", newest: seen });
        }
        await insertVersion(tx, key.sensor_id, { ...change, version: seen + 1 });
        await tx`UPDATE diagnostics_sensor SET updated_at = clock_timestamp() WHERE id = ${key.sensor_id}`;
      }),
    );
  }
}

async function newestVersion(tx: Transaction, sensor_id: string): Promise<Newest | undefined> {
  const rows = await tx<Newest[]>`
    SELECT version, min_value AS min, max_value AS max, valid_from, valid_from <= clock_timestamp() AS begun
    FROM diagnostics_sensor_range WHERE sensor_id = ${sensor_id} ORDER BY version DESC LIMIT 1`;
  return rows[0];
}

function isSaid(newest: Newest | undefined, { range, valid_from_ms }: RangeChange): boolean {
  if (newest === undefined) return range === null;
  if (newest.min !== (range?.min ?? null) || newest.max !== (range?.max ?? null)) return false;
  return valid_from_ms === null ? newest.begun : newest.valid_from.getTime() === valid_from_ms;
}

/** The sensor's row must be locked or new. Whole ms, so that a time that was read back and sent again is the same. */
export async function insertVersion(tx: Transaction, sensor_id: string, given: NewVersion): Promise<void> {
  const from = given.valid_from_ms === null ? null : new Date(given.valid_from_ms);
  await tx`
    INSERT INTO diagnostics_sensor_range (sensor_id, version, min_value, max_value, valid_from, author, created_at)
    VALUES (${sensor_id}, ${given.version}, ${given.range?.min ?? null}, ${given.range?.max ?? null},
      date_trunc('milliseconds', greatest(${from}::timestamptz, clock_timestamp())), ${given.author},
      clock_timestamp())`;
}
