/** What people say about alerts: the limits of a system's own, and that they see to one. Each is one statement. */
import type { AlertLimitsState, OwnAlertLimits } from "../contract/alert.ts";
import type { Reach } from "../contract/reach.ts";
import type { Actor } from "./audit.ts";
import { type Database, uuids } from "./pool.ts";
import { RegistryError } from "./registry-errors.ts";
import { untilUndisturbed } from "./registry-state.ts";

export interface KnownLimits extends Pick<AlertLimitsState, "own" | "author_name"> {
  readonly updated_at: Date | null;
  /** Another one after each change; 0 before the first. */
  readonly version: number;
  /** Of the system: it takes no changes. */
  readonly archived: boolean;
}

/** Limits of a system's own, all of them. */
export interface LimitsChange {
  readonly limits: OwnAlertLimits;
  /** Versions that may be followed; null: any. */
  readonly expected: readonly number[] | null;
  readonly actor: Actor;
}

/** Who sees to an alert. */
export interface Acknowledgement {
  readonly actor: Actor;
  /** Alerts about these systems alone. */
  readonly reach: Reach;
  readonly note: string | null;
}

/** The time of the last change, µs: a number that JavaScript holds. */
const VERSION = "(extract(epoch FROM updated_at) * 1000000)::float8";
const LIMITS = ["share", "window_s", "min_readings"] as const satisfies readonly (keyof OwnAlertLimits)[];
/** What the record keeps of a system's limits. */
const SAID = "json_build_object('share', share, 'window_s', window_s, 'min_readings', min_readings)";

export class AlertStore {
  constructor(private readonly database: Database) {}

  /** A system's own limits. @throws {RegistryError} system_not_found @throws {StoreUnavailableError} */
  async limits(system_id: string): Promise<KnownLimits> {
    const [row] = await this.database.run(
      "alert limits",
      (sql) => sql<(OwnAlertLimits & Omit<KnownLimits, "own">)[]>`
        SELECT l.share, l.window_s, l.min_readings::float8 AS min_readings, u.username AS author_name, l.updated_at,
          coalesce(l.version, 0) AS version, y.archived_at IS NOT NULL AS archived
        FROM diagnostics_system y
          LEFT JOIN (SELECT *, ${sql.unsafe(VERSION)} AS version FROM diagnostics_alert_limit) l ON l.system_id = y.id
          LEFT JOIN diagnostics_user u ON u.id = l.author
        WHERE y.id = ${system_id}`,
    );
    if (row === undefined) throw new RegistryError({ kind: "system_not_found" });
    const { author_name, updated_at, version, archived, ...own } = row;
    return { own, author_name, updated_at, version, archived };
  }

  /**
   * Set a system's own limits; what says the same changes nothing, and is on no record.
   * @throws {RegistryError} system_not_found, archived, version_conflict @throws {StoreUnavailableError}
   */
  async setLimits(system_id: string, change: LimitsChange): Promise<void> {
    const { limits, expected } = change;
    await untilUndisturbed(async () => {
      const { own, version, archived } = await this.limits(system_id);
      if (archived) throw new RegistryError({ kind: "archived", what: "system" });
      if (LIMITS.every((name) => own[name] === limits[name])) return true;
      if (expected !== null && !expected.includes(version)) {
        throw new RegistryError({ kind: "version_conflict", newest: version });
      }
      return this.#follow(system_id, version, change);
    });
  }

  /** False when the version is not the newest any more, or the system is archived. @throws {StoreUnavailableError} */
  async #follow(system_id: string, version: number, { limits, actor }: LimitsChange): Promise<boolean> {
    const { share, window_s, min_readings } = limits;
    const rows = await this.database.run(
      "set alert limits",
      (sql) => sql`
        WITH system AS (
          SELECT id FROM diagnostics_system WHERE id = ${system_id} AND archived_at IS NULL FOR SHARE),
        old AS (
          SELECT *, ${sql.unsafe(VERSION)} AS version FROM diagnostics_alert_limit WHERE system_id = ${system_id} FOR UPDATE),
        -- joined with the old ones, so that these are read, and locked, before they change; a row that came since
        -- this statement began is another version
        changed AS (
          INSERT INTO diagnostics_alert_limit AS l (system_id, share, window_s, min_readings, author, updated_at)
          SELECT system.id, ${share}::float8, ${window_s}::int, ${min_readings}::float8::bigint, ${actor.id}::uuid, clock_timestamp()
          FROM system LEFT JOIN old ON true WHERE coalesce(old.version, 0) = ${version}::float8
          ON CONFLICT (system_id) DO UPDATE SET share = EXCLUDED.share, window_s = EXCLUDED.window_s,
            min_readings = EXCLUDED.min_readings, author = EXCLUDED.author, updated_at = EXCLUDED.updated_at
          WHERE (extract(epoch FROM l.updated_at) * 1000000)::float8 = ${version}::float8
          RETURNING *)
        INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, system_id, before, after)
        SELECT ${actor.id}::uuid, ${actor.name}, 'alert_limit.set', 'alert_limit', system_id::text, system_id,
          (SELECT ${sql.unsafe(SAID)} FROM old), ${sql.unsafe(SAID)}
        FROM changed RETURNING id`,
    );
    return rows.length === 1;
  }

  /**
   * Note that somebody sees to an alert; whoever says so last is shown, and all of them are on record.
   * @returns false when there is no such alert within reach
   * @throws {StoreUnavailableError}
   */
  async acknowledge(alert_id: number, { actor, reach, note }: Acknowledgement): Promise<boolean> {
    const rows = await this.database.run(
      "acknowledge alert",
      (sql) => sql`
        WITH source AS (
          UPDATE diagnostics_quarantine_alert
          SET acknowledged_at = clock_timestamp(), acknowledged_by = ${actor.name}, acknowledged_note = ${note}
          WHERE id = ${alert_id} ${reach === null ? sql`` : sql`AND system_id = ANY(${uuids(sql, reach)}::uuid[])`}
          RETURNING id, system_id)
        INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, system_id, note)
        SELECT ${actor.id}::uuid, ${actor.name}, 'alert.acknowledge', 'alert', id::text, system_id, ${note}
        FROM source RETURNING id`,
    );
    return rows.length === 1;
  }
}
