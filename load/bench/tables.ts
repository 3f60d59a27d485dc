/** What the tables hold: emptied before a run, and compared with what was sent after it. */
import type { RedisCommander } from "ioredis";
import type postgres from "postgres";
import { mirrorKey, streamKey } from "../../src/stream/keys.ts";
import { type Dataset, SENSORS, type SensorSum } from "./dataset.ts";

export const RAW_TABLE = "bench_raw.sensordata";
export const SERVICE_TABLE = "public.diagnostics_sensordata";
const PARTITION = 0;
const POLL_MS = 5;
const DRAIN_DEADLINE_MS = 600_000;
const INSUFFICIENT_PRIVILEGE = "42501";

/** The tables do not hold what was sent. */
export class WrongDataError extends Error {
  override readonly name = "WrongDataError";
}

/** A hypertable like the service's own: same columns, same unique index, same chunks. */
export async function makeRawTable(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(
    `CREATE SCHEMA bench_raw; CREATE TABLE ${RAW_TABLE} (LIKE ${SERVICE_TABLE} INCLUDING ALL)`,
  );
  await sql`SELECT create_hypertable(${RAW_TABLE}, by_range('timestamp', (
      SELECT time_interval FROM timescaledb_information.dimensions
      WHERE hypertable_schema = 'public' AND hypertable_name = 'diagnostics_sensordata')),
    create_default_indexes => false)`;
}

/** Empty all tables and let the server write out what is left of the run before. */
export async function startAfresh(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`TRUNCATE ${RAW_TABLE}, ${SERVICE_TABLE}, diagnostics_ingestion_job,
    diagnostics_quarantined_reading, diagnostics_dirty_hour CASCADE`);
  await checkpoint(sql);
}

export async function checkpoint(sql: postgres.Sql): Promise<void> {
  try {
    await sql.unsafe("CHECKPOINT");
  } catch (error) {
    // On a given server we may not be allowed to; the runs are then a little less even.
    if ((error as postgres.PostgresError).code !== INSUFFICIENT_PRIVILEGE) throw error;
  }
}

/** Resolves when the stream is empty: an entry leaves it after its COMMIT. XLEN costs the machine next to nothing. */
export async function untilDrained(redis: Pick<RedisCommander, "xlen">): Promise<void> {
  await untilEmpty(redis, streamKey(PARTITION));
}

/** Resolves when the job mirror has nothing left to do. */
export async function untilMirrored(redis: Pick<RedisCommander, "xlen">): Promise<void> {
  await untilEmpty(redis, mirrorKey(PARTITION));
}

async function untilEmpty(redis: Pick<RedisCommander, "xlen">, key: string): Promise<void> {
  const end = performance.now() + DRAIN_DEADLINE_MS;
  while ((await redis.xlen(key)) > 0) {
    if (performance.now() > end)
      throw new WrongDataError(`${key} is not empty after ${DRAIN_DEADLINE_MS} ms`);
    await Bun.sleep(POLL_MS);
  }
}

/**
 * @param all rows of the whole table
 * @throws {WrongDataError} unless `table` holds the dataset's rows, each once, and nothing else at their times
 */
export async function checkReadings(
  sql: postgres.Sql,
  table: string,
  data: Dataset,
  all = data.shape.rows,
): Promise<void> {
  const sums = data.sums();
  const { rows: count, start_ms, interval_ms, system_id } = data.shape;
  const end_ms = start_ms + Math.ceil(count / SENSORS) * interval_ms;
  const rows = await sql.unsafe<Record<keyof SensorSum, string>[]>(
    `SELECT sensor_id, unit, count(*) AS readings, sum(quality::float8)::bigint AS quality,
       sum(round(value * 100)::bigint * ((extract(epoch FROM "timestamp") * 1000 - $1::bigint)::bigint / $2::bigint + 1))::bigint AS mixed
     FROM ${table} WHERE system_id = $3 AND sensor_id = ANY($6::uuid[]) AND "timestamp" >= $4::timestamptz AND "timestamp" < $5::timestamptz
       AND ((extract(epoch FROM "timestamp") * 1000)::bigint - $1::bigint) % $2::bigint = 0
     GROUP BY sensor_id, unit ORDER BY sensor_id`,
    [
      start_ms,
      interval_ms,
      system_id,
      new Date(start_ms),
      new Date(end_ms),
      sums.map((sum) => sum.sensor_id),
    ],
  );
  const [held_all] = await sql.unsafe<{ readings: string }[]>(`SELECT count(*) AS readings FROM ${table}`);
  if (Number(held_all?.readings) !== all)
    throw new WrongDataError(`${table} holds ${held_all?.readings} rows, not ${all}`);
  const held = rows.map(
    ({ sensor_id, unit, readings, quality, mixed }): SensorSum => ({
      sensor_id,
      unit,
      readings: Number(readings),
      quality: Number(quality),
      mixed: Number(mixed),
    }),
  );
  if (!Bun.deepEquals(held, sums)) throw new WrongDataError(`${table} does not hold what was sent`);
}

/** What completed jobs say together. */
export interface JobSums {
  readonly jobs: number;
  readonly total: number;
  readonly inserted: number;
  readonly duplicate: number;
  readonly quarantined: number;
}

/** @throws {WrongDataError} unless the completed jobs say so, and quarantine holds as many readings */
export async function checkJobs(sql: postgres.Sql, sums: JobSums): Promise<void> {
  const [found] = await sql<Record<keyof JobSums | "refused", string>[]>`
    SELECT count(*) AS jobs, sum(total_readings) AS total, sum(inserted_readings) AS inserted,
      sum(duplicate_readings) AS duplicate, sum(quarantined_readings) AS quarantined,
      (SELECT count(*) FROM diagnostics_quarantined_reading) AS refused
    FROM diagnostics_ingestion_job WHERE status = 'completed'`;
  const expected = Object.fromEntries(
    Object.entries({ ...sums, refused: sums.quarantined }).map(([name, value]) => [name, String(value)]),
  );
  if (!Bun.deepEquals({ ...found }, expected))
    throw new WrongDataError(`the jobs say ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
}
