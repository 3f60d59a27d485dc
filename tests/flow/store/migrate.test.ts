/** Migrations: each once, whoever starts, and never over a schema that does not fit. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { MigrationError, migrate } from "../../../src/store/migrate.ts";
import { Database } from "../../../src/store/pool.ts";

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
}, 60_000);

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

test("a schema newer than the program is refused with advice", async () => {
  await withDatabase(async (database) => {
    await run(database);
    await database.sql`INSERT INTO diagnostics_migration (version, name, checksum) VALUES (9999, '9999_future.sql', 'x')`;
    const refused = await errorOf(run(database));
    expect(refused).toBeInstanceOf(MigrationError);
    expect((refused as Error).message).toMatch(/9999_future\.sql.*newer program/);
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
  const database = new Database({ url, size: 1, query_deadline_ms: 400 });
  await writeFile(join(folder, "9000_slow.sql"), "SELECT pg_sleep(0.6)");
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
