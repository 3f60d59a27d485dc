/** What the service keeps: every table and every key of Redis, to compare before an attack with after it. */
import type { Redis } from "ioredis";
import type postgres from "postgres";

/** Of the honest and the odd batches, which are stored on purpose and looked at apart. */
const BY_SYSTEM = "system_id";
/** Says when something was used, not what was stored. */
const NOTES: ReadonlySet<string> = new Set(["last_used_at", "changed_at"]);
/** Places on the way of honest batches that stand for none of them in particular. */
const PASSING: ReadonlySet<string> = new Set(["diagnostics_dirty_hour", "diagnostics_dirty_hour_taken"]);

export interface Kept {
  /** Number of rows and a sum over their texts, by table. */
  readonly tables: Readonly<Record<string, string>>;
  /** Without an end of their life. */
  readonly keys: readonly string[];
}

/** @param others systems whose rows are left out */
export async function whatIsKept(sql: postgres.Sql, redis: Redis, others: readonly string[]): Promise<Kept> {
  const columns = await sql<{ table_name: string; column_name: string }[]>`
    SELECT table_name, column_name FROM information_schema.columns
    JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name, ordinal_position`;
  const tables: Record<string, string> = {};
  for (const [table, of] of Map.groupBy(columns, ({ table_name }) => table_name)) {
    if (PASSING.has(table)) continue;
    const names = of.map(({ column_name }) => column_name).filter((name) => !NOTES.has(name));
    tables[table] = await sumOf(sql, table, names, others);
  }
  return { tables, keys: await lastingKeys(redis) };
}

async function sumOf(
  sql: postgres.Sql,
  table: string,
  names: readonly string[],
  others: readonly string[],
): Promise<string> {
  const row = names.map((name) => `"${name}"`).join(", ");
  const where = names.includes(BY_SYSTEM)
    ? `WHERE "${BY_SYSTEM}" IS NULL OR "${BY_SYSTEM}" <> ALL ($1::uuid[])`
    : "";
  const [found] = await sql.unsafe<{ n: string; sum: string }[]>(
    `SELECT count(*) AS n, coalesce(sum(hashtextextended(ROW(${row})::text, 0)::numeric), 0) AS sum FROM "${table}" ${where}`,
    where === "" ? [] : [[...others]],
  );
  return `${found?.n} rows, ${found?.sum}`;
}

const SCAN_COUNT = 1_000;

async function lastingKeys(redis: Redis): Promise<string[]> {
  const lasting: string[] = [];
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "COUNT", SCAN_COUNT);
    cursor = next;
    const lives = await Promise.all(keys.map((key) => redis.pttl(key)));
    lasting.push(...keys.filter((_, i) => lives[i] === -1));
  } while (cursor !== "0");
  return [...new Set(lasting)].sort();
}

/** What is there now and was not, or is not any more; for people. Empty: nothing. */
export function differences(before: Kept, after: Kept): string[] {
  const tables = Object.keys({ ...before.tables, ...after.tables })
    .filter((table) => before.tables[table] !== after.tables[table])
    .map((table) => `${table}: ${before.tables[table]} before, ${after.tables[table]} after`);
  const added = after.keys.filter((key) => !before.keys.includes(key));
  return [...tables, ...added.map((key) => `Redis: ${key} stays`)];
}
