/** The job mirror: tells Postgres, in bulk, of jobs that have not ended yet. */
import type { Logger } from "../ops/log.ts";
import { Backoff, DeadlineError, sleep, withDeadline } from "../ops/retry.ts";
import { StoreUnavailableError } from "../store/errors.ts";
import type { JobStore } from "../store/jobs.ts";
import { StreamUnavailableError } from "../stream/connection.ts";
import type { MirrorFeed } from "../stream/mirror-feed.ts";
import { type PartitionCount, partitionsOf } from "../stream/partitions.ts";

/** Most jobs end within this time; the transaction of their data writes their row, and the mirror need not. */
const PAUSE_MS = 500;
const PAGE = 1_000;

export class JobMirror {
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(
    private readonly feed: MirrorFeed,
    private readonly jobs: JobStore,
    private readonly partitions: PartitionCount,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  /**
   * Resolves when the page in hand is done; another process may go on at once. After `deadline_ms` the page is left as
   * it is: whoever mirrors next does it again.
   */
  async stop(deadline_ms: number): Promise<void> {
    this.#stop.abort();
    try {
      await withDeadline(this.#leave(), deadline_ms, "the mirror's page");
    } catch (error) {
      if (!(error instanceof StreamUnavailableError) && !(error instanceof DeadlineError)) throw error;
      this.log.debug({ err: error.message }, "the mirror's locks end by themselves");
    }
  }

  async #leave(): Promise<void> {
    await this.#running;
    for (const p of partitionsOf(this.partitions)) await this.feed.release(p);
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(PAUSE_MS, 10_000);
    while (!this.#stop.signal.aborted) {
      try {
        const more = await this.#round();
        backoff.reset();
        if (!more) await sleep(PAUSE_MS, this.#stop.signal);
      } catch (error) {
        const passing = error instanceof StreamUnavailableError || error instanceof StoreUnavailableError;
        this.log[passing ? "warn" : "error"](
          { err: passing ? (error as Error).message : error },
          "job mirror failed, trying again",
        );
        await sleep(backoff.next_ms(), this.#stop.signal);
      }
    }
  }

  /** One page of each partition; true when some page was full. */
  async #round(): Promise<boolean> {
    let more = false;
    for (const partition of partitionsOf(this.partitions)) {
      const page = await this.feed.page(partition, PAGE);
      if (!page || page.ids.length === 0) continue;
      await this.jobs.mirror(page.open);
      await this.feed.forget(page);
      more ||= page.ids.length === PAGE;
    }
    return more;
  }
}
