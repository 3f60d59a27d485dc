/** What a statement that fails leaves behind on its connection: nothing (patches/, docs/decisions/0020). */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Database } from "../../../src/store/pool.ts";
import { ApiBench } from "../../support/api.ts";

let bench: ApiBench;
let database: Database;
beforeAll(async () => {
  bench = await ApiBench.create();
  // One connection, so that the next query is on the one that failed.
  database = new Database({ url: bench.database.url, size: 1, query_deadline_ms: 2_000 });
});
afterAll(async () => {
  await database.close(1);
  await bench.close();
});

/** Rows enough to leave the server before the error comes. */
const ROWS = 5;
const failures = {
  "an error of its own": () =>
    database.run(
      "rows, then an error",
      (sql) => sql`SELECT repeat('x', 20000), 1 / (${ROWS} - n) FROM generate_series(1, ${ROWS}::int) n`,
    ),
  "its deadline": () =>
    database.run(
      "rows, then the deadline",
      (sql) =>
        sql`SELECT repeat('x', 20000), CASE WHEN n = ${ROWS} THEN pg_sleep(5)::text END FROM generate_series(1, ${ROWS}::int) n`,
    ),
};

test.each(Object.keys(failures) as (keyof typeof failures)[])(
  "a statement that failed among its rows, by %s, leaves none for the next one",
  async (how) => {
    await expect(failures[how]()).rejects.toThrow();
    const rows = await database.run("the next one", (sql) => sql<{ n: number }[]>`SELECT 1 AS n`);
    expect([...rows]).toEqual([{ n: 1 }]);
  },
);
