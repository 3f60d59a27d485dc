/** Migrations, and the indexes without which questions or the ledger break. */

import { chunksWithoutKey } from "../../store/inspect/hypertable.ts";
import { inspectIndexes } from "../../store/inspect/tables.ts";
import { migrationState } from "../../store/migrate.ts";
import { type Check, withHypertable } from "../context.ts";
import { failed, ok, warn } from "../finding.ts";
import { plural } from "../format.ts";

export const migrations: Check = {
  name: "migrations",
  async run({ database, expected }) {
    const { known, missing, newer, conflict } = await migrationState(database, expected.migrations_directory);
    const figures = { known, missing, newer, conflict };
    if (conflict !== null) return failed(conflict, "Run the program that belongs to this database", figures);
    if (missing.length > 0)
      return failed(
        `${missing.length} of ${known} not applied: ${missing.join(", ")}`,
        "Run: hydraulic migrate",
        figures,
      );
    if (newer.length > 0)
      return warn(
        `all ${known} applied, and ${newer.join(", ")} of a newer program, with which this one runs`,
        "End the upgrade: start the newer program everywhere",
        figures,
      );
    return ok(`all ${known} applied`, figures);
  },
};

/** Tables and the columns that a usable index must begin with, and whether it must be unique. */
const NEEDED: readonly (readonly [table: string, columns: string, isUnique: boolean])[] = [
  ["diagnostics_sensordata", '(sensor_id, "timestamp" DESC)', true],
  ["diagnostics_ingestion_job", "(id)", true],
  ["diagnostics_ingestion_job", "(created_at DESC, id DESC)", false],
  ["diagnostics_quarantined_reading", "(job_id, ordinal)", true],
  ["diagnostics_sensor", "(id)", true],
  ["diagnostics_system", "(id)", true],
];

export const indexes = withHypertable("indexes", async ({ database }, { hypertable }) => {
  const found = await inspectIndexes(database);
  const lacking = NEEDED.filter(
    ([table, columns, unique]) =>
      !found.some(
        (index) =>
          index.table === table &&
          index.valid &&
          (index.unique || !unique) &&
          index.definition.includes(columns),
      ),
  ).map(([table, columns, unique]) => `${unique ? "unique " : ""}${table} ${columns}`);
  const invalid = found.filter(({ valid }) => !valid).map(({ name }) => name);
  const bare = await chunksWithoutKey(database);
  const figures = { indexes: found.length, lacking, invalid, chunks_without_key: bare };
  if (lacking.length > 0)
    return failed(
      `missing or invalid: ${lacking.join("; ")}`,
      "Create it again as sql/migrations says; the service relies on it",
      figures,
    );
  if (bare.length > 0)
    return failed(
      `${plural(bare.length, "chunk")} without the unique key, as ${bare[0]}: duplicates can get in`,
      "Create the unique index on the hypertable again",
      figures,
    );
  if (invalid.length > 0)
    return failed(`invalid: ${invalid.join(", ")}`, "REINDEX INDEX CONCURRENTLY, or drop it", figures);
  return ok(
    `${found.length} valid; (sensor_id, timestamp) unique in the hypertable and in each of ${plural(hypertable.chunks.length, "chunk")}`,
    figures,
  );
});
