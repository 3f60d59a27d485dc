/** A small database with readings for the tests of verify, and what it holds, for comparing before and after. */
import postgres from "postgres";
import { systemClock } from "../../src/ops/clock.ts";
import { Database } from "../../src/store/pool.ts";
import { reconcile } from "../../src/store/reconcile.ts";
import { withSessionSettings } from "../../src/store/session-options.ts";
import { aggregateAll } from "../../src/verify/benchmark/aggregate.ts";
import type { VerifyContext } from "../../src/verify/context.ts";
import type { NamedFinding } from "../../src/verify/finding.ts";
import { verify } from "../../src/verify/verify.ts";
import { serverEdition } from "./hourly.ts";

export const SYSTEM_ID = "3f1f8a52-7f3c-4f0e-8a45-2d64c3a3b001";
export const MIGRATIONS = new URL("../../sql/migrations", import.meta.url).pathname;
const SENSORS = 3;
const DAYS = 16;

/**
 * The newest Monday at 00:00 UTC. Chunks of 7 days begin on Thursdays, so the newest one is more than half full on
 * every day of the week, and its plans are those of a chunk in use.
 */
const END = "date_trunc('week', now())";

/**
 * Three sensors over the 16 days before the newest Monday; aggregated as the maintenance does it.
 * @param step_s between readings of a sensor
 */
export async function fill(url: string, step_s = 30): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    // Policies must not change what is compared before and after.
    await sql`SELECT _timescaledb_functions.stop_background_workers()`;
    await forgetRuns(url, sql);
    await sql`INSERT INTO diagnostics_system (id, name) VALUES (${SYSTEM_ID}, 'rig')`;
    await sql`
      INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit)
      SELECT gen_random_uuid(), ${SYSTEM_ID}, 'pressure ' || n, 'pressure', 'bar' FROM generate_series(1, ${SENSORS}::int) n`;
    await sql`
      INSERT INTO diagnostics_sensordata (sensor_id, "timestamp", value, system_id, quality, unit)
      SELECT id, at, 100 + 50 * sin(extract(epoch FROM at)::float8 / 700), system_id, 100, unit
      FROM diagnostics_sensor, generate_series(${sql.unsafe(END)} - ${DAYS} * interval '1 day', ${sql.unsafe(END)}, ${step_s} * interval '1 s') at`;
    // As if each day of a sensor had come with one batch.
    await sql`
      INSERT INTO diagnostics_ingestion_job (id, status, total_readings, inserted_readings, created_at, completed_at, system_id,
        created_by, oldest_reading_at, newest_reading_at)
      SELECT gen_random_uuid(), 'completed', count(*), count(*), now() - interval '2 days', now() - interval '2 days', system_id,
        gen_random_uuid(), min("timestamp"), max("timestamp")
      FROM diagnostics_sensordata GROUP BY sensor_id, system_id, date_trunc('day', "timestamp", 'UTC')`;
    await sql`
      INSERT INTO diagnostics_dirty_hour
      SELECT DISTINCT system_id, date_trunc('hour', "timestamp") FROM diagnostics_sensordata`;
    await aggregateAll(url, new AbortController().signal);
    await sql`ANALYZE diagnostics_sensordata`;
  } finally {
    await sql.end();
  }
}

/** Policies may have run before they were stopped, and what came of it is told: new ones have not run yet. */
async function forgetRuns(url: string, sql: postgres.Sql): Promise<void> {
  if ((await serverEdition()) === "apache") return;
  await sql`SELECT remove_compression_policy('diagnostics_sensordata')`;
  const database = new Database({ url, size: 1, query_deadline_ms: 60_000 });
  try {
    await reconcile(database, { compress_after_days: 7, retention_days: 1_825 });
  } finally {
    await database.close();
  }
}

export type Overrides = Partial<Omit<VerifyContext, "database" | "expected">> & {
  readonly expected?: Partial<VerifyContext["expected"]>;
  /** Settings of the sessions beside read-only. */
  readonly session?: Readonly<Record<string, string>>;
};

/** All findings by the name of their check. */
export async function verifyDatabase(
  url: string,
  { expected, session, ...overrides }: Overrides = {},
): Promise<Map<string, NamedFinding>> {
  const settings = { default_transaction_read_only: "on", ...session };
  const database = new Database({
    url: withSessionSettings(url, settings),
    size: 1,
    query_deadline_ms: 30_000,
  });
  try {
    const findings = await verify({
      database,
      redis: new Error("no Redis in this test"),
      clock: systemClock,
      draw: () => 0.5,
      samples: SENSORS,
      accounts: { since_ms: null },
      ...overrides,
      expected: {
        migrations_directory: MIGRATIONS,
        chunk_interval_days: 7,
        compress_after_days: 7,
        retention_days: 1_825,
        bounds: { partitions: 1, max_entries: 100, max_bytes: 1e9, idempotency_ttl_s: 60 },
        durability: "everysec",
        replicas: 0,
        ...expected,
      },
    });
    return new Map(findings.map((finding) => [finding.check, finding]));
  } finally {
    await database.close();
  }
}

/** Every relation of the database, and rows with checksum of every table of the service. */
export async function snapshot(url: string): Promise<Record<string, unknown>> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const relations = await sql<{ name: string }[]>`
      SELECT format('%s %I.%I', relkind, nspname, relname) AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
      WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND nspname NOT LIKE 'pg_temp%'
        AND nspname NOT LIKE 'pg_toast_temp%' ORDER BY 1`;
    const tables = await sql<{ name: string }[]>`
      SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'diagnostics\\_%' ORDER BY 1`;
    const contents: Record<string, unknown> = {};
    for (const { name } of tables) {
      const [row] = await sql.unsafe(
        `SELECT count(*)::int AS rows, md5(string_agg(t::text, '|' ORDER BY t::text)) AS sum FROM public.${name} t`,
      );
      contents[name] = { ...row };
    }
    return { relations: relations.map(({ name }) => name), contents };
  } finally {
    await sql.end();
  }
}

/** Schemas of benchmarks. */
export async function benchmarkSchemas(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const rows = await sql<{ name: string }[]>`
      SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'hydraulic\\_verify\\_%' ORDER BY 1`;
    return rows.map(({ name }) => name);
  } finally {
    await sql.end();
  }
}
