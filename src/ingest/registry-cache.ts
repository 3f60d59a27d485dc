/**
 * A thread's own copy of the part of the registry that its batches need. What is known is refreshed every
 * `refresh_ms`; what is not known is asked for at once, each time, because its registration must not be missed.
 */
import { type KnownSensor, RangeTable } from "../contract/known-sensor.ts";
import type { Naming } from "../contract/naming.ts";
import { SeriesMap } from "../contract/series.ts";
import type { Clock } from "../ops/clock.ts";
import type { KnownSystem, RegistryReader } from "../store/registry.ts";

/** Changes are looked for this far back: longer than any transaction that changes the registry may take. */
const OVERLAP_S = 30;
/** Sensors remembered; beyond it everything is forgotten and asked for again. */
const MAX_SENSORS = 500_000;

export class RegistryCache {
  readonly #systems = new Map<string, KnownSystem>();
  readonly #mapped = new Map<string, { readonly mapped_at: string | null; readonly series: SeriesMap }>();
  readonly #sensors = new Map<string, KnownSensor>();
  #ranges: RangeTable | null = null;
  #refreshed_ms: number;

  constructor(
    private readonly reader: Pick<RegistryReader, "systems" | "sensors" | "mappings" | "changed">,
    private readonly clock: Clock,
    private readonly refresh_ms: number,
  ) {
    this.#refreshed_ms = clock.monotonic_ms();
  }

  /** Sensors known now, by lower-case id. */
  get sensors(): ReadonlyMap<string, KnownSensor> {
    return this.#sensors;
  }

  /** Own ranges as of a moment; see `RangeTable`. */
  get ranges(): RangeTable {
    this.#ranges ??= new RangeTable(this.#sensors.values().toArray());
    return this.#ranges;
  }

  /** "open" for a registered system that takes readings. Ask `learnSystems` first. */
  system(id: string): "open" | "archived" | "unknown" {
    const system = this.#systems.get(id);
    if (system === undefined) return "unknown";
    return system.archived ? "archived" : "open";
  }

  /** What the names of a system's readings stand for. Ask `learnSystems` first. */
  naming(system_id: string): Naming {
    const known = this.#mapped.get(system_id);
    const mapped = known ?? { mapped_at: null, series: new SeriesMap(system_id) };
    // Systems that nobody registered are not remembered: anybody can make up any number of them.
    if (known === undefined && this.#systems.has(system_id)) this.#mapped.set(system_id, mapped);
    return { series: mapped.series, sensors: this.#sensors };
  }

  /** Look for changes, when it is time to. @throws {StoreUnavailableError} */
  async refresh(): Promise<void> {
    const since_ms = this.clock.monotonic_ms() - this.#refreshed_ms;
    if (since_ms < this.refresh_ms) return;
    const begun_ms = this.clock.monotonic_ms();
    if (since_ms > (OVERLAP_S * 1000) / 2 || this.#sensors.size > MAX_SENSORS) {
      this.#forget();
    } else {
      const { systems, sensors } = await this.reader.changed(OVERLAP_S);
      for (const system of systems) if (this.#systems.has(system.id)) this.#systems.set(system.id, system);
      this.#replace(sensors.filter(({ id }) => this.#sensors.has(id)));
    }
    this.#refreshed_ms = begun_ms;
  }

  /** Ask for the systems that are not known, and for mappings that have changed. @throws {StoreUnavailableError} */
  async learnSystems(ids: readonly string[]): Promise<void> {
    const asked = [...new Set(ids)].filter((id) => !this.#systems.has(id));
    if (asked.length > 0) {
      for (const system of await this.reader.systems(asked)) this.#systems.set(system.id, system);
    }
    const changed = [...new Set(ids)].filter((id) => {
      const mapped_at = this.#systems.get(id)?.mapped_at ?? null;
      return mapped_at !== (this.#mapped.get(id)?.mapped_at ?? null);
    });
    if (changed.length === 0) return;
    for (const { system_id, mapped_at, mappings } of await this.reader.mappings(changed)) {
      this.#mapped.set(system_id, { mapped_at, series: new SeriesMap(system_id, mappings) });
      this.#systems.set(system_id, { ...this.#systems.get(system_id)!, mapped_at });
    }
  }

  /**
   * Ask for the sensors that are not known.
   * @returns true when something was learnt, so that what was judged without it must be judged again
   * @throws {StoreUnavailableError}
   */
  async learnSensors(ids: Iterable<string>): Promise<boolean> {
    const asked = [...new Set(ids)].filter((id) => !this.#sensors.has(id));
    if (asked.length === 0) return false;
    const found = await this.reader.sensors(asked);
    this.#replace(found);
    return found.length > 0;
  }

  #replace(sensors: readonly KnownSensor[]): void {
    if (sensors.length === 0) return;
    for (const sensor of sensors) this.#sensors.set(sensor.id, sensor);
    this.#ranges = null;
  }

  #forget(): void {
    this.#systems.clear();
    this.#mapped.clear();
    this.#sensors.clear();
    this.#ranges = null;
  }
}
