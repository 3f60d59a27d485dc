/** The numbered files of sql/migrations. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** The schema of the database and the files of this program do not fit together. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
  /**
   * Programs whose newest migration is this one, or a later one, run on the schema as the file leaves it: what they read
   * and write is still there. From the line `-- Runs with programs since 0013`; null without it, and then older programs
   * refuse to start.
   */
  readonly since: number | null;
}

const SINCE = /^-- Runs with programs since (\d{4})\b/m;

/** In order. @throws {MigrationError} when a name is no migration's, or a number is taken twice */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  const migrations = await Promise.all(names.map((name) => readMigration(directory, name)));
  const twice = migrations.find((m, i) => migrations[i - 1]?.version === m.version);
  if (twice) throw new MigrationError(`${twice.name}: its number is taken twice`);
  return migrations;
}

async function readMigration(directory: string, name: string): Promise<Migration> {
  const text = await Bun.file(join(directory, name)).text();
  const version = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1] ?? Number.NaN);
  if (Number.isNaN(version)) throw new MigrationError(`${name}: a migration is named 0001_what_it_does.sql`);
  const [, since] = SINCE.exec(text) ?? [];
  const checksum = createHash("sha256").update(text).digest("hex");
  return { version, name, text, checksum, since: since === undefined ? null : Number(since) };
}
