/** Tells the other processes, through Redis, how the threads of this one are and what they have stored. */
import type { Logger } from "../ops/log.ts";
import { sleep } from "../ops/retry.ts";
import type { WorkerBoard } from "../stream/worker-board.ts";
import type { FromThread } from "./messages.ts";
import type { WorkerSummary } from "./supervisor.ts";

/** Between two signs of life, ms; the overview's rates move as often. */
const EVERY_MS = 2_000;
/** A stop waits that long for Redis to hear of it, ms. */
const FAREWELL_MS = 100;

export class Heartbeat {
  readonly #stop = new AbortController();
  #counts = { inserted: 0, judged: 0, quarantined: 0 };
  #running: Promise<void> | null = null;

  constructor(
    private readonly board: Pick<WorkerBoard, "write" | "forget">,
    private readonly process: string,
    private readonly summaries: () => readonly WorkerSummary[],
    private readonly log: Logger,
    private readonly every_ms = EVERY_MS,
  ) {}

  /** Every message of the threads goes here. */
  hear(message: FromThread): void {
    if (message.kind !== "committed") return;
    const { inserted, duplicate, quarantined: reasons } = message.report;
    const quarantined = Object.values(reasons).reduce((sum, n) => sum + n, 0);
    this.#counts.inserted += inserted;
    this.#counts.quarantined += quarantined;
    this.#counts.judged += inserted + duplicate + quarantined;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    // What is not taken back in time expires by itself.
    await Promise.race([this.#running, sleep(FAREWELL_MS)]);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#try(() => this.board.write(this.#beat(), Date.now()));
      await sleep(this.every_ms, this.#stop.signal);
    }
    await this.#try(() => this.board.forget(this.process));
  }

  #beat() {
    const threads = this.summaries().map(({ consumer, state, silent_ms, restarts, in_hand }) => ({
      name: consumer,
      state,
      silent_ms,
      restarts,
      in_hand,
    }));
    return { process: this.process, threads, counts: { ...this.#counts } };
  }

  /** Without Redis nobody sees the sign; the next one comes soon. */
  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.log.debug({ err: (error as Error).message }, "a heartbeat was not written");
    }
  }
}
