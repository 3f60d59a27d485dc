/**
 * The rates of the last minutes, kept by each API process while nobody looks, so that whoever opens the overview sees
 * how it came to be. Redis is asked for them; while it is away there is a gap.
 */
import type { HistoryPoint } from "../contract/oversight.ts";
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import { Polling } from "../ops/polling.ts";
import type { StreamHealth } from "../stream/health.ts";
import type { WorkerBoard } from "../stream/worker-board.ts";
import { OverviewRates } from "./overview-rates.ts";

/** Worker processes write their counters as often. */
const EVERY_MS = 2_000;
/** What the console draws: five minutes. */
const KEPT = 150;

interface HistoryDeps {
  readonly streamHealth: Pick<StreamHealth, "accepted">;
  readonly workerBoard: Pick<WorkerBoard, "all">;
  readonly clock: Clock;
  readonly log: Logger;
}

export class OverviewHistory {
  /** For all who look at the service: whoever comes finds the looks of the last seconds. */
  readonly rates = new OverviewRates();
  readonly #polling: Polling;
  #points: readonly HistoryPoint[] = [];

  constructor(private readonly deps: HistoryDeps) {
    this.#polling = new Polling({
      every_ms: EVERY_MS,
      read: () => this.note(),
      log: deps.log,
      away: "the overview's history has a gap from here",
      back: "the overview's history goes on",
    });
  }

  start(): void {
    this.#polling.start();
  }

  async stop(): Promise<void> {
    await this.#polling.stop();
  }

  /** The oldest first, 2 s apart, at most 150. */
  get points(): readonly HistoryPoint[] {
    return this.#points;
  }

  /** Looks once. @throws {StreamUnavailableError} */
  async note(): Promise<void> {
    const { streamHealth, workerBoard, clock } = this.deps;
    const now_ms = clock.monotonic_ms();
    const at = new Date(clock.now_ms()).toISOString();
    const [accepted, beats] = await Promise.all([streamHealth.accepted(), workerBoard.all()]);
    const { accepted_rows_per_s, committed_rows_per_s } = this.rates.note(now_ms, accepted, beats);
    this.#points = [...this.#points, { at, accepted_rows_per_s, committed_rows_per_s }].slice(-KEPT);
  }
}
