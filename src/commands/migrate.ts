/** `hydraulic migrate`: bring the schema up to date and end, for deployments that migrate before they start. */
import { openDatabase, openEnvironment, prepareDatabase } from "./environment.ts";

/** Prints what it did. @throws {ConfigError} @throws {ServicesError} @throws {MigrationError} */
export async function migrateCommand(): Promise<void> {
  const environment = await openEnvironment("work");
  const database = openDatabase(environment);
  try {
    const { extension, applied, newer, edition, changes } = await prepareDatabase(database, environment);
    const lines = [
      ...(extension ? [`extension timescaledb moved to ${extension}`] : []),
      ...applied.map((name) => `applied ${name}`),
      ...changes,
      ...newer.map((name) => `${name} is of a newer program; this one runs with it and changes nothing`),
      `the schema is up to date (TimescaleDB ${edition} edition)`,
    ];
    process.stdout.write(`${lines.join("\n")}\n`);
  } finally {
    await database.close();
    await environment.services.stop();
  }
}
