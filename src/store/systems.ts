/** Registered systems, and a cache of them for the ingest threads. */
import type { Clock } from "../ops/clock.ts";
import type { Database } from "./pool.ts";

export class SystemStore {
  constructor(private readonly database: Database) {}

  /** Ids of the list that are registered. @throws {StoreUnavailableError} */
  async known(ids: readonly string[]): Promise<Set<string>> {
    const rows = await this.database.run(
      "known systems",
      (sql) =>
        sql<{ id: string }[]>`SELECT id FROM diagnostics_system WHERE id = ANY(${sql.array([...ids], 2951)})`,
    );
    return new Set(rows.map((row) => row.id));
  }

  /** Register a system; false when the id is registered already. @throws {StoreUnavailableError} */
  async create(id: string, name: string): Promise<boolean> {
    const rows = await this.database.run(
      "create system",
      (sql) => sql`INSERT INTO diagnostics_system (id, name) VALUES (${id}, ${name})
        ON CONFLICT (id) DO NOTHING RETURNING id`,
    );
    return rows.length === 1;
  }
}

/** Systems are never unregistered, so a known one is remembered; an unknown one is asked for again each time. */
export class SystemCache {
  readonly #known = new Map<string, number>();

  /** @param ttl_ms after which a known system is asked for again */
  constructor(
    private readonly store: SystemStore,
    private readonly clock: Clock,
    private readonly ttl_ms: number,
  ) {}

  /** Those of the ids that are registered. @throws {StoreUnavailableError} */
  async known(ids: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const now = this.clock.monotonic_ms();
    const asked = [...ids].filter(
      (id) => (this.#known.get(id) ?? Number.NEGATIVE_INFINITY) + this.ttl_ms < now,
    );
    if (asked.length > 0) {
      const found = await this.store.known(asked);
      for (const id of asked) {
        if (found.has(id)) this.#known.set(id, now);
        else this.#known.delete(id);
      }
    }
    return new Set([...ids].filter((id) => this.#known.has(id)));
  }
}
