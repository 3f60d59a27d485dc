/** Registered systems, and a cache of them for the ingest threads. */

import type { Reach } from "../contract/reach.ts";
import type { SystemChange } from "../contract/registry.ts";
import type { SystemRecord } from "../contract/registry-records.ts";
import { type Database, type Sql, uuids } from "./pool.ts";
import { RegistryError } from "./registry-errors.ts";

/** Which of a list: those in use, those archived, or both. */
export const ARCHIVED_FILTERS = ["false", "true", "all"] as const;
export type ArchivedFilter = (typeof ARCHIVED_FILTERS)[number];

export interface SystemQuery {
  readonly archived: ArchivedFilter;
  /** Only these. */
  readonly reach: Reach;
  /** Part of the name, the description or the id, in either case. */
  readonly text: string | undefined;
  /** Name and id of the last one seen. */
  readonly after: { readonly name: string; readonly id: string } | null;
  readonly limit: number;
}

export interface NewSystem {
  /** Lower-case UUID. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
}

const columns = (sql: Sql) => sql`id, name, description, created_at, updated_at, archived_at`;

/** A system as those know it who name it. */
export interface SystemName {
  readonly id: string;
  readonly name: string;
  readonly archived: boolean;
}

/** The condition of an `ArchivedFilter` on the column archived_at. */
export function archivedCondition(sql: Sql, archived: ArchivedFilter) {
  if (archived === "all") return sql`true`;
  return archived === "true" ? sql`archived_at IS NOT NULL` : sql`archived_at IS NULL`;
}

export class SystemStore {
  constructor(private readonly database: Database) {}

  /** Register a system; false when the id is registered already. @throws {StoreUnavailableError} */
  async create(id: string, name: string): Promise<boolean> {
    const rows = await this.database.run(
      "create system",
      (sql) => sql`INSERT INTO diagnostics_system (id, name) VALUES (${id}, ${name})
        ON CONFLICT (id) DO NOTHING RETURNING id`,
    );
    return rows.length === 1;
  }

  /** All names in use; or what changed within the last `seconds`, what was archived included. @throws {StoreUnavailableError} */
  async names(seconds: number | null): Promise<readonly SystemName[]> {
    return this.database.run(
      "names of systems",
      (sql) => sql<SystemName[]>`
        SELECT id, name, archived_at IS NOT NULL AS archived FROM diagnostics_system
        WHERE ${seconds === null ? sql`archived_at IS NULL` : sql`updated_at > now() - make_interval(secs => ${seconds})`}`,
    );
  }

  /** By name, then id. @throws {StoreUnavailableError} */
  async list({ archived, reach, text, after, limit }: SystemQuery): Promise<SystemRecord[]> {
    const rows = await this.database.run(
      "list systems",
      (sql) => sql<SystemRecord[]>`
        SELECT ${columns(sql)} FROM diagnostics_system
        WHERE ${archivedCondition(sql, archived)}
          ${reach === null ? sql`` : sql`AND id = ANY(${uuids(sql, reach)}::uuid[])`}
          ${after === null ? sql`` : sql`AND (name, id) > (${after.name}, ${after.id})`}
          ${text === undefined ? sql`` : sql`AND strpos(lower(concat_ws(' ', name, description, id)), lower(${text})) > 0`}
        ORDER BY name, id LIMIT ${limit}`,
    );
    return [...rows];
  }

  /** @throws {StoreUnavailableError} */
  async get(id: string): Promise<SystemRecord | null> {
    const rows = await this.database.run(
      "system by id",
      (sql) => sql<SystemRecord[]>`SELECT ${columns(sql)} FROM diagnostics_system WHERE id = ${id}`,
    );
    return rows[0] ?? null;
  }

  /** Those of the ids that no system has. @throws {StoreUnavailableError} */
  async unknown(ids: readonly string[]): Promise<string[]> {
    const rows = await this.database.run(
      "known systems",
      (sql) => sql<{ id: string }[]>`
        SELECT id FROM diagnostics_system WHERE id = ANY(${sql.array([...ids], 2951)})`,
    );
    const known = new Set(rows.map(({ id }) => id));
    return ids.filter((id) => !known.has(id));
  }

  /** @throws {RegistryError} id_taken @throws {StoreUnavailableError} */
  async register({ id, name, description }: NewSystem): Promise<SystemRecord> {
    const rows = await this.database.run(
      "register system",
      (sql) => sql<SystemRecord[]>`
        INSERT INTO diagnostics_system (id, name, description, created_at, updated_at)
        VALUES (${id}, ${name}, ${description}, clock_timestamp(), clock_timestamp())
        ON CONFLICT (id) DO NOTHING RETURNING ${columns(sql)}`,
    );
    const system = rows[0];
    if (system === undefined) throw new RegistryError({ kind: "id_taken" });
    return system;
  }

  /** @throws {RegistryError} system_not_found, archived @throws {StoreUnavailableError} */
  async change(id: string, { name, description }: SystemChange): Promise<SystemRecord> {
    const rows = await this.database.run(
      "change system",
      (sql) => sql<SystemRecord[]>`
        UPDATE diagnostics_system SET name = coalesce(${name ?? null}, name),
          description = coalesce(${description ?? null}, description), updated_at = clock_timestamp()
        WHERE id = ${id} AND archived_at IS NULL RETURNING ${columns(sql)}`,
    );
    const changed = rows[0];
    if (changed !== undefined) return changed;
    const known = (await this.get(id)) !== null;
    throw new RegistryError(known ? { kind: "archived", what: "system" } : { kind: "system_not_found" });
  }

  /** Nothing happens to one that is archived already. @throws {RegistryError} system_not_found @throws {StoreUnavailableError} */
  async archive(id: string): Promise<SystemRecord> {
    await this.database.run(
      "archive system",
      (sql) => sql`
        UPDATE diagnostics_system SET archived_at = clock_timestamp(), updated_at = clock_timestamp()
        WHERE id = ${id} AND archived_at IS NULL`,
    );
    return await this.#known(id);
  }

  /** Nothing happens to one that is in use. @throws {RegistryError} system_not_found @throws {StoreUnavailableError} */
  async restore(id: string): Promise<SystemRecord> {
    await this.database.run(
      "restore system",
      (sql) => sql`
        UPDATE diagnostics_system SET archived_at = NULL, updated_at = clock_timestamp()
        WHERE id = ${id} AND archived_at IS NOT NULL`,
    );
    return await this.#known(id);
  }

  async #known(id: string): Promise<SystemRecord> {
    const system = await this.get(id);
    if (system === null) throw new RegistryError({ kind: "system_not_found" });
    return system;
  }
}
