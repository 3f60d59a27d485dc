/** What older programs left behind: kept by `keep-fixture.ts`, and put back here. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { Redis } from "ioredis";
import postgres from "postgres";
import { INGEST_GROUP, streamKey } from "../../../src/stream/keys.ts";
import { createTestDatabase, createTestRedis, MIGRATIONS, type TestService } from "../test-services.ts";

const FOLDER = new URL("./kept/", import.meta.url).pathname;

/** A batch that waited in Redis. */
export interface KeptEntry {
  readonly kind: string;
  readonly job_id: string;
  readonly total: number;
}

type Row = Readonly<Record<string, unknown>>;

export interface Kept {
  /** Of the program that wrote it. */
  readonly commit: string;
  /** Files that its database had, by number. */
  readonly migrations: readonly string[];
  /** Of feeder-1; null where there were none yet. */
  readonly api_key: string | null;
  readonly left: {
    readonly user_id: string;
    /** Idempotency-Key of the batch `keyed`, and its body. */
    readonly key: string;
    readonly keyed_body: string;
    /** The consumer that holds the batch `pending`, which is the oldest. */
    readonly pending: string;
    readonly entries: readonly KeptEntry[];
  };
  /** Columns that are stored, not computed. */
  readonly tables: Readonly<Record<string, readonly Row[]>>;
  /** Entries of streams: id, then names and values in base64. */
  readonly redis: readonly (
    | { readonly key: string; readonly string: string }
    | { readonly key: string; readonly hash: Readonly<Record<string, string>> }
    | { readonly key: string; readonly stream: readonly (readonly string[])[] }
  )[];
}

/** All of them, oldest program first. */
export async function keptStates(): Promise<Kept[]> {
  const names = await Array.fromAsync(new Glob("*.json").scan(FOLDER));
  return Promise.all(names.sort().map(async (name) => (await Bun.file(FOLDER + name).json()) as Kept));
}

/** Version and format of each entry that waited, as `3 csv`. */
export function formsOf({ redis }: Kept): string[] {
  return redis.flatMap((item) =>
    !("stream" in item) || item.key !== streamKey(0)
      ? []
      : item.stream.map(([, ...fields]) => {
          const [, version, , meta] = fields.map((field) => Buffer.from(field, "base64").toString());
          return `${version} ${(JSON.parse(meta!) as { format?: string }).format ?? "json"}`;
        }),
  );
}

/** Its triggers add what is inserted to the sums, which are kept, too. */
const COUNTED = "diagnostics_quarantined_reading";
/** What others refer to comes first. */
const FIRST = ["diagnostics_user", "diagnostics_system", "diagnostics_sensor"];

/** A database of the state that the program left, with its rows. */
export async function databaseOf({ migrations, tables }: Kept): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), "kept-"));
  for (const name of migrations) await cp(join(MIGRATIONS, name), join(folder, name));
  const service = await createTestDatabase(false, folder);
  await rm(folder, { recursive: true });
  const sql = postgres(service.url, { max: 1, onnotice: () => undefined });
  // As a database was before migrations said with whom they run.
  await sql`ALTER TABLE diagnostics_migration DROP COLUMN since`;
  const names = Object.keys(tables).filter((name) => tables[name]!.length > 0);
  for (const name of [...FIRST, ...names.filter((other) => !FIRST.includes(other))]) {
    const rows = tables[name] ?? [];
    if (rows.length > 0) await insert(sql, name, rows);
  }
  await sql.end();
  return service;
}

async function insert(sql: postgres.Sql, table: string, rows: readonly Row[]): Promise<void> {
  const columns = listOf(rows);
  if (table === COUNTED) await sql.unsafe(`ALTER TABLE ${COUNTED} DISABLE TRIGGER USER`);
  await sql.unsafe(
    `INSERT INTO ${table} (${columns}) OVERRIDING SYSTEM VALUE
     SELECT ${columns} FROM json_populate_recordset(null::${table}, $1::text::json)`,
    [JSON.stringify(rows)],
  );
  if (table === COUNTED) await sql.unsafe(`ALTER TABLE ${COUNTED} ENABLE TRIGGER USER`);
  const counted = await sql<{ name: string; sequence: string }[]>`
    SELECT attname AS name, pg_get_serial_sequence(${table}, attname) AS sequence FROM pg_attribute
    WHERE attrelid = ${table}::regclass AND attidentity <> ''`;
  for (const { name, sequence } of counted)
    await sql.unsafe(`SELECT setval('${sequence}', (SELECT max(${name}) FROM ${table}))`);
}

const listOf = (rows: readonly Row[]) =>
  Object.keys(rows[0]!)
    .map((column) => `"${column}"`)
    .join(", ");

/** Kept rows of a table that are not there any more, in the columns that they had. */
export async function missingRows(sql: postgres.Sql, table: string, rows: readonly Row[]): Promise<Row[]> {
  if (rows.length === 0) return [];
  const columns = listOf(rows);
  const kept = `SELECT ${columns} FROM json_populate_recordset(null::${table}, $1::text::json)`;
  return [
    ...(await sql.unsafe<Row[]>(
      `SELECT kept.* FROM (SELECT ROW(${columns})::text AS is FROM (${kept}) k) kept
       WHERE kept.is NOT IN (SELECT ROW(${columns})::text FROM ${table})`,
      [JSON.stringify(rows)],
    )),
  ];
}

/** A Redis with what waited in it. */
export async function redisOf({ redis: items, left }: Kept): Promise<TestService> {
  const service = await createTestRedis();
  const redis = new Redis(service.url);
  for (const item of items) {
    if ("string" in item) await redis.set(item.key, item.string);
    else if ("hash" in item) await redis.hset(item.key, { ...item.hash });
    else
      for (const [id, ...fields] of item.stream)
        await redis.xadd(item.key, id!, ...fields.map((field) => Buffer.from(field, "base64")));
  }
  await redis.xgroup("CREATE", streamKey(0), INGEST_GROUP, "0");
  await redis.xreadgroup("GROUP", INGEST_GROUP, left.pending, "COUNT", 1, "STREAMS", streamKey(0), ">");
  redis.disconnect();
  return service;
}
