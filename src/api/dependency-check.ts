/** Asks Redis and Postgres whether they serve. Requests that ask at the same time share one check. */
import type { Clock } from "../ops/clock.ts";
import { withDeadline } from "../ops/retry.ts";
import type { ReplicaHealth } from "../store/replica/replica-watch.ts";
import type { StreamState } from "../stream/health.ts";
import type { ApiDeps } from "./deps.ts";

/** A dependency that takes longer counts as down, ms. */
const CHECK_DEADLINE_MS = 2_000;

export interface Checked {
  readonly state: "up" | "down";
  readonly latency_ms: number;
}

export interface DependencyStates {
  readonly redis: Checked;
  readonly postgres: Checked;
  /** Null while Redis is down. */
  readonly stream: StreamState | null;
  /** Null: there is none. */
  readonly replica?: ReplicaHealth | null;
}

export class DependencyCheck {
  #running: Promise<DependencyStates> | undefined;
  /** States that the log has been told. */
  readonly #told = new Map<string, Checked["state"]>();

  constructor(
    private readonly deps: Pick<ApiDeps, "streamHealth" | "database" | "clock" | "log" | "replica">,
  ) {}

  /** Never rejects: what fails is down. */
  run(): Promise<DependencyStates> {
    this.#running ??= this.#check().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #check(): Promise<DependencyStates> {
    const { streamHealth, database } = this.deps;
    const [stream, postgres] = await Promise.all([
      this.#timed("redis", () => streamHealth.probe()),
      this.#timed("postgres", () => database.ping()),
    ]);
    const { result, ...redis } = stream;
    return {
      redis,
      postgres: { state: postgres.state, latency_ms: postgres.latency_ms },
      stream: result ?? null,
      replica: this.deps.replica?.health ?? null,
    };
  }

  async #timed<T>(name: string, ask: () => Promise<T>): Promise<Checked & { result?: T }> {
    const begin_ms = this.deps.clock.monotonic_ms();
    try {
      const result = await withDeadline(ask(), CHECK_DEADLINE_MS, `check of ${name}`);
      if (this.#isNews(name, "up")) this.deps.log.info({ dependency: name }, "a dependency is up again");
      return { state: "up", latency_ms: elapsed_ms(this.deps.clock, begin_ms), result };
    } catch (error) {
      const err = (error as Error).message;
      if (this.#isNews(name, "down")) this.deps.log.warn({ err, dependency: name }, "a dependency is down");
      return { state: "down", latency_ms: elapsed_ms(this.deps.clock, begin_ms) };
    }
  }

  /** A state is told when it changes, and not with each probe. Up is what is expected at first. */
  #isNews(name: string, state: Checked["state"]): boolean {
    const before = this.#told.get(name) ?? "up";
    this.#told.set(name, state);
    return before !== state;
  }
}

function elapsed_ms(clock: Clock, begin_ms: number): number {
  return Math.round((clock.monotonic_ms() - begin_ms) * 100) / 100;
}
