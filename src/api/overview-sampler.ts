/**
 * One look at the whole service, shared by everybody who watches: however many consoles are open, Redis and the
 * database are asked once a second; when nobody watches, not at all. Those who are limited to systems share the look
 * at the service with all others, and jobs, alerts and what is pending with those of the same systems.
 */
import { toJobView } from "../contract/job.ts";
import type { Overview } from "../contract/oversight.ts";
import { MAX_TIME_US, MIN_TIME_US } from "../contract/query-range.ts";
import type { Reach } from "../contract/reach.ts";
import { sleep, withDeadline } from "../ops/retry.ts";
import { classify } from "../store/errors.ts";
import { QueryBusyError, QueryTimeoutError } from "../store/queries/query-errors.ts";
import type { ApiDeps } from "./deps.ts";

const EVERY_MS = 1_000;
/** Figures that are dearer and move slowly: alerts and pending readings. */
const SLOW_EVERY_MS = 5_000;
const JOBS = 10;
const ALERTS = 50;
/** A database that takes longer is as good as away: the other figures do not wait for it. */
const DATABASE_DEADLINE_MS = 2_500;
const MAX_LISTENERS = 500;
/** Figures of systems that nobody watches are kept for so many different lists. */
const MAX_IDLE_SCOPES = 50;

/** Enough people watch already. */
export class TooManyListenersError extends Error {
  override readonly name = "TooManyListenersError";
}

/** Hears each look; null when there was none, because a service is away. */
export type Listener = (overview: Overview | null) => void;
type Slow = Pick<Overview, "pending" | "alerts">;
type OfSystems = Slow & Pick<Overview, "jobs" | "database">;
type OfService = Omit<Overview, keyof OfSystems>;
type SamplerDeps = Pick<
  ApiDeps,
  "streamHealth" | "workerBoard" | "overviewHistory" | "queries" | "clock" | "log"
>;

interface Timed<T> {
  readonly at_ms: number;
  readonly value: T;
}

/** What those see who reach the same systems. */
interface Scope {
  readonly reach: Reach;
  readonly listeners: Set<Listener>;
  last: Timed<Promise<Overview>> | null;
  slow: Timed<Slow> | null;
  /** As the database last told it. */
  known: OfSystems;
}
/** Before the database has said anything. */
const NOTHING_KNOWN: OfSystems = { database: "down", pending: null, jobs: [], alerts: [] };

export class OverviewSampler {
  /** By the list of systems. */
  readonly #scopes = new Map<string, Scope>();
  #isTicking = false;
  #service: Timed<Promise<OfService>> | null = null;

  constructor(
    private readonly deps: SamplerDeps,
    private readonly max_listeners = MAX_LISTENERS,
  ) {}

  /**
   * A look that is not older than a second; those who ask at the same time share it.
   * @param reach systems whose jobs, alerts and pending readings it tells
   * @throws {StreamUnavailableError}
   */
  latest(reach: Reach = null): Promise<Overview> {
    const scope = this.#scope(reach);
    const now_ms = this.deps.clock.monotonic_ms();
    if (isFresh(scope.last, now_ms)) return scope.last.value;
    const overview = this.#look(scope, now_ms);
    scope.last = { at_ms: now_ms, value: overview };
    overview.catch(() => {
      if (scope.last?.value === overview) scope.last = null;
    });
    return overview;
  }

  /** Hear every look from now on. @returns ends it @throws {TooManyListenersError} */
  listen(listener: Listener, reach: Reach = null): () => void {
    if (this.listeners >= this.max_listeners) throw new TooManyListenersError();
    const { listeners } = this.#scope(reach);
    listeners.add(listener);
    void this.#tick();
    return () => listeners.delete(listener);
  }

  get listeners(): number {
    return [...this.#scopes.values()].reduce((sum, { listeners }) => sum + listeners.size, 0);
  }

  #scope(reach: Reach): Scope {
    const key = reach === null ? "all" : [...reach].sort().join();
    let scope = this.#scopes.get(key);
    if (scope === undefined) {
      const idle = [...this.#scopes].filter(([, { listeners }]) => listeners.size === 0);
      for (const [oldest] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE_SCOPES))) {
        this.#scopes.delete(oldest);
      }
      scope = { reach, listeners: new Set(), last: null, slow: null, known: NOTHING_KNOWN };
      this.#scopes.set(key, scope);
    }
    return scope;
  }

  async #tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    while (this.listeners > 0) {
      const begin_ms = this.deps.clock.monotonic_ms();
      const watched = [...this.#scopes.values()].filter(({ listeners }) => listeners.size > 0);
      await Promise.all(watched.map((scope) => this.#tell(scope)));
      await sleep(Math.max(50, EVERY_MS - (this.deps.clock.monotonic_ms() - begin_ms)));
    }
    this.#isTicking = false;
  }

  async #tell({ reach, listeners }: Scope): Promise<void> {
    const overview = await this.latest(reach).catch((error: unknown) => {
      this.deps.log.debug({ err: (error as Error).message }, "no look at the service");
      return null;
    });
    for (const listener of listeners) listener(overview);
  }

  async #look(scope: Scope, now_ms: number): Promise<Overview> {
    const [service, systems] = await Promise.all([
      this.#serviceFigures(now_ms),
      this.#knownFigures(scope, now_ms),
    ]);
    return { ...service, ...systems };
  }

  /** What Redis knows is told also while the database is away: that is when people look. */
  async #knownFigures(scope: Scope, now_ms: number): Promise<OfSystems> {
    const figures = this.#systemFigures(scope, now_ms);
    try {
      scope.known = await withDeadline(figures, DATABASE_DEADLINE_MS, "the overview's queries");
    } catch (error) {
      if (!isPassing(error)) throw error;
      this.deps.log.debug({ err: (error as Error).message }, "the overview without the database");
      // A late answer is nobody's; its failure is this one's.
      figures.catch(() => undefined);
      scope.known = { ...scope.known, database: "down" };
    }
    return scope.known;
  }

  #serviceFigures(now_ms: number): Promise<OfService> {
    if (isFresh(this.#service, now_ms)) return this.#service.value;
    const value = this.#lookAtService(now_ms);
    this.#service = { at_ms: now_ms, value };
    value.catch(() => {
      if (this.#service?.value === value) this.#service = null;
    });
    return value;
  }

  async #lookAtService(now_ms: number): Promise<OfService> {
    const { streamHealth, workerBoard, overviewHistory, clock } = this.deps;
    const [backlog, accepted, beats] = await Promise.all([
      streamHealth.look(),
      streamHealth.accepted(),
      workerBoard.all(),
    ]);
    const { entries, bytes, pending: taken } = backlog;
    const threads = beats.flatMap((beat) => beat.threads);
    return {
      at: new Date(clock.now_ms()).toISOString(),
      ...overviewHistory.rates.note(now_ms, accepted, beats),
      backlog: { entries, bytes, lag: Math.max(0, entries - taken) },
      workers: {
        processes: beats.length,
        threads: threads.length,
        running: threads.filter(({ state }) => state === "running").length,
        in_hand: threads.reduce((sum, { in_hand }) => sum + in_hand, 0),
      },
    };
  }

  async #systemFigures(scope: Scope, now_ms: number): Promise<OfSystems> {
    const { reach } = scope;
    const filter = {
      created_by: null,
      status: null,
      lost: false,
      system_id: null,
      limit: JOBS,
      after: null,
      reach,
    };
    const [page, slow] = await Promise.all([
      this.deps.queries.jobs.page({ ...filter, range: { from_us: MIN_TIME_US, to_us: MAX_TIME_US } }),
      this.#slowFigures(scope, now_ms),
    ]);
    return { database: "up", jobs: page.jobs.map(toJobView), ...slow };
  }

  async #slowFigures(scope: Scope, now_ms: number): Promise<Slow> {
    if (scope.slow && now_ms - scope.slow.at_ms < SLOW_EVERY_MS) return scope.slow.value;
    const { queries } = this.deps;
    const { reach } = scope;
    const [pending, alerts] = await Promise.all([
      queries.pending.count(reach),
      queries.alerts.page({ state: "open", system_id: null, limit: ALERTS, after: null, reach }),
    ]);
    const value = { pending, alerts: [...alerts.items] };
    scope.slow = { at_ms: now_ms, value };
    return value;
  }
}

const isPassing = (error: unknown) =>
  error instanceof QueryBusyError || error instanceof QueryTimeoutError || classify(error) === "unavailable";

/** A tick that comes a moment early is a tick. */
function isFresh<T>(timed: Timed<T> | null, now_ms: number): timed is Timed<T> {
  return timed !== null && now_ms - timed.at_ms < EVERY_MS * 0.9;
}
