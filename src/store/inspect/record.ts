/** Whether the audit record is kept: the triggers that refuse changes, and who could take them away. */
import type { Database } from "../pool.ts";

export interface RecordFacts {
  /** Triggers that are there and fire for everybody, whatever the session says. */
  readonly armed: readonly string[];
  readonly owner: string;
  /** This session's role could change the table or drop it: it owns the table or the schema, or is a superuser. */
  readonly changeable: boolean;
}

/** Null: there is no such table. @throws {StoreUnavailableError} */
export function inspectRecord(database: Database): Promise<RecordFacts | null> {
  return database.run("inspect record", async (sql) => {
    const [row] = await sql<{ armed: string; owner: string; changeable: boolean }[]>`
      SELECT (SELECT coalesce(string_agg(t.tgname, ' ' ORDER BY t.tgname), '') FROM pg_trigger t
          WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled = 'A') AS armed,
        pg_get_userbyid(c.relowner)::text AS owner,
        pg_has_role(c.relowner, 'MEMBER') OR pg_has_role(n.nspowner, 'MEMBER') OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS changeable
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('diagnostics_audit')`;
    return row ? { ...row, armed: row.armed.split(" ") } : null;
  });
}
