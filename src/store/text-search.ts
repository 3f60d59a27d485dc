/**
 * An index for text within reason_details, by trigrams. Without it the same search reads more, so whatever the server
 * does not offer, or this role may not do, is left out silently: no start fails for it.
 */
import type { DedicatedSession } from "./dedicated-session.ts";
import { sqlState } from "./errors.ts";

const INDEX = "diagnostics_quarantined_reading_details";

/** @returns what was changed, for people. @throws {ConnectionLostError} @throws {DeadlineError} */
export async function ensureTextSearch(session: DedicatedSession): Promise<string[]> {
  try {
    return await tryTextSearch(session);
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    return [];
  }
}

async function tryTextSearch(session: DedicatedSession): Promise<string[]> {
  const [found] = await session.query<{ offered: boolean; valid: boolean | null }>(
    `SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS offered,
       (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)) AS valid`,
    [INDEX],
  );
  if (!found?.offered || found.valid) return [];
  await session.query("CREATE EXTENSION IF NOT EXISTS pg_trgm");
  // One that was cut off while it was made.
  if (found.valid === false) await session.query(`DROP INDEX CONCURRENTLY ${INDEX}`);
  // Outside a transaction and without a lock that writers would wait for. A lock that is not free leaves it invalid;
  // the next start makes it anew.
  await session.query(
    `CREATE INDEX CONCURRENTLY ${INDEX} ON diagnostics_quarantined_reading USING gin (reason_details gin_trgm_ops)`,
  );
  return ["index for text within the reasons of quarantined readings"];
}
