/**
 * Finds jobs whose batch was lost with Redis. By what Postgres knows they wait, and Redis has them nowhere: not in the
 * stream, waiting or in work, and not among the dead letters. They end as failed, and say what to do.
 *
 * Nothing is said while Redis does not answer, and nothing that was missing once only: an entry on its way from one
 * stream to the other can be overlooked. Who is told wrongly all the same (a worker with another REDIS_URL than the
 * rest) loses nothing: the writer stores the batch of a lost job as any other, and ends the job once more.
 */
import type { Logger } from "../ops/log.ts";
import { Polling } from "../ops/polling.ts";
import { sleep } from "../ops/retry.ts";
import type { LostJobStore } from "../store/lost-jobs.ts";
import type { Whereabouts } from "../stream/whereabouts.ts";

export interface LostJobsSettings {
  /** Between two looks, ms. */
  readonly every_ms: number;
  /** Name of this process. */
  readonly owner: string;
  readonly job_ttl_s: number;
}

/** A stop waits that long for Redis to hear that another process may look, ms. */
const FAREWELL_MS = 100;
/** Open jobs of one question. */
const PAGE = 1_000;
/** Pages of one look; the next goes on where it ended. A full backlog of the default bounds takes ten looks. */
const PAGES_PER_LOOK = 10;

export class LostJobs {
  readonly #polling: Polling;
  /** Missing at the last look. */
  #suspects: readonly string[] = [];
  /** The last id that was looked at; null begins anew. */
  #after: string | null = null;

  constructor(
    private readonly settings: LostJobsSettings,
    private readonly whereabouts: Pick<Whereabouts, "missing" | "end" | "hold" | "release">,
    private readonly jobs: LostJobStore,
    private readonly log: Logger,
    private readonly onLost: (jobs: number) => void,
  ) {
    this.#polling = new Polling({
      every_ms: settings.every_ms,
      read: () => this.look(),
      log,
      away: "lost jobs are not looked for",
      back: "lost jobs are looked for again",
    });
  }

  start(): void {
    this.#polling.start();
  }

  async stop(): Promise<void> {
    await this.#polling.stop();
    const release = this.whereabouts.release(this.settings.owner).catch((error: Error) => {
      this.log.debug({ err: error.message }, "the lock of the search for lost jobs ends by itself");
    });
    await Promise.race([release, sleep(FAREWELL_MS)]);
  }

  /**
   * One look: what was missing before and still is has been lost; what is missing now is suspect.
   * @throws {StreamUnavailableError} @throws {StoreUnavailableError} nothing was decided
   */
  async look(): Promise<void> {
    if (!(await this.whereabouts.hold(this.settings.owner, this.settings.every_ms * 3))) {
      this.#suspects = [];
      return;
    }
    const before = this.#suspects;
    this.#suspects = [];
    await this.#report(await this.whereabouts.missing(before));
    const suspects: string[] = [];
    for (let page = 0; page < PAGES_PER_LOOK; page += 1) {
      const ids = await this.jobs.open(this.#after, PAGE);
      suspects.push(...(await this.whereabouts.missing(ids)));
      this.#after = ids.length < PAGE ? null : ids.at(-1)!;
      if (this.#after === null || this.#polling.closing.aborted) break;
    }
    this.#suspects = suspects;
  }

  async #report(job_ids: readonly string[]): Promise<void> {
    if (job_ids.length === 0) return;
    const ended = await this.jobs.fail(job_ids);
    this.onLost(ended.length);
    for (const { job_id, system_id, created_by, total_readings: total } of ended)
      this.log.error({ job_id, system_id, created_by, total }, "job lost with Redis");
    await this.whereabouts.end(ended, this.settings.job_ttl_s);
  }
}
