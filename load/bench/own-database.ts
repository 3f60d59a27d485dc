/** A database of a benchmark's own on a server: made anew, migrated, with a user who may do everything. */
import { resolve } from "node:path";
import postgres from "postgres";
import { hashPassword } from "../../src/api/auth/passwords.ts";
import { ROOT } from "../../src/commands/environment.ts";
import { migrate } from "../../src/store/migrate.ts";
import type { Database } from "../../src/store/pool.ts";
import { reconcile } from "../../src/store/reconcile.ts";
import { UserStore } from "../../src/store/users.ts";
import { PASSWORD } from "./stack.ts";

export const LIFECYCLE = { compress_after_days: 7, retention_days: 1_825 };
const CHUNK_INTERVAL_DAYS = 7;
const UNLIMITED = 1_000_000_000;

/** What a run before left under the name is dropped. @returns its URL */
export async function makeDatabase(serverUrl: string, name: string): Promise<string> {
  await dropDatabase(serverUrl, name);
  await asAdmin(serverUrl, `CREATE DATABASE ${name}`);
  return ownUrl(serverUrl, name);
}

export function ownUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

export function dropDatabase(serverUrl: string, name: string): Promise<void> {
  return asAdmin(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function asAdmin(serverUrl: string, statement: string): Promise<void> {
  const admin = postgres(serverUrl, { max: 1, onnotice: () => undefined });
  try {
    await admin.unsafe(statement);
  } finally {
    await admin.end({ timeout: 5 });
  }
}

/** All tables, and what the server's edition offers for them. */
export async function migrateOwn(database: Database): Promise<void> {
  const directory = resolve(ROOT, "sql/migrations");
  await migrate(database, { directory, chunk_interval_days: CHUNK_INTERVAL_DAYS });
  await reconcile(database, LIFECYCLE);
}

/** An admin without limits in practice. @param systems reached; null: all @returns the id */
export async function addAdmin(
  database: Database,
  username: string,
  systems: readonly string[] | null = null,
): Promise<string> {
  return new UserStore(database).create({
    username,
    password_hash: await hashPassword(PASSWORD),
    role: "admin",
    requests_per_minute: UNLIMITED,
    readings_per_minute: UNLIMITED,
    systems,
  });
}
