/** The registry as the ingest threads read it: systems, sensors and their own ranges. */
import type { KnownRange, KnownSensor } from "../contract/known-sensor.ts";
import type { SeriesMapping } from "../contract/series.ts";
import { type MappingKeyColumns, mappingKey } from "./mappings.ts";
import type { Database, Sql } from "./pool.ts";

/** A registered system. */
export interface KnownSystem {
  readonly id: string;
  readonly archived: boolean;
  /** Stands for the state of its mappings; null: it never had one. */
  readonly mapped_at: string | null;
}

/** All mappings of a system, in the state that `mapped_at` stands for. */
export interface KnownMappings {
  readonly system_id: string;
  readonly mapped_at: string | null;
  readonly mappings: readonly SeriesMapping[];
}

interface SensorRow extends Omit<KnownSensor, "ranges"> {
  readonly ranges: { version: number; min: number | null; max: number | null; valid_from_ms: number }[];
}

/** A system without mappings has one row of nulls. */
interface MappingRow extends MappingKeyColumns {
  readonly system_id: string;
  readonly mapped_at: string | null;
  readonly sensor_id: string | null;
  readonly unit: string | null;
}

const UUID_ARRAY = 2951;

export class RegistryReader {
  constructor(private readonly database: Database) {}

  /** Those of the systems that are registered. @throws {StoreUnavailableError} */
  async systems(ids: readonly string[]): Promise<KnownSystem[]> {
    return await this.database.run(
      "known systems",
      (sql) => sql<KnownSystem[]>`
        SELECT ${knownSystem(sql)} FROM diagnostics_system
        WHERE id = ANY(${sql.array([...ids], UUID_ARRAY)})`,
    );
  }

  /** Those of the sensors that are registered. @throws {StoreUnavailableError} */
  async sensors(ids: readonly string[]): Promise<KnownSensor[]> {
    const rows = await this.database.run("known sensors", (sql) =>
      selectSensors(sql, sql`s.id = ANY(${sql.array([...ids], UUID_ARRAY)})`),
    );
    return rows.map(toSensor);
  }

  /** Mappings of those of the systems that are registered. @throws {StoreUnavailableError} */
  async mappings(system_ids: readonly string[]): Promise<KnownMappings[]> {
    if (system_ids.length === 0) return [];
    const rows = await this.database.run(
      "known mappings",
      (sql) => sql<MappingRow[]>`
        SELECT y.id AS system_id, y.mapped_at::text AS mapped_at, m.name, m.measurement, m.field, m.tags,
          m.sensor_id, m.unit
        FROM diagnostics_system y LEFT JOIN diagnostics_sensor_mapping m ON m.system_id = y.id
        WHERE y.id = ANY(${sql.array([...system_ids], UUID_ARRAY)})`,
    );
    return [...Map.groupBy(rows, ({ system_id }) => system_id)].map(([system_id, own]) => ({
      system_id,
      mapped_at: own[0]!.mapped_at,
      mappings: own.flatMap((row) => (row.sensor_id === null ? [] : [toMapping(row, row.sensor_id)])),
    }));
  }

  /**
   * What changed within the last `seconds`. Asked with an overlap instead of a last-seen mark: a change becomes
   * visible when its transaction commits, which may be after later ones.
   * @throws {StoreUnavailableError}
   */
  async changed(seconds: number): Promise<{ systems: KnownSystem[]; sensors: KnownSensor[] }> {
    const [systems, sensors] = await Promise.all([
      this.database.run(
        "changed systems",
        (sql) => sql<KnownSystem[]>`
          SELECT ${knownSystem(sql)} FROM diagnostics_system
          WHERE updated_at > now() - make_interval(secs => ${seconds})`,
      ),
      this.database.run("changed sensors", (sql) =>
        selectSensors(sql, sql`s.updated_at > now() - make_interval(secs => ${seconds})`),
      ),
    ]);
    return { systems: [...systems], sensors: sensors.map(toSensor) };
  }
}

const knownSystem = (sql: Sql) => sql`id, archived_at IS NOT NULL AS archived, mapped_at::text AS mapped_at`;

function toMapping(row: MappingRow, sensor_id: string): SeriesMapping {
  return { key: mappingKey(row), sensor_id, unit: row.unit };
}

function selectSensors(sql: Sql, condition: ReturnType<Sql>) {
  return sql<SensorRow[]>`
    SELECT s.id, s.system_id, s.quantity, s.unit, s.archived_at IS NOT NULL AS archived,
      coalesce((SELECT json_agg(json_build_object('version', r.version, 'min', r.min_value, 'max', r.max_value,
          'valid_from_ms', extract(epoch FROM r.valid_from) * 1000) ORDER BY r.valid_from, r.version)
        FROM diagnostics_sensor_range r WHERE r.sensor_id = s.id), '[]') AS ranges
    FROM diagnostics_sensor s WHERE ${condition}`;
}

function toSensor({ ranges, ...sensor }: SensorRow): KnownSensor {
  return {
    ...sensor,
    ranges: ranges.map(
      ({ version, min, max, valid_from_ms }): KnownRange => ({
        version,
        range: min === null || max === null ? null : { min, max },
        valid_from_ms,
      }),
    ),
  };
}
