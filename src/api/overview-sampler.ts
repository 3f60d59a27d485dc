/**
 * One look at the whole service, shared by everybody who watches: however many consoles are open, Redis and the
 * database are asked once a second; when nobody watches, not at all.
 */
import { toJobView } from "../contract/job.ts";
import type { Overview } from "../contract/oversight.ts";
import { MAX_TIME_US, MIN_TIME_US } from "../contract/query-range.ts";
import { sleep } from "../ops/retry.ts";
import type { ApiDeps } from "./deps.ts";
import { OverviewRates } from "./overview-rates.ts";

const EVERY_MS = 1_000;
/** Figures that are dearer and move slowly: alerts and pending readings. */
const SLOW_EVERY_MS = 5_000;
const JOBS = 10;
const ALERTS = 50;
const MAX_LISTENERS = 500;

/** Enough people watch already. */
export class TooManyListenersError extends Error {
  override readonly name = "TooManyListenersError";
}

/** Hears each look; null when there was none, because a service is away. */
export type Listener = (overview: Overview | null) => void;
type Slow = Pick<Overview, "pending" | "alerts">;
type SamplerDeps = Pick<ApiDeps, "streamHealth" | "workerBoard" | "queries" | "clock" | "log">;

export class OverviewSampler {
  readonly #listeners = new Set<Listener>();
  readonly #rates = new OverviewRates();
  #isTicking = false;
  #last: { readonly at_ms: number; readonly overview: Promise<Overview> } | null = null;
  #slow: { readonly at_ms: number; readonly figures: Slow } | null = null;

  constructor(
    private readonly deps: SamplerDeps,
    private readonly max_listeners = MAX_LISTENERS,
  ) {}

  /**
   * A look that is not older than a second; those who ask at the same time share it.
   * @throws {StreamUnavailableError} and what `Reader.rows` throws
   */
  latest(): Promise<Overview> {
    const now_ms = this.deps.clock.monotonic_ms();
    // A tick that comes a moment early is a tick.
    if (this.#last && now_ms - this.#last.at_ms < EVERY_MS * 0.9) return this.#last.overview;
    const overview = this.#look(now_ms);
    this.#last = { at_ms: now_ms, overview };
    overview.catch(() => {
      if (this.#last?.overview === overview) this.#last = null;
    });
    return overview;
  }

  /** Hear every look from now on. @returns ends it @throws {TooManyListenersError} */
  listen(listener: Listener): () => void {
    if (this.#listeners.size >= this.max_listeners) throw new TooManyListenersError();
    this.#listeners.add(listener);
    void this.#tick();
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async #tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    while (this.#listeners.size > 0) {
      const begin_ms = this.deps.clock.monotonic_ms();
      const overview = await this.latest().catch((error: unknown) => {
        this.deps.log.debug({ err: (error as Error).message }, "no look at the service");
        return null;
      });
      for (const listener of this.#listeners) listener(overview);
      await sleep(Math.max(50, EVERY_MS - (this.deps.clock.monotonic_ms() - begin_ms)));
    }
    this.#isTicking = false;
  }

  async #look(now_ms: number): Promise<Overview> {
    const { streamHealth, workerBoard, queries, clock } = this.deps;
    const everyone = { created_by: null, status: null, system_id: null, limit: JOBS, after: null };
    const [backlog, accepted, beats, page, slow] = await Promise.all([
      streamHealth.look(),
      streamHealth.accepted(),
      workerBoard.all(),
      queries.jobs.page({ ...everyone, range: { from_us: MIN_TIME_US, to_us: MAX_TIME_US } }),
      this.#slowFigures(now_ms),
    ]);
    const { entries, bytes, pending: taken } = backlog;
    const threads = beats.flatMap((beat) => beat.threads);
    return {
      at: new Date(clock.now_ms()).toISOString(),
      ...this.#rates.note(now_ms, accepted, beats),
      backlog: { entries, bytes, lag: Math.max(0, entries - taken) },
      workers: {
        processes: beats.length,
        threads: threads.length,
        running: threads.filter(({ state }) => state === "running").length,
        in_hand: threads.reduce((sum, { in_hand }) => sum + in_hand, 0),
      },
      ...slow,
      jobs: page.jobs.map(toJobView),
    };
  }

  async #slowFigures(now_ms: number): Promise<Slow> {
    if (this.#slow && now_ms - this.#slow.at_ms < SLOW_EVERY_MS) return this.#slow.figures;
    const { queries } = this.deps;
    const [pending, alerts] = await Promise.all([
      queries.pending.count(),
      queries.alerts.page({ state: "open", system_id: null, limit: ALERTS, after: null }),
    ]);
    const figures = { pending, alerts: [...alerts.items] };
    this.#slow = { at_ms: now_ms, figures };
    return figures;
  }
}
