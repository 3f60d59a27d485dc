/** Migrations: each once, whoever starts, and never over a schema that does not fit. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { MigrationError, migrate, migrationState } from "../../../src/store/migrate.ts";
import { readMigrations } from "../../../src/store/migration-files.ts";
import { Database } from "../../../src/store/pool.ts";
import { until } from "../../support/until.ts";

const OWN = new URL("../../../sql/migrations", import.meta.url).pathname;
const CHILD = new URL("../../support/migrate-child.ts", import.meta.url).pathname;

let admin: postgres.Sql;
let folder: string;
let url: string;
const created: string[] = [];

beforeAll(async () => {
  const base = process.env.DATABASE_URL;
  if (!base) throw new Error("DATABASE_URL is not set");
  admin = postgres(base, { max: 1, onnotice: () => undefined });
});
beforeEach(async () => {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await admin.unsafe(`CREATE DATABASE ${name}`);
  created.push(name);
  url = Object.assign(new URL(process.env.DATABASE_URL!), { pathname: `/${name}` }).href;
  folder = await mkdtemp(join(tmpdir(), "migrations-"));
  await cp(OWN, folder, { recursive: true });
});
afterAll(async () => {
  for (const name of created) await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.end();
});

async function withDatabase<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const database = new Database({ url, size: 2, query_deadline_ms: 20_000 });
  try {
    return await work(database);
  } finally {
    await database.close(1);
    await rm(folder, { recursive: true, force: true });
  }
}
const run = (database: Database, days = 7) =>
  migrate(database, { directory: folder, chunk_interval_days: days });
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const applied = (database: Database) =>
  database.sql<
    { version: number; name: string }[]
  >`SELECT version, name FROM diagnostics_migration ORDER BY version`;

test("two processes that start at once on an empty database both succeed, and each file is applied once", async () => {
  const spawn = () =>
    Bun.spawn([process.execPath, CHILD, url, folder], { stdout: "pipe", stderr: "pipe", env: process.env });
  const children = [spawn(), spawn(), spawn()];
  const outcomes = await Promise.all(
    children.map(async (child) => ({
      code: await child.exited,
      stderr: await new Response(child.stderr).text(),
      files: JSON.parse((await new Response(child.stdout).text()) || "null") as string[] | null,
    })),
  );
  expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
    outcomes.map(() => ({ code: 0, stderr: "" })),
  );
  const files = (await readdir(OWN)).filter((name) => name.endsWith(".sql")).sort();
  expect(outcomes.flatMap((outcome) => outcome.files ?? []).sort()).toEqual(files);
  await withDatabase(async (database) => {
    expect((await applied(database)).map(({ name }) => name)).toEqual(files);
  });
});

test("a second run applies nothing; a new file is applied alone; the chunk interval is the configured one", async () => {
  await withDatabase(async (database) => {
    expect((await run(database, 3)).length).toBeGreaterThan(0);
    expect(await run(database, 3)).toEqual([]);
    await writeFile(
      join(folder, "9000_more.sql"),
      "CREATE TABLE more (id int); INSERT INTO more VALUES (1);",
    );
    expect(await run(database)).toEqual(["9000_more.sql"]);
    expect(await run(database)).toEqual([]);
    const [chunk] = await database.sql<{ days: number }[]>`SELECT extract(day FROM time_interval)::int AS days
      FROM timescaledb_information.dimensions WHERE hypertable_name = 'diagnostics_sensordata'`;
    expect(chunk!.days).toBe(3);
  });
});

test("a file that was changed after it had been applied is refused, and nothing is applied", async () => {
  await withDatabase(async (database) => {
    await run(database);
    await writeFile(join(folder, "0001_platform.sql"), "SELECT 1");
    await writeFile(join(folder, "9000_more.sql"), "CREATE TABLE more (id int)");
    const refused = await errorOf(run(database));
    expect(refused).toBeInstanceOf(MigrationError);
    expect((refused as Error).message).toContain("0001_platform.sql");
    expect(await database.sql`SELECT to_regclass('more') AS oid`).toEqual([{ oid: null }] as never);
  });
});

/** What a newer program would have applied. */
const applyNewer = (database: Database, version: number, since: number | null) =>
  database.sql`INSERT INTO diagnostics_migration (version, name, checksum, since)
    VALUES (${version}, ${`${version}_future.sql`}, 'x', ${since})`;

test("a schema newer than the program is refused with advice, unless it says that it runs with such programs", async () => {
  await withDatabase(async (database) => {
    await run(database);
    const files = (await readdir(OWN)).filter((name) => name.endsWith(".sql")).sort();
    const newest = Number(files.at(-1)!.slice(0, 4));
    await applyNewer(database, 9000, newest);
    await applyNewer(database, 9001, newest - 1);
    expect(await run(database)).toEqual([]);
    expect(await migrationState(database, folder)).toEqual({
      known: files.length,
      missing: [],
      newer: ["9000_future.sql", "9001_future.sql"],
      conflict: null,
    });
    for (const since of [9000, null]) {
      await database.sql`UPDATE diagnostics_migration SET since = ${since} WHERE version = 9001`;
      const refused = await errorOf(run(database));
      expect(refused).toBeInstanceOf(MigrationError);
      expect((refused as Error).message).toMatch(/9001_future\.sql.*newer program/);
      expect((await migrationState(database, folder)).conflict).toBe((refused as Error).message);
    }
  });
});

test("a newer schema that lacks one of the program's own files is refused", async () => {
  await withDatabase(async (database) => {
    await run(database);
    await applyNewer(database, 9005, 1);
    await writeFile(join(folder, "9001_more.sql"), "CREATE TABLE more (id int)");
    const refused = await errorOf(run(database));
    expect(refused).toBeInstanceOf(MigrationError);
    expect((refused as Error).message).toMatch(/lacks 9001_more\.sql/);
  });
});

test("a file tells with which older programs it runs, and the database of an older program learns to keep that", async () => {
  await withDatabase(async (database) => {
    await run(database);
    await database.sql`ALTER TABLE diagnostics_migration DROP COLUMN since`;
    expect(await run(database)).toEqual([]);
    const text = "-- More.\n-- Runs with programs since 0012: a table that they do not know.\n";
    await writeFile(join(folder, "9000_more.sql"), `${text}CREATE TABLE more (id int);`);
    await writeFile(join(folder, "9001_less.sql"), "DROP TABLE more;");
    expect(await run(database)).toEqual(["9000_more.sql", "9001_less.sql"]);
    const rows = await database.sql`SELECT version, since FROM diagnostics_migration ORDER BY version`;
    expect(rows.slice(-2)).toEqual([
      { version: 9000, since: 12 },
      { version: 9001, since: null },
    ] as never);
    expect(rows.slice(0, -2).every(({ since }) => since === null)).toBe(true);
  });
});

test("every file from 0014 on says with which programs it runs: an older pod may start again in mid-upgrade", async () => {
  const files = (await readMigrations(OWN)).filter(({ version }) => version >= 14);
  for (const { name, version, since } of files) {
    expect({ name, since }).toEqual({ name, since: expect.any(Number) });
    expect(since).toBeLessThanOrEqual(version);
  }
});

test("a table in use is waited for in short turns: what comes meanwhile gets through, and the file is applied in the end", async () => {
  await withDatabase(async (database) => {
    await run(database);
    await writeFile(
      join(folder, "9000_wide.sql"),
      "ALTER TABLE diagnostics_ingestion_job ADD COLUMN wide integer",
    );
    const reader = postgres(url, { max: 1, onnotice: () => undefined });
    const writer = postgres(url, { max: 1, onnotice: () => undefined });
    let turns = 0;
    const migrated = await reader.begin(async (sql) => {
      await sql`SELECT FROM diagnostics_ingestion_job LIMIT 1`;
      const migrating = migrate(database, {
        directory: folder,
        chunk_interval_days: 7,
        locks: { timeout_ms: 100, pause_ms: 100 },
        onLocked: (name) => {
          expect(name).toBe("9000_wide.sql");
          turns += 1;
        },
      });
      await until("a first turn is over", () => turns >= 1);
      for (const turn of [2, 3]) {
        await writer`INSERT INTO diagnostics_ingestion_job (id, status, total_readings, created_at, system_id, created_by)
          VALUES (gen_random_uuid(), 'queued', 1, now(), gen_random_uuid(), gen_random_uuid())`;
        await until(`turn ${turn} is over`, () => turns >= turn);
      }
      return { migrating };
    });
    expect(await migrated.migrating).toEqual(["9000_wide.sql"]);
    await Promise.all([reader.end(), writer.end()]);
  });
});

test("a file that fails leaves nothing of itself behind, and the lock is free again", async () => {
  await withDatabase(async (database) => {
    await run(database);
    const path = join(folder, "9000_broken.sql");
    await writeFile(path, "CREATE TABLE half (id int); SELECT 1/0;");
    expect(await errorOf(run(database))).toMatchObject({ code: "22012" });
    expect(await database.sql`SELECT to_regclass('half') AS oid`).toEqual([{ oid: null }] as never);
    await writeFile(path, "CREATE TABLE half (id int);");
    expect(await run(database)).toEqual(["9000_broken.sql"]);
  });
});

test.each([
  ["more.sql", /0001_what_it_does/],
  ["0001_again.sql", /taken twice/],
])("a file named %s is refused before anything is applied", async (name, message) => {
  await withDatabase(async (database) => {
    await writeFile(join(folder, name), "SELECT 1");
    const refused = await errorOf(run(database));
    expect(refused).toBeInstanceOf(MigrationError);
    expect((refused as Error).message).toMatch(message);
  });
});

test("the statement timeout of the pool does not cut a migration, and holds again afterwards", async () => {
  const database = new Database({ url, size: 1, query_deadline_ms: 2_000 });
  await writeFile(join(folder, "9000_slow.sql"), "SELECT pg_sleep(2.5)");
  try {
    expect(await migrate(database, { directory: folder, chunk_interval_days: 7 })).toContain("9000_slow.sql");
    expect(await errorOf(database.run("slow", (sql) => sql`SELECT pg_sleep(5)`))).toMatchObject({
      name: "StoreUnavailableError",
    });
  } finally {
    await database.close(1);
    await rm(folder, { recursive: true, force: true });
  }
});
