/** A system with sensors and readings in the database of a suite, and requests to its queries. */
import type { ApiBench, TestApi } from "../../support/api.ts";

/** Two days after it every range below is closed. */
export const START_MS = Date.UTC(2026, 5, 1);
export const at = (offset_s: number) => new Date(START_MS + offset_s * 1000).toISOString();

export interface Sensor {
  readonly id: string;
  readonly name: string;
}

export class Recording {
  readonly system_id = crypto.randomUUID();
  readonly sensors: Sensor[] = [];

  private constructor(
    private readonly bench: ApiBench,
    private readonly api: TestApi,
    readonly token: string,
  ) {}

  static async create(bench: ApiBench, api: TestApi): Promise<Recording> {
    const { token } = await api.tokenFor("reviewer");
    const recording = new Recording(bench, api, token);
    await bench.database
      .sql`INSERT INTO diagnostics_system (id, name) VALUES (${recording.system_id}, 'press')`;
    return recording;
  }

  /** A sensor without readings. */
  async sensor(
    name: string,
    { expected_rate_hz = null as number | null, archived = false } = {},
  ): Promise<Sensor> {
    const id = crypto.randomUUID();
    await this.bench.database.sql`
      INSERT INTO diagnostics_sensor (id, system_id, name, quantity, unit, expected_rate_hz, archived_at)
      VALUES (${id}, ${this.system_id}, ${name}, 'pressure', 'bar', ${expected_rate_hz}, ${archived ? new Date() : null})`;
    const sensor = { id, name };
    this.sensors.push(sensor);
    return sensor;
  }

  /** Readings at RFC 3339 times; the hours they lie in are logged as dirty, as the writer does. */
  async readings(
    sensor: Sensor,
    rows: readonly { at: string; value: number; quality?: number }[],
  ): Promise<void> {
    const { sql } = this.bench.database;
    const text = JSON.stringify(rows);
    await sql`
      INSERT INTO diagnostics_sensordata ("timestamp", value, sensor_id, system_id, quality, unit)
      SELECT r.at::timestamptz, r.value, ${sensor.id}, ${this.system_id}, coalesce(r.quality, 100), 'bar'
      FROM json_to_recordset(${text}::text::json) AS r (at text, value float8, quality real)`;
    await sql`
      INSERT INTO diagnostics_dirty_hour (system_id, hour)
      SELECT DISTINCT ${this.system_id}::uuid, date_trunc('hour', r.at::timestamptz)
      FROM json_to_recordset(${text}::text::json) AS r (at text)`;
  }

  /** `count` readings one `step_s` apart from START on; the value is `valueAt(i)`. */
  async steady(sensor: Sensor, count: number, step_s = 1, valueAt = (i: number) => i): Promise<void> {
    await this.readings(
      sensor,
      Array.from({ length: count }, (_, i) => ({ at: at(i * step_s), value: valueAt(i) })),
    );
  }

  /** Path below the system, or below /api/v1 when it begins with a slash. */
  get(path: string, headers: Record<string, string> = {}, init: RequestInit = {}): Promise<Response> {
    const below = path.startsWith("/") ? path : `/systems/${this.system_id}/${path}`;
    return this.api.fetch(`/api/v1${below}`, {
      ...init,
      headers: { Authorization: `Bearer ${this.token}`, "Accept-Encoding": "identity", ...headers },
    });
  }

  /** A good answer in JSON. */
  async json<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
    const response = await this.get(path, headers);
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }
}

/** Statements of readers that run or wait now. */
export async function readersAtWork(bench: ApiBench): Promise<number> {
  const rows = await bench.database.sql<{ n: number }[]>`
    SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'hydraulic-reader' AND state = 'active'`;
  return rows[0]?.n ?? 0;
}

/** Keeps every statement on a table waiting until it is let go. */
export async function holdTable(bench: ApiBench, table: string): Promise<() => Promise<void>> {
  const connection = await bench.database.sql.reserve();
  await connection`BEGIN`;
  await connection.unsafe(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return async () => {
    await connection`ROLLBACK`;
    connection.release();
  };
}
