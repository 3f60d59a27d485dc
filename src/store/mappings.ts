/**
 * Mappings of the registry: which sensor a name means. Each change is one statement, for the reason that
 * registry-state.ts gives; it marks the system, so that the ingest threads read its mappings anew, and is recorded.
 */
import type { MappingRecord } from "../contract/registry-records.ts";
import { mappingId, mappingText, type SeriesKey } from "../contract/series.ts";
import type { Actor } from "./audit.ts";
import type { Database, Sql } from "./pool.ts";
import { RegistryError } from "./registry-errors.ts";
import { openSensor } from "./registry-state.ts";

/** Mappings that one system may have: an ingest thread holds all of them. */
const MAX_MAPPINGS = 10_000;

export interface NewMapping {
  /** Lower case, as `sensor_id`. */
  readonly system_id: string;
  readonly key: SeriesKey;
  readonly sensor_id: string;
  /** As given, a canonical unit or an alias; null: the sensor's. */
  readonly unit: string | null;
  readonly actor: Actor;
}

export interface MappingQuery {
  readonly sensor_id: string | null;
  /** Part of the label, of the unit or of the sensor's name, in either case. */
  readonly text: string | undefined;
  /** Label and id of the last one seen. */
  readonly after: { readonly label: string; readonly id: string } | null;
  readonly limit: number;
}

/** The columns of a key; those of the other kind are null. */
export interface MappingKeyColumns {
  readonly name: string | null;
  readonly measurement: string | null;
  readonly field: string | null;
  readonly tags: Readonly<Record<string, string>> | null;
}

/** The key of a row. */
export function mappingKey({ name, measurement, field, tags }: MappingKeyColumns): SeriesKey {
  return name === null ? { measurement: measurement!, field: field!, tags: tags! } : { name };
}

function keyColumns(key: SeriesKey): MappingKeyColumns {
  if ("name" in key) return { name: key.name, measurement: null, field: null, tags: null };
  return { name: null, measurement: key.measurement, field: key.field, tags: key.tags };
}

const select = (sql: Sql, condition: ReturnType<Sql>) => sql<MappingRecord[]>`
  SELECT m.id, m.system_id, m.label, m.name, m.measurement, m.field, m.tags, m.sensor_id, s.name AS sensor_name,
    m.unit, m.author, u.username AS author_name, m.created_at, m.updated_at
  FROM diagnostics_sensor_mapping m JOIN diagnostics_sensor s ON s.id = m.sensor_id
    LEFT JOIN diagnostics_user u ON u.id = m.author
  WHERE ${condition}`;

/** One entry of the record, for each row of the CTE `source`. */
const record = (sql: Sql, action: string, actor: Actor, before: string, after: string) => sql`
  INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, system_id, before, after)
  SELECT ${actor.id}::uuid, ${actor.name}, ${action}, 'mapping', id::text, system_id, ${sql.unsafe(before)}, ${sql.unsafe(after)}
  FROM source`;

export class MappingStore {
  constructor(private readonly database: Database) {}

  /** Mappings of a system by label. @throws {RegistryError} system_not_found @throws {StoreUnavailableError} */
  async list(
    system_id: string,
    { sensor_id, text, after, limit }: MappingQuery,
  ): Promise<readonly MappingRecord[]> {
    const rows = await this.database.run(
      "list mappings",
      (sql) =>
        sql<MappingRecord[]>`${select(
          sql,
          sql`m.system_id = ${system_id}
          ${sensor_id === null ? sql`` : sql`AND m.sensor_id = ${sensor_id}`}
          ${after === null ? sql`` : sql`AND (m.label, m.id) > (${after.label}, ${after.id}::uuid)`}
          ${text === undefined ? sql`` : sql`AND strpos(lower(concat_ws(' ', m.label, m.unit, s.name)), lower(${text})) > 0`}
          ORDER BY m.label, m.id LIMIT ${limit}`,
        )}`,
    );
    if (rows.length === 0) await this.#requireSystem(system_id);
    return [...rows];
  }

  /** @throws {StoreUnavailableError} */
  async get(system_id: string, id: string): Promise<MappingRecord | null> {
    const rows = await this.database.run(
      "mapping by id",
      (sql) => sql<MappingRecord[]>`${select(sql, sql`m.id = ${id} AND m.system_id = ${system_id}`)}`,
    );
    return rows[0] ?? null;
  }

  /**
   * Say which sensor a key means, in place of what was said before.
   * @returns whether there was no mapping of this key
   * @throws {RegistryError} system_not_found, sensor_not_found, archived, mappings_full
   * @throws {StoreUnavailableError}
   */
  async set(mapping: NewMapping): Promise<{ readonly id: string; readonly created: boolean }> {
    const { system_id, sensor_id, key, unit } = mapping;
    const id = mappingId(system_id, key);
    const known = await this.get(system_id, id);
    if (known?.sensor_id === sensor_id && known.unit === unit) return { id, created: false };
    await openSensor(this.database, { system_id, sensor_id });
    const [made] = await this.#set(id, mapping);
    if (made !== undefined) return { id, created: made.created };
    // Archived in this moment, or else there is no room.
    await openSensor(this.database, { system_id, sensor_id });
    throw new RegistryError({ kind: "mappings_full", limit: MAX_MAPPINGS });
  }

  /** Remove a mapping; false when there is none. @throws {StoreUnavailableError} */
  async remove(system_id: string, id: string, actor: Actor): Promise<boolean> {
    // The system first, as `set` does: two changes wait for each other and do not deadlock.
    const rows = await this.database.run(
      "remove mapping",
      (sql) => sql`
        WITH system AS (
          UPDATE diagnostics_system SET mapped_at = clock_timestamp(), updated_at = clock_timestamp()
          WHERE id = ${system_id}
            AND EXISTS (SELECT FROM diagnostics_sensor_mapping m WHERE m.id = ${id} AND m.system_id = ${system_id})
          RETURNING id),
        source AS (
          DELETE FROM diagnostics_sensor_mapping m USING system
          WHERE m.system_id = system.id AND m.id = ${id} RETURNING m.*),
        recorded AS (${record(sql, "mapping.delete", actor, SAID, "NULL::json")})
        SELECT id FROM source`,
    );
    return rows.length === 1;
  }

  #set(id: string, { system_id, sensor_id, key, unit, actor }: NewMapping) {
    const { name, measurement, field, tags } = keyColumns(key);
    return this.database.run(
      "set mapping",
      (sql) => sql<{ created: boolean }[]>`
        WITH system AS (
          UPDATE diagnostics_system SET mapped_at = clock_timestamp(), updated_at = clock_timestamp()
          WHERE id = ${system_id} AND archived_at IS NULL RETURNING id),
        old AS (SELECT * FROM diagnostics_sensor_mapping WHERE id = ${id}),
        source AS (
          INSERT INTO diagnostics_sensor_mapping
            (id, system_id, name, measurement, field, tags, label, sensor_id, unit, author, created_at, updated_at)
          SELECT ${id}::uuid, y.id, ${name}::text, ${measurement}::text, ${field}::text,
            ${tags === null ? null : JSON.stringify(tags)}::text::jsonb, ${mappingText(key)}::text, s.id, ${unit}::text,
            ${actor.id}::uuid, clock_timestamp(), clock_timestamp()
          FROM system y JOIN diagnostics_sensor s ON s.system_id = y.id
          WHERE s.id = ${sensor_id} AND s.archived_at IS NULL AND (EXISTS (SELECT FROM old)
            OR (SELECT count(*) FROM diagnostics_sensor_mapping WHERE system_id = ${system_id}) < ${MAX_MAPPINGS})
          ON CONFLICT (id) DO UPDATE SET sensor_id = EXCLUDED.sensor_id, unit = EXCLUDED.unit,
            author = EXCLUDED.author, updated_at = EXCLUDED.updated_at
          RETURNING *),
        recorded AS (${record(sql, "mapping.set", actor, `(SELECT ${SAID} FROM old)`, SAID)})
        SELECT NOT EXISTS (SELECT FROM old) AS created FROM source`,
    );
  }

  async #requireSystem(system_id: string): Promise<void> {
    const rows = await this.database.run(
      "system of mappings",
      (sql) => sql`SELECT 1 FROM diagnostics_system WHERE id = ${system_id}`,
    );
    if (rows.length === 0) throw new RegistryError({ kind: "system_not_found" });
  }
}

/** What the record keeps of a mapping. */
const SAID =
  "json_build_object('system_id', system_id, 'label', label, 'sensor_id', sensor_id, 'unit', unit)";
