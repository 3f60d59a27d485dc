/** What people say about alerts: the limits of a system's own, and that they see to one. Each is one statement. */
import type { AlertLimitsState, OwnAlertLimits } from "../contract/alert.ts";
import type { Reach } from "../contract/reach.ts";
import type { Actor } from "./audit.ts";
import { type Database, uuids } from "./pool.ts";
import { RegistryError } from "./registry-errors.ts";

export interface KnownLimits extends Pick<AlertLimitsState, "own" | "author_name"> {
  readonly updated_at: Date | null;
}

/** Who sees to an alert. */
export interface Acknowledgement {
  readonly actor: Actor;
  /** Alerts about these systems alone. */
  readonly reach: Reach;
  readonly note: string | null;
}

/** What the record keeps of a system's limits. */
const SAID = "json_build_object('share', share, 'window_s', window_s, 'min_readings', min_readings)";

export class AlertStore {
  constructor(private readonly database: Database) {}

  /** A system's own limits. @throws {RegistryError} system_not_found @throws {StoreUnavailableError} */
  async limits(system_id: string): Promise<KnownLimits> {
    const [row] = await this.database.run(
      "alert limits",
      (sql) => sql<(OwnAlertLimits & Omit<KnownLimits, "own">)[]>`
        SELECT l.share, l.window_s, l.min_readings::float8 AS min_readings, u.username AS author_name, l.updated_at
        FROM diagnostics_system y LEFT JOIN diagnostics_alert_limit l ON l.system_id = y.id
          LEFT JOIN diagnostics_user u ON u.id = l.author
        WHERE y.id = ${system_id}`,
    );
    if (row === undefined) throw new RegistryError({ kind: "system_not_found" });
    const { author_name, updated_at, ...own } = row;
    return { own, author_name, updated_at };
  }

  /**
   * Set a system's own limits, all of them; what says the same changes nothing, and is on no record.
   * @throws {RegistryError} system_not_found, archived @throws {StoreUnavailableError}
   */
  async setLimits(system_id: string, limits: OwnAlertLimits, actor: Actor): Promise<void> {
    const { share, window_s, min_readings } = limits;
    const isOwn = Object.values(limits).some((limit) => limit !== null);
    const [system] = await this.database.run(
      "set alert limits",
      (sql) => sql<{ archived: boolean }[]>`
        WITH system AS (
          SELECT id, archived_at IS NOT NULL AS archived FROM diagnostics_system WHERE id = ${system_id} FOR SHARE),
        old AS (SELECT * FROM diagnostics_alert_limit WHERE system_id = ${system_id} FOR UPDATE),
        -- joined with the old ones, so that these are read, and locked, before they change
        changed AS (
          INSERT INTO diagnostics_alert_limit AS l (system_id, share, window_s, min_readings, author, updated_at)
          SELECT system.id, ${share}::float8, ${window_s}::int, ${min_readings}::float8::bigint, ${actor.id}::uuid, clock_timestamp()
          FROM system LEFT JOIN old ON true WHERE NOT archived AND (${isOwn} OR old.system_id IS NOT NULL)
          ON CONFLICT (system_id) DO UPDATE SET share = EXCLUDED.share, window_s = EXCLUDED.window_s,
            min_readings = EXCLUDED.min_readings, author = EXCLUDED.author, updated_at = EXCLUDED.updated_at
          WHERE (l.share, l.window_s, l.min_readings)
            IS DISTINCT FROM (EXCLUDED.share, EXCLUDED.window_s, EXCLUDED.min_readings)
          RETURNING *),
        recorded AS (
          INSERT INTO diagnostics_audit (actor, actor_name, action, subject_type, subject_id, system_id, before, after)
          SELECT ${actor.id}::uuid, ${actor.name}, 'alert_limit.set', 'alert_limit', system_id::text, system_id,
            (SELECT ${sql.unsafe(SAID)} FROM old), ${sql.unsafe(SAID)}
          FROM changed)
        SELECT archived FROM system`,
    );
    if (system === undefined) throw new RegistryError({ kind: "system_not_found" });
    if (system.archived) throw new RegistryError({ kind: "archived", what: "system" });
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
