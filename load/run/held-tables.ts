/** What the service's own tables hold: everything can be seen. */
import type { RedisCommander } from "ioredis";
import type postgres from "postgres";
import { SERVICE_TABLE, untilDrained, untilMirrored } from "../bench/tables.ts";
import type { RunShape } from "../k6/rig.ts";
import { originOf } from "./expected.ts";
import { type Held, type HeldJob, type Reasons, type SensorSum, WEIGHTS } from "./held.ts";

export class HeldTables implements Held {
  readonly where = "tables";
  readonly whole = true;

  constructor(
    private readonly sql: postgres.Sql,
    private readonly redis: Pick<RedisCommander, "xlen">,
    private readonly shape: RunShape,
  ) {}

  async settle(): Promise<void> {
    await untilDrained(this.redis);
    await untilMirrored(this.redis);
  }

  async jobs(): Promise<HeldJob[]> {
    const rows = await this.sql<(Omit<HeldJob, "created_at_ms" | "completed_at_ms"> & Times)[]>`
      SELECT id AS job_id, status, total_readings, inserted_readings, duplicate_readings, quarantined_readings,
        created_at, completed_at FROM diagnostics_ingestion_job`;
    return rows.map(({ created_at, completed_at, ...job }) => ({
      ...job,
      created_at_ms: created_at.getTime(),
      completed_at_ms: completed_at?.getTime() ?? null,
    }));
  }

  async reasons(): Promise<Reasons> {
    const rows = await this.sql<{ reason: string; readings: number }[]>`
      SELECT reason, count(*)::float8 AS readings FROM diagnostics_quarantined_reading GROUP BY reason`;
    return Object.fromEntries(rows.map(({ reason, readings }) => [reason, readings]));
  }

  async sums(): Promise<SensorSum[]> {
    const { sql, shape } = this;
    const rows = await sql<SensorSum[]>`
      SELECT sensor_id, unit, count(*)::float8 AS readings, sum(quality::float8) AS quality,
        sum(time_ms)::float8 AS times_ms, sum(round(value * 100)::bigint * (time_ms % ${WEIGHTS}::int + 1))::float8 AS mixed,
        (count(*) FILTER (WHERE value <> round(value * 100) / 100
          OR "timestamp" <> date_trunc('milliseconds', "timestamp")))::float8 AS odd
      FROM (SELECT *, (extract(epoch FROM "timestamp") * 1000)::bigint - ${originOf(shape)}::bigint AS time_ms
        FROM ${sql.unsafe(SERVICE_TABLE)} WHERE system_id = ${shape.system_id}) own
      GROUP BY sensor_id, unit`;
    return [...rows];
  }

  async count(sensors: readonly string[], from_ms: number, to_ms: number): Promise<number> {
    const [row] = await this.sql<{ readings: number }[]>`
      SELECT count(*)::float8 AS readings FROM ${this.sql.unsafe(SERVICE_TABLE)}
      WHERE sensor_id = ANY(${[...sensors]}::uuid[])
        AND "timestamp" >= ${new Date(from_ms)} AND "timestamp" < ${new Date(to_ms)}`;
    return row?.readings ?? 0;
  }

  async jobsOf(system_id: string): Promise<number> {
    const [row] = await this.sql<{ jobs: number }[]>`
      SELECT count(*)::float8 AS jobs FROM diagnostics_ingestion_job WHERE system_id = ${system_id}`;
    return row?.jobs ?? 0;
  }

  async strangers(): Promise<number> {
    const [row] = await this.sql<{ readings: number }[]>`
      SELECT count(*)::float8 AS readings FROM ${this.sql.unsafe(SERVICE_TABLE)}
      WHERE system_id <> ${this.shape.system_id}`;
    return row?.readings ?? 0;
  }
}

interface Times {
  readonly created_at: Date;
  readonly completed_at: Date | null;
}
