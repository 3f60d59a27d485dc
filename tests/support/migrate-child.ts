/** Child process of the migration tests: migrates the database of its arguments and prints what it applied. */
import { migrate } from "../../src/store/migrate.ts";
import { Database } from "../../src/store/pool.ts";

const [url = "", directory = ""] = Bun.argv.slice(2);
const database = new Database({ url, size: 1, query_deadline_ms: 10_000 });
try {
  process.stdout.write(JSON.stringify(await migrate(database, { directory, chunk_interval_days: 7 })));
} finally {
  await database.close(1);
}
