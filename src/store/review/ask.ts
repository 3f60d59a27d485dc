/** One labelled statement with `$1`-style parameters over the pool; arrays are handed over as PostgreSQL writes them. */
import type { Database } from "../pool.ts";

/** @throws {StoreUnavailableError} */
export async function ask<R extends object>(
  database: Database,
  label: string,
  text: string,
  values: readonly (string | number | boolean | null)[],
): Promise<R[]> {
  const rows = await database.run(label, (sql) => sql.unsafe<R[]>(text, [...values]));
  return [...rows];
}

/** An array of numbers, UUIDs or words, which need no quotes (PostgreSQL documentation, section 8.15.2); cast it from text. */
export const arrayOf = (values: readonly (string | number)[]) => `{${values.join(",")}}`;
