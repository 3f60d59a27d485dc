/** A database of the service, filled with a recording by COPY, aggregated, and with jobs in proportion. */
import postgres from "postgres";
import { BenchmarkTables, type Compressed } from "../../src/store/benchmark-tables.ts";
import { Database } from "../../src/store/pool.ts";
import { aggregateAll } from "../../src/verify/benchmark/aggregate.ts";
import { Recording } from "../../src/verify/benchmark/recording.ts";
import { COPY_ROWS, copyGroups } from "../bench/fill.ts";
import { addAdmin, LIFECYCLE, makeDatabase, migrateOwn } from "../bench/own-database.ts";

const SYSTEM_ID = "0d3c41d2-7f4c-4a52-9b7e-2f5a3b0f6f11";
export const USER = "bench-queries";
const SEED = 4;
/** As if each job had brought 25 readings: 1,000,000 jobs beside 25,000,000 readings. */
const READINGS_PER_JOB = 25;
const DEADLINE_MS = 1_800_000;
const REUSABLE_MS = 6 * 3_600_000;
const MINUTE_MS = 60_000;

export interface FilledDatabase {
  readonly url: string;
  readonly recording: Recording;
  readonly rows: number;
  readonly jobs: number;
  readonly readings_bytes: number;
  readonly compressed: Compressed | null;
  /** Of the COPY, null for a database that was there. */
  readonly copy_rows_per_s: number | null;
}

/** What the database's comment says about what is in it. */
interface Content {
  readonly version: 3;
  readonly rows: number;
  readonly end_ms: number;
  readonly compress_all: boolean;
}

interface Wanted {
  readonly rows: number;
  readonly compress_all: boolean;
  /** Take a database of this content that is there. */
  readonly reuse: boolean;
}

export const nameOf = (rows: number) => `hydraulic_bench_queries_${rows}`;

/** Make the database, or take the one that is there. */
export async function fillDatabase(
  serverUrl: string,
  wanted: Wanted,
  stop: AbortSignal,
): Promise<FilledDatabase> {
  const url = new URL(serverUrl);
  url.pathname = `/${nameOf(wanted.rows)}`;
  const admin = postgres(serverUrl, { max: 1, onnotice: () => undefined });
  try {
    const found = wanted.reuse ? await readContent(admin, wanted) : null;
    if (found) console.error(`taking the database of ${wanted.rows} readings that is there`);
    const end_ms = found?.end_ms ?? Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
    const recording = new Recording({ rows: wanted.rows, system_id: SYSTEM_ID, end_ms, seed: SEED });
    if (!found) {
      await makeDatabase(serverUrl, nameOf(wanted.rows));
    }
    const copy_rows_per_s = found ? null : await fill(url.href, recording, wanted, stop);
    const content: Content = { version: 3, rows: wanted.rows, end_ms, compress_all: wanted.compress_all };
    await admin.unsafe(`COMMENT ON DATABASE ${nameOf(wanted.rows)} IS '${JSON.stringify(content)}'`);
    return { url: url.href, recording, copy_rows_per_s, ...(await describe(url.href)) };
  } finally {
    await admin.end({ timeout: 5 });
  }
}

async function readContent(admin: postgres.Sql, wanted: Wanted): Promise<Content | null> {
  const [row] = await admin<{ text: string | null }[]>`
    SELECT shobj_description(oid, 'pg_database') AS text FROM pg_database WHERE datname = ${nameOf(wanted.rows)}`;
  if (!row?.text) return null;
  const content = JSON.parse(row.text) as Content;
  const fits =
    content.version === 3 &&
    content.compress_all === wanted.compress_all &&
    content.end_ms > Date.now() - REUSABLE_MS;
  return fits ? content : null;
}

/** @returns rows/s of the COPY */
async function fill(
  url: string,
  recording: Recording,
  { rows, compress_all }: Wanted,
  stop: AbortSignal,
): Promise<number> {
  const database = new Database({ url, size: 2, query_deadline_ms: DEADLINE_MS });
  try {
    await migrateOwn(database);
    const tables = new BenchmarkTables(database);
    await tables.pauseJobs();
    const user_id = await addAdmin(database, USER);
    await tables.addSystem(SYSTEM_ID, "Benchmark rigs");
    await tables.addSensors(recording.sensors);
    const speed = await copyAll(url, recording, stop);
    const step = stepper(rows);
    await tables.markDirty(SYSTEM_ID, recording.start_ms, recording.shape.end_ms);
    step(`aggregated ${await aggregateAll(url, stop)} hours`);
    await tables.addJobs(Math.ceil(rows / READINGS_PER_JOB), SYSTEM_ID, [user_id], 14);
    step("added jobs");
    await tables.compress(LIFECYCLE.compress_after_days, compress_all);
    step("compressed what is to be compressed");
    await tables.vacuum();
    step("vacuumed");
    return speed;
  } finally {
    await database.close();
  }
}

function stepper(rows: number): (what: string) => void {
  let last = performance.now();
  return (what) => {
    const now = performance.now();
    console.error(`${rows}: ${what} in ${((now - last) / 1000).toFixed(1)} s`);
    last = now;
  };
}

async function copyAll(url: string, recording: Recording, stop: AbortSignal): Promise<number> {
  const begin = performance.now();
  const rows = await copyGroups(url, SYSTEM_ID, recording.groups(COPY_ROWS), stop);
  const seconds = (performance.now() - begin) / 1000;
  console.error(`${recording.shape.rows}: COPY of ${rows} readings in ${seconds.toFixed(1)} s`);
  return Math.round(rows / seconds);
}

async function describe(url: string) {
  const database = new Database({ url, size: 1, query_deadline_ms: DEADLINE_MS });
  try {
    const tables = new BenchmarkTables(database);
    const [counts] = await database.sql<{ rows: number; jobs: number }[]>`
      SELECT (SELECT sum(readings_count) FROM diagnostics_sensordata_hourly)::float8 AS rows,
        (SELECT count(*) FROM diagnostics_ingestion_job)::float8 AS jobs`;
    const { readings_bytes } = await tables.sizes();
    return { ...counts!, readings_bytes, compressed: await tables.compressed() };
  } finally {
    await database.close();
  }
}
