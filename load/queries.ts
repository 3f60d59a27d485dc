/**
 * `bun run bench:queries`: how long do the questions of engineers take, and does it matter how much is stored?
 *
 * Two databases, a small and a large one, each filled by COPY with a made-up recording of 100 sensors over 15 days,
 * aggregated, and with jobs in proportion; a service over each, started as anyone would start it; requests over HTTP
 * to both in turn. On Community, chunks older than 7 days are compressed. A wrong answer ends the benchmark with exit
 * code 1, a missed target does not.
 */
import { join } from "node:path";
import postgres from "postgres";
import { detectEdition } from "../src/store/edition.ts";
import type { Sql } from "../src/store/pool.ts";
import { describeMachine } from "./bench/machine.ts";
import { dropDatabase } from "./bench/own-database.ts";
import { type Service, startService } from "./bench/service.ts";
import { runProgram } from "./program.ts";
import { type FilledDatabase, fillDatabase, nameOf, USER } from "./queries/filled-database.ts";
import { Ingest } from "./queries/ingest-beside.ts";
import { type Asked, measure } from "./queries/measure.ts";
import { type QueryBenchOptions, readOptions, USAGE } from "./queries/options.ts";
import { type DatabaseResult, type QueryResult, report, save } from "./queries/report.ts";
import { openServices, QUERIES_DIR, type QueryServices } from "./queries/services.ts";

/** The rig that sends meanwhile. */
const INGEST_SYSTEM = "5be6ed5a-9f1b-4b86-a4a5-8f1f6a9d3c77";

async function startOver(
  { url }: FilledDatabase,
  { redisUrl }: QueryServices,
  size: "small" | "large",
  role: "api" | "all",
): Promise<Service> {
  const logPath = join(QUERIES_DIR, `service-${size}.log`);
  return startService({ databaseUrl: url, redisUrl }, undefined, { role, logPath, users: [USER] });
}

/** Beside whatever the databases were filled with; one that was kept may have it. */
async function addIngestSystem(sql: postgres.Sql): Promise<void> {
  await sql`INSERT INTO diagnostics_system (id, name) VALUES (${INGEST_SYSTEM}, 'Rig that sends meanwhile')
    ON CONFLICT (id) DO NOTHING`;
}

const askedOf = ({ host, port, tokens }: Service, { recording }: FilledDatabase): Asked => ({
  origin: `http://${host}:${port}`,
  token: tokens[0]!,
  recording,
});

/** Fill both, ask both. */
async function compareSizes(
  services: QueryServices,
  options: QueryBenchOptions,
  stop: AbortSignal,
): Promise<QueryResult> {
  const filled: FilledDatabase[] = [];
  for (const rows of [options.small_rows, options.rows]) {
    const wanted = { rows, compress_all: options.compress_all, reuse: options.keep };
    filled.push(await fillDatabase(services.databaseUrl, wanted, stop));
  }
  const [small, large] = filled as [FilledDatabase, FilledDatabase];
  const running: Service[] = [];
  const sql = postgres(large.url, { max: 1, onnotice: () => undefined });
  try {
    if (options.ingest_rows_per_s > 0) await addIngestSystem(sql);
    running.push(await startOver(small, services, "small", "api"));
    running.push(await startOver(large, services, "large", options.ingest_rows_per_s > 0 ? "all" : "api"));
    const asked = [askedOf(running[0]!, small), askedOf(running[1]!, large)];
    const ingest =
      options.ingest_rows_per_s > 0
        ? new Ingest(running[1]!, sql, INGEST_SYSTEM, options.ingest_rows_per_s)
        : undefined;
    const [ofSmall, ofLarge] = await measure(asked, options.requests, stop);
    const came = await ingest?.stop();
    const result = (
      { recording: _, url: __, ...facts }: FilledDatabase,
      questions = ofSmall!,
    ): DatabaseResult => ({
      ...facts,
      questions,
    });
    return {
      date: new Date().toISOString(),
      machine: await describeMachine({ sql, redis: services.redis }),
      edition: await detectEdition(sql as unknown as Sql),
      requests: options.requests,
      small: result(small),
      large: result(large, ofLarge),
      ...(came ? { ingest: came } : {}),
    };
  } finally {
    for (const service of running) await service.stop();
    await sql.end({ timeout: 5 });
  }
}

async function main(stop: AbortSignal): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    process.stdout.write(USAGE);
    return 0;
  }
  const services = await openServices(QUERIES_DIR);
  try {
    const result = await compareSizes(services, options, stop);
    process.stdout.write(report(result));
    if (options.save) console.error(`saved as load/results/${await save(result)}`);
    return 0;
  } finally {
    if (!options.keep)
      for (const rows of [options.small_rows, options.rows])
        await dropDatabase(services.databaseUrl, nameOf(rows));
    await services.close();
  }
}

await runProgram(main);
