/** What a query is about: a system, and some or all of its sensors. */
import type { QueryOptions, RowReader } from "./reader.ts";

export interface SensorSubject {
  readonly id: string;
  readonly name: string;
  readonly quantity: string;
  /** Canonical unit of its values. */
  readonly unit: string;
  readonly expected_rate_hz: number | null;
  /** When it was registered, µs since the epoch. */
  readonly registered_us: number;
}

/** No such system. */
export class UnknownSystemError extends Error {
  override readonly name = "UnknownSystemError";
}

/** The system has no such sensors. */
export class UnknownSensorsError extends Error {
  override readonly name = "UnknownSensorsError";
  constructor(readonly sensor_ids: readonly string[]) {
    super(`${sensor_ids.length} sensors are not in the system`);
  }
}

interface SubjectRow extends Omit<SensorSubject, "id"> {
  readonly system_id: string;
  readonly id: string | null;
}

const FIELDS = `s.id, s.name, s.quantity, s.unit, s.expected_rate_hz,
  (extract(epoch FROM s.created_at) * 1e6)::float8 AS registered_us`;

export class Subjects {
  constructor(private readonly reader: RowReader) {}

  /**
   * These sensors of a system, in the order given.
   * @throws {UnknownSystemError} @throws {UnknownSensorsError} and what `Reader.rows` throws
   */
  async sensors(
    system_id: string,
    sensor_ids: readonly string[],
    options?: QueryOptions,
  ): Promise<SensorSubject[]> {
    const text = `SELECT y.id AS system_id, ${FIELDS} FROM diagnostics_system y
      LEFT JOIN diagnostics_sensor s ON s.system_id = y.id AND s.id = ANY($2::uuid[]) WHERE y.id = $1`;
    return this.#surely(options, async (sure) => {
      const found = await this.#find(text, [system_id, sensor_ids], sure);
      const known = new Map(found.map((sensor) => [sensor.id, sensor]));
      const unknown = sensor_ids.filter((id) => !known.has(id));
      if (unknown.length > 0) throw new UnknownSensorsError(unknown);
      return sensor_ids.map((id) => known.get(id)!);
    });
  }

  /** One sensor of a system; throws as `sensors`. */
  async sensor(system_id: string, sensor_id: string, options?: QueryOptions): Promise<SensorSubject> {
    return (await this.sensors(system_id, [sensor_id], options))[0]!;
  }

  /**
   * Sensors in use of a system, by name; not those that are archived.
   * @param after name of the last one seen
   * @throws {UnknownSystemError} and what `Reader.rows` throws
   */
  async inUse(
    system_id: string,
    limit: number,
    after: string | null = null,
    options?: QueryOptions,
  ): Promise<SensorSubject[]> {
    const text = `SELECT y.id AS system_id, ${FIELDS} FROM diagnostics_system y
      LEFT JOIN LATERAL (SELECT * FROM diagnostics_sensor
        WHERE system_id = y.id AND archived_at IS NULL AND ($3::text IS NULL OR name > $3) ORDER BY name LIMIT $2) s ON true
      WHERE y.id = $1 ORDER BY s.name`;
    return this.#surely(options, (sure) => this.#find(text, [system_id, limit, after], sure));
  }

  /** @throws {UnknownSystemError} and what `Reader.rows` throws */
  async system(system_id: string, options?: QueryOptions): Promise<void> {
    await this.sensors(system_id, [], options);
  }

  /** What a replica does not know may have been registered a moment ago: the primary is asked before it is denied. */
  async #surely<T>(
    options: QueryOptions | undefined,
    find: (options: QueryOptions) => Promise<T>,
  ): Promise<T> {
    let isCopy = false;
    const onReplica = (asOf_ms: number) => {
      isCopy = true;
      options?.onReplica?.(asOf_ms);
    };
    try {
      return await find({ ...options, onReplica });
    } catch (error) {
      const isUnknown = error instanceof UnknownSystemError || error instanceof UnknownSensorsError;
      if (!isUnknown || !isCopy) throw error;
      return find({ ...options, isFresh: true });
    }
  }

  async #find(
    text: string,
    values: readonly unknown[],
    options: QueryOptions | undefined,
  ): Promise<SensorSubject[]> {
    const rows = await this.reader.rows<SubjectRow>({ label: "sensors asked for", text, values }, options);
    if (rows.length === 0) throw new UnknownSystemError("the system is not registered");
    return rows.flatMap(({ id, name, quantity, unit, expected_rate_hz, registered_us }) =>
      id === null ? [] : [{ id, name, quantity, unit, expected_rate_hz, registered_us }],
    );
  }
}
