/** `hydraulic migrate`: bring the schema up to date and end, for deployments that migrate before they start. */
import { migrateSchema, openDatabase, openEnvironment } from "./environment.ts";

export async function migrateCommand(): Promise<void> {
  const environment = await openEnvironment();
  const database = openDatabase(environment);
  try {
    const applied = await migrateSchema(database, environment.config);
    for (const name of applied) process.stdout.write(`applied ${name}\n`);
    if (applied.length === 0) process.stdout.write("the schema is up to date\n");
  } finally {
    await database.close();
    await environment.services.stop();
  }
}
