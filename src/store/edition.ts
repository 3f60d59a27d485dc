/**
 * Which edition of TimescaleDB serves the database, and moving its extension to the version that the server has.
 * Only documented functions, settings and information views are asked; the catalog differs by version.
 */
import pg from "pg";
import { classify, StoreUnavailableError, sqlState } from "./errors.ts";
import type { Sql } from "./pool.ts";
import { pgConnection } from "./tls/driver-options.ts";

/** Community (Timescale License) has compression, continuous aggregates and policies; Apache has none of them. */
export type Edition = "apache" | "community";

/** The database and the edition of the server do not fit together; the message says what to do. */
export class EditionError extends Error {
  override readonly name = "EditionError";
}

/** PostgreSQL documentation, appendix A. */
const FEATURE_NOT_SUPPORTED = "0A000";
const UNDEFINED_FILE = "58P01";

/**
 * The edition of the server. The setting alone can lie (a Debian build without the licensed module shows it too),
 * so a Community function is called: on Apache it answers 0A000.
 * @throws {EditionError} when the extension is missing
 */
export function detectEdition(sql: Sql): Promise<Edition> {
  return askForEdition((text) => sql.unsafe(text));
}

const SETTING = `SELECT current_setting('timescaledb.license', true) AS license,
  EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS installed`;
const PROBE = `SELECT time_bucket_gapfill('1 hour', t, t, t + interval '1 hour')
  FROM (VALUES (now())) AS v (t) GROUP BY 1`;

/** The same over any way to send a statement outside a transaction. @throws {EditionError} */
export async function askForEdition(
  ask: (text: string) => Promise<readonly Record<string, unknown>[]>,
): Promise<Edition> {
  const [row] = await ask(SETTING);
  if (!row?.installed) throw new EditionError("The database has no timescaledb extension: migrate it first");
  if (row.license !== "timescale") return "apache";
  try {
    await ask(PROBE);
    return "community";
  } catch (error) {
    if (sqlState(error) === FEATURE_NOT_SUPPORTED) return "apache";
    throw error;
  }
}

/**
 * Move the database's extension to the server's version when the server no longer has the library of the old one:
 * the case of a database that another server made. While the library is there, the version is the operator's
 * choice and stays.
 * @returns the version that it was moved to, or null when nothing was to be done
 * @throws {EditionError} when the server cannot move it (its version is older)
 * @throws {StoreUnavailableError}
 */
export async function updateExtension(url: string): Promise<string | null> {
  const missing = await withClient(url, async (client) => {
    try {
      await client.query("SELECT 1 FROM pg_class LIMIT 1");
      return false;
    } catch (error) {
      if (sqlState(error) === UNDEFINED_FILE) return true;
      throw error;
    }
  });
  if (!missing) return null;
  // ALTER EXTENSION must be the first statement of its session (TimescaleDB documentation, "Upgrade TimescaleDB").
  return withClient(url, async (client) => {
    try {
      await client.query("ALTER EXTENSION timescaledb UPDATE");
    } catch (error) {
      if (sqlState(error) === undefined || classify(error) === "unavailable") throw error;
      throw new EditionError(
        `The database was made by another version of TimescaleDB, and this server cannot move it to its own: ${(error as Error).message}. Start a server with the version that the database has, or a newer one`,
        { cause: error },
      );
    }
    const result = await client.query<{ extversion: string }>(
      "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'",
    );
    return result.rows[0]?.extversion ?? null;
  });
}

/** One short session of its own; pg sends nothing before the first statement. */
async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    ...pgConnection(url),
    application_name: "hydraulic-ingest",
    connectionTimeoutMillis: 5_000,
    query_timeout: 300_000,
  });
  client.on("error", () => undefined); // the query in flight rejects as well
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    const isAnswer = sqlState(error) !== undefined && classify(error) !== "unavailable";
    if (isAnswer || error instanceof EditionError) throw error;
    throw new StoreUnavailableError(`PostgreSQL (extension): ${(error as Error).message}`, { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}
