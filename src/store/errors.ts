/**
 * What an error of the database means for the batch in hand. Decided by SQLSTATE (PostgreSQL documentation,
 * appendix A) or by class, never by message text.
 */
import pg from "pg";
import postgres from "postgres";
import { DeadlineError } from "../ops/retry.ts";

/** PostgreSQL cannot be reached or cannot serve now; the same work succeeds later. */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
}

/** The writer's connection ended under a statement. */
export class ConnectionLostError extends Error {
  override readonly name = "ConnectionLostError";
}

/**
 * `unavailable`: keep the entry, back off, resume. `unique`: a stored reading has the same key.
 * `data`: a row is at fault. `other`: a few attempts, then the dead letters.
 */
export type Fault = "unavailable" | "unique" | "data" | "other";

/** Codes of Node's and postgres.js's connection errors. */
const CONNECTION_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ERR_SOCKET_CLOSED",
  "FailedToOpenSocket",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECTION_CONNECT_TIMEOUT",
  "CONNECT_TIMEOUT",
]);

/**
 * The server takes no writes: a standby, or one that was set to read only. What it will be is decided when a session
 * begins, and behind the same name there may be another server by then: so the session is given up.
 */
export function isReadOnly(error: unknown): boolean {
  return sqlState(error) === "25006";
}

/** The error's SQLSTATE, or undefined when it is not an answer of the server. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError || error instanceof postgres.PostgresError) return error.code;
  return undefined;
}

/** The server is there and has ended the statement because it took too long (57014). */
export function isTooSlow(error: unknown): boolean {
  return sqlState(error instanceof StoreUnavailableError ? error.cause : error) === "57014";
}

/**
 * "Could not open relation": a chunk was dropped between the plan of the statement and its lock. PostgreSQL has no code
 * of its own for it. What is asked again does not see the chunk any more.
 */
export function isDropRace(error: unknown): boolean {
  return sqlState(error) === "XX000";
}

/** Name of the unique constraint that the error (23505) is about; undefined for any other error. */
export function takenKey(error: unknown): string | undefined {
  if (sqlState(error) !== "23505") return undefined;
  return error instanceof pg.DatabaseError
    ? error.constraint
    : (error as postgres.PostgresError).constraint_name;
}

/**
 * 28 and 3D000 come while a connection is opened (password changed, database being restored): no batch is at fault.
 * 08 connection, 40001/40P01 serialization and deadlock, 53 resources, 57P0 shutdown, 55P03 lock, 57014 deadline, 25006 standby.
 */
function isPassing(state: string): boolean {
  return (
    /^(08|28|53|57P0)/.test(state) ||
    ["40001", "40P01", "55P03", "57014", "25006", "25P03", "3D000", "58030"].includes(state)
  );
}

/** What an error of PostgreSQL or of the way to it means for the work that met it: by SQLSTATE, class or code, never by its text. */
export function classify(error: unknown): Fault {
  const state = sqlState(error);
  if (state === "23505") return "unique";
  if (state !== undefined) {
    if (isPassing(state)) return "unavailable";
    return /^2[23]/.test(state) ? "data" : "other";
  }
  if (error instanceof ConnectionLostError || error instanceof StoreUnavailableError) return "unavailable";
  if (error instanceof DeadlineError) return "unavailable";
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && CONNECTION_CODES.has(code) ? "unavailable" : "other";
}
