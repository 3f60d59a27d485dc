/**
 * The names of registered systems, for requests that do not know ids (a bucket of line protocol). Read in the
 * background, so that ingest never waits for Postgres; while Postgres is away, what is known counts on.
 */
import type { Clock } from "../ops/clock.ts";
import { InTurn } from "../ops/in-turn.ts";
import type { Logger } from "../ops/log.ts";
import { Polling } from "../ops/polling.ts";
import type { SystemName, SystemStore } from "../store/systems.ts";

const EVERY_MS = 2_000;
/** Changes become visible when their transaction commits, which may be after later ones. */
const OVERLAP_S = 30;
/** After a longer silence, and once in a while, everything is read: rows may have been deleted by hand. */
const WHOLE_AFTER_MS = (OVERLAP_S * 1000) / 2;
const WHOLE_EVERY_MS = 300_000;

export interface SystemNamesDeps {
  readonly systems: Pick<SystemStore, "names">;
  readonly clock: Clock;
  readonly log: Logger;
}

export class SystemNames {
  readonly #names = new Map<string, string>();
  /** Ids by name; made anew when something has changed. */
  #ids: Map<string, string[]> | null = null;
  #looked_ms = Number.NEGATIVE_INFINITY;
  #whole_ms = Number.NEGATIVE_INFINITY;
  /** Looks come one after another: an older one must not have the last word. */
  readonly #looks = new InTurn();
  readonly #polling: Polling;

  constructor(private readonly deps: SystemNamesDeps) {
    this.#polling = new Polling({
      every_ms: EVERY_MS,
      read: () => this.refresh(),
      log: deps.log,
      away: "names of systems are not read any more; what is known counts on",
      back: "names of systems are read again",
    });
  }

  /** Know all names, and keep knowing them. @throws {StoreUnavailableError} */
  async start(): Promise<void> {
    await this.refresh();
    this.#polling.start();
  }

  async stop(): Promise<void> {
    await this.#polling.stop();
  }

  /** Ids of the systems in use that have this very name. */
  idsOf(name: string): readonly string[] {
    this.#ids ??= new Map(
      [...Map.groupBy(this.#names, ([, known]) => known)].map(([known, systems]) => [
        known,
        systems.map(([id]) => id),
      ]),
    );
    return this.#ids.get(name) ?? [];
  }

  /** Look for changes: what was committed before the call is known after it. @throws {StoreUnavailableError} */
  refresh(): Promise<void> {
    return this.#looks.run(() => this.#look());
  }

  async #look(): Promise<void> {
    const begin_ms = this.deps.clock.monotonic_ms();
    const isWhole = begin_ms - this.#looked_ms > WHOLE_AFTER_MS || begin_ms - this.#whole_ms > WHOLE_EVERY_MS;
    const found = await this.deps.systems.names(isWhole ? null : OVERLAP_S);
    if (isWhole) {
      this.#names.clear();
      this.#whole_ms = begin_ms;
    }
    for (const system of found) this.#put(system);
    this.#looked_ms = begin_ms;
    if (isWhole || found.length > 0) this.#ids = null;
  }

  #put({ id, name, archived }: SystemName): void {
    if (archived) this.#names.delete(id);
    else this.#names.set(id, name);
  }
}
