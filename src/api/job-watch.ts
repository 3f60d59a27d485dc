/**
 * Follows jobs for the requests of this process. When Redis tells that jobs have changed, those that somebody follows
 * are looked at, together; and every few seconds all of them, because what is told may be lost. However many requests
 * wait, Redis is asked once for each change of a job.
 */
import { isTerminal, type JobRecord } from "../contract/job.ts";
import type { Logger } from "../ops/log.ts";
import type { SignalListener } from "../stream/job-signals.ts";
import type { FoundJobs } from "./find-jobs.ts";

/** Between two looks at everything that is followed, ms. */
const SWEEP_MS = 3_000;
/** Jobs of one look. */
const JOBS_AT_ONCE = 200;
/** Followers of one process, by what they do. */
const BOUNDS = { waits: 1_000, events: 500 } as const;

export type FollowerKind = keyof typeof BOUNDS;
/** Hears what its job is at each look; null when the server stops. */
export type JobListener = (job: JobRecord | null) => void;

/** Enough requests follow jobs already. */
export class TooManyFollowersError extends Error {
  override readonly name = "TooManyFollowersError";
}

interface WatchSettings {
  /** Never rejects because a service is away. */
  readonly find: (job_ids: readonly string[]) => Promise<FoundJobs>;
  readonly log: Logger;
  /** Fires when the server is about to stop. */
  readonly closing: AbortSignal;
  readonly bounds?: Readonly<Record<FollowerKind, number>>;
}

export class JobWatch implements SignalListener {
  readonly #followers = new Map<string, Set<JobListener>>();
  readonly #counts: Record<FollowerKind, number> = { waits: 0, events: 0 };
  readonly #due = new Set<string>();
  #isLooking = false;
  #sweeping: Timer | undefined;

  constructor(private readonly settings: WatchSettings) {
    settings.closing.addEventListener("abort", () => this.#close(), { once: true });
  }

  /** Requests that follow a job now. */
  count(kind: FollowerKind): number {
    return this.#counts[kind];
  }

  /**
   * Hear of a job: at once what it is, then each change, and sometimes the same again.
   * @returns ends it
   * @throws {TooManyFollowersError}
   */
  follow(kind: FollowerKind, job_id: string, listener: JobListener): () => void {
    const { closing, bounds = BOUNDS } = this.settings;
    if (this.#counts[kind] >= bounds[kind]) throw new TooManyFollowersError();
    if (closing.aborted) {
      listener(null);
      return () => undefined;
    }
    const others = this.#followers.get(job_id);
    if (others) others.add(listener);
    else this.#followers.set(job_id, new Set([listener]));
    this.#counts[kind] += 1;
    this.#sweeping ??= setInterval(this.onDoubt, SWEEP_MS);
    this.#look([job_id]);
    return () => this.#leave(kind, job_id, listener);
  }

  /**
   * The job once it has ended; null when `wait_ms` pass before, the client goes, or the server stops.
   * @throws {TooManyFollowersError}
   */
  ended(job_id: string, wait_ms: number, gone: AbortSignal): Promise<JobRecord | null> {
    return new Promise((resolve, reject) => {
      const finish = (job: JobRecord | null) => {
        clearTimeout(timer);
        gone.removeEventListener("abort", leave);
        stop();
        resolve(job);
      };
      const leave = () => finish(null);
      let stop: () => void = () => undefined;
      const timer = setTimeout(leave, wait_ms);
      try {
        stop = this.follow("waits", job_id, (job) => {
          if (job === null || isTerminal(job.status)) finish(job);
        });
      } catch (error) {
        clearTimeout(timer);
        reject(error);
        return;
      }
      gone.addEventListener("abort", leave, { once: true });
      if (gone.aborted) leave();
    });
  }

  readonly onChange = (job_ids: readonly string[]): void => {
    if (this.#followers.size > 0) this.#look(job_ids.filter((id) => this.#followers.has(id)));
  };

  readonly onDoubt = (): void => this.#look(this.#followers.keys());

  #leave(kind: FollowerKind, job_id: string, listener: JobListener): void {
    const listeners = this.#followers.get(job_id);
    if (!listeners?.delete(listener)) return;
    this.#counts[kind] -= 1;
    if (listeners.size === 0) this.#followers.delete(job_id);
    if (this.#followers.size > 0) return;
    clearInterval(this.#sweeping);
    this.#sweeping = undefined;
  }

  /** Look at these soon; while one look is on its way, what becomes due goes along with the next. */
  #look(job_ids: Iterable<string>): void {
    for (const id of job_ids) this.#due.add(id);
    if (!this.#isLooking) void this.#lookAtAll();
  }

  async #lookAtAll(): Promise<void> {
    this.#isLooking = true;
    while (this.#due.size > 0) {
      const ids = [...this.#due.values().take(JOBS_AT_ONCE)];
      for (const id of ids) this.#due.delete(id);
      await this.#tell(ids).catch((err: unknown) =>
        this.settings.log.error({ err }, "followed jobs could not be looked at, trying again"),
      );
    }
    this.#isLooking = false;
  }

  async #tell(job_ids: readonly string[]): Promise<void> {
    const { jobs, doubt } = await this.settings.find(job_ids);
    if (doubt) this.settings.log.debug({ err: doubt.message }, "no look at followed jobs");
    for (const job of jobs.values()) {
      for (const listener of this.#followers.get(job.job_id) ?? []) listener(job);
    }
  }

  #close(): void {
    for (const listeners of this.#followers.values()) for (const listener of listeners) listener(null);
  }
}
