/** Statements of the benchmark in its own schema or database: a table for raw COPY, many jobs, compression. */
import { detectEdition, type Edition } from "./edition.ts";
import type { Database } from "./pool.ts";

/** A hypertable like the service's: same columns, same unique index, same chunks. */
export const RAW_TABLE = "benchmark_raw_readings";

/** The tables do not hold what was written. */
export class WrongDataError extends Error {
  override readonly name = "WrongDataError";
}

/** For databases and schemas that hold nothing else: `empty` deletes all readings and jobs. */
export class BenchmarkTables {
  constructor(private readonly database: Database) {}

  async addSystem(id: string, name: string): Promise<void> {
    await this.database.run(
      "benchmark system",
      (sql) => sql`INSERT INTO diagnostics_system (id, name) VALUES (${id}, ${name})`,
    );
  }

  async addSensors(sensors: readonly BenchmarkSensor[]): Promise<void> {
    await this.database.run(
      "benchmark sensors",
      (sql) =>
        sql`INSERT INTO diagnostics_sensor ${sql(
          sensors.map(({ id, system_id, name, quantity, unit, expected_rate_hz }) => ({
            id,
            system_id,
            name,
            quantity,
            unit,
            expected_rate_hz,
          })),
        )}`,
    );
  }

  /** As the writer does it for each hour with new readings. */
  async markDirty(system_id: string, from_ms: number, to_ms: number): Promise<void> {
    await this.database.run(
      "mark hours",
      (sql) => sql`INSERT INTO diagnostics_dirty_hour (system_id, hour)
        SELECT ${system_id}::uuid, hour FROM generate_series(date_trunc('hour', ${new Date(from_ms)}::timestamptz),
          ${new Date(to_ms)}::timestamptz, interval '1 hour') hour`,
    );
  }

  async makeRawTable(): Promise<void> {
    await this.database.run("make raw table", async (sql) => {
      await sql.unsafe(`CREATE TABLE ${RAW_TABLE} (LIKE diagnostics_sensordata INCLUDING ALL)`);
      await sql`SELECT create_hypertable(${RAW_TABLE}::regclass, by_range('timestamp', (
          SELECT time_interval FROM timescaledb_information.dimensions
          WHERE hypertable_schema = current_schema() AND hypertable_name = 'diagnostics_sensordata')),
        create_default_indexes => false)`;
    });
  }

  async empty(): Promise<void> {
    await this.database.run("empty tables", (sql) =>
      sql.unsafe(
        `TRUNCATE ${RAW_TABLE}, diagnostics_sensordata, diagnostics_ingestion_job, diagnostics_dirty_hour`,
      ),
    );
  }

  /** @throws {WrongDataError} unless the service's table holds the same rows as the raw one */
  async assertSame(): Promise<void> {
    const [row] = await this.database.run(
      "compare tables",
      (sql) => sql<{ service: string; raw: string }[]>`
        SELECT (SELECT format('%s rows, sum %s', count(*), sum(round(value * 1000)::bigint)) FROM diagnostics_sensordata) AS service,
          (SELECT format('%s rows, sum %s', count(*), sum(round(value * 1000)::bigint)) FROM ${sql(RAW_TABLE)}) AS raw`,
    );
    if (row?.service !== row?.raw)
      throw new WrongDataError(`the writer stored ${row?.service}; raw COPY ${row?.raw}`);
  }

  async dropRawTable(): Promise<void> {
    await this.database.run("drop raw table", (sql) => sql.unsafe(`DROP TABLE ${RAW_TABLE}`));
  }

  /** Finished jobs of the last `days` days, spread evenly over them and over the users. */
  async addJobs(jobs: number, system_id: string, user_ids: readonly string[], days: number): Promise<void> {
    await this.database.run(
      "add jobs",
      (sql) => sql`
        INSERT INTO diagnostics_ingestion_job (id, status, total_readings, inserted_readings, created_at, started_at,
          completed_at, system_id, created_by)
        SELECT gen_random_uuid(), CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'completed' END, 25, 25, at,
          at + interval '5 ms', at + interval '25 ms', ${system_id}::uuid,
          (${sql.array([...user_ids], 2951)}::uuid[])[1 + n % ${user_ids.length}]
        FROM generate_series(1, ${jobs}::int) n,
          LATERAL (SELECT now() - ${days} * interval '1 day' * (n::float8 / ${jobs}) AS at) t`,
    );
  }

  /** What autovacuum does in its own time. */
  async vacuum(): Promise<void> {
    await this.database.run("vacuum", (sql) =>
      sql.unsafe("VACUUM ANALYZE diagnostics_sensordata, diagnostics_ingestion_job, diagnostics_sensor"),
    );
  }

  /** Keep background jobs from changing what is being measured. Settings of policies stay as they are. */
  async pauseJobs(): Promise<void> {
    await this.database.run(
      "pause jobs",
      (sql) => sql`SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
        WHERE proc_name IN ('policy_compression', 'policy_retention', 'policy_refresh_continuous_aggregate')`,
    );
  }

  /**
   * Compress chunks, as the policy would: also again those that got rows since. Nothing on the Apache edition.
   * @param all also the newest ones; else those that ended more than `age_days` ago
   */
  async compress(age_days: number, all: boolean): Promise<void> {
    if ((await this.#edition()) === "apache") return;
    await this.database.run("compress", async (sql) => {
      const chunks = await sql<{ name: string }[]>`
        SELECT format('%I.%I', chunk_schema, chunk_name) AS name FROM timescaledb_information.chunks
        WHERE hypertable_schema = current_schema() AND hypertable_name = 'diagnostics_sensordata'
          AND (${all} OR range_end <= now() - ${age_days} * interval '1 day') ORDER BY range_start`;
      for (const { name } of chunks) await sql`SELECT compress_chunk(${name}::regclass)`;
    });
  }

  /** What compression has come to; null on the Apache edition. */
  async compressed(): Promise<Compressed | null> {
    if ((await this.#edition()) === "apache") return null;
    const [row] = await this.database.run(
      "compressed",
      (sql) => sql<Compressed[]>`
        SELECT total_chunks::float8 AS chunks, number_compressed_chunks::float8 AS compressed_chunks,
          before_compression_total_bytes::float8 AS before_bytes, after_compression_total_bytes::float8 AS after_bytes
        FROM hypertable_compression_stats('diagnostics_sensordata')`,
    );
    return row ?? null;
  }

  #edition(): Promise<Edition> {
    return this.database.run("edition", (sql) => detectEdition(sql));
  }

  /** Bytes of the readings with their indexes, and of the whole database. */
  async sizes(): Promise<{ readings_bytes: number; database_bytes: number }> {
    const [row] = await this.database.run(
      "sizes",
      (sql) => sql<{ readings_bytes: number; database_bytes: number }[]>`
        SELECT hypertable_size('diagnostics_sensordata')::float8 AS readings_bytes,
          pg_database_size(current_database())::float8 AS database_bytes`,
    );
    return row!;
  }
}

export interface BenchmarkSensor {
  readonly id: string;
  readonly system_id: string;
  readonly name: string;
  readonly quantity: string;
  readonly unit: string;
  /** Readings per second; null: to be learnt. */
  readonly expected_rate_hz: number | null;
}

export interface Compressed {
  readonly chunks: number;
  readonly compressed_chunks: number;
  readonly before_bytes: number | null;
  readonly after_bytes: number | null;
}
