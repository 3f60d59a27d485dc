/**
 * The review actor of a worker: takes open tasks, oldest first, portion by portion.
 * One of all workers leads (src/store/leadership.ts). That only saves work: a portion commits together with the task's
 * position, so two runners could not apply it twice, and one that dies leaves a task that the next goes on with.
 */
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import { sleep } from "../ops/retry.ts";
import { ADVISORY_LOCKS } from "../store/advisory-locks.ts";
import { SERVICE } from "../store/audit.ts";
import type { DedicatedSession } from "../store/dedicated-session.ts";
import { classify, isTooSlow } from "../store/errors.ts";
import { Leadership } from "../store/leadership.ts";
import { type OpenTask, type ReviewTaskStore, TaskMovedError } from "../store/review/tasks.ts";
import type { ReviewDesk } from "./desk.ts";

export interface RunnerSettings {
  readonly database_url: string;
  /** Shown in pg_stat_activity. */
  readonly session_name: string;
  /** Between two looks for tasks, ms. */
  readonly interval_ms: number;
}

const STATEMENT_DEADLINE_MS = 60_000;
const LONGEST_PAUSE_MS = 10_000;
/** Attempts at an error that is not the infrastructure's, before the task fails. */
const MAX_ATTEMPTS = 3;
/** As long as the server is there: a portion that is always too slow would hold up all tasks behind it. */
const MAX_TOO_SLOW = 6;

export class ReviewRunner {
  readonly #leadership: Leadership;
  /** Of the task in hand. */
  #attempts = 0;
  /** In a row. */
  #tooSlow = 0;

  constructor(
    private readonly settings: RunnerSettings,
    private readonly desk: Pick<ReviewDesk, "step">,
    private readonly tasks: Pick<ReviewTaskStore, "nextOpen" | "end">,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    this.#leadership = new Leadership(
      {
        ...settings,
        lock: ADVISORY_LOCKS.review,
        statement_deadline_ms: STATEMENT_DEADLINE_MS,
        longest_pause_ms: LONGEST_PAUSE_MS,
      },
      {
        log,
        lead: (session, onProgress) => this.#lead(session, onProgress),
        failed: "the review actor failed, trying again",
        cut: "a review's portion was cut off; the next worker does it again",
        inHand: "the portion of a review",
      },
    );
  }

  start(): void {
    this.#leadership.start();
  }

  /** Resolves when the portion in hand is done; after `deadline_ms` it is left to the next runner. */
  stop(deadline_ms: number): Promise<void> {
    return this.#leadership.stop(deadline_ms);
  }

  async #lead(session: DedicatedSession, onProgress: () => void): Promise<void> {
    const { signal } = this.#leadership;
    while (!signal.aborted) {
      // Proves that the lock is still ours.
      await session.query("SELECT 1");
      const task = await this.tasks.nextOpen();
      if (task) await this.#step(task);
      else await sleep(this.settings.interval_ms, signal);
      onProgress();
    }
  }

  async #step(task: OpenTask): Promise<void> {
    const begin_ms = this.clock.monotonic_ms();
    try {
      const outcomes = await this.desk.step(task);
      this.#attempts = 0;
      this.#tooSlow = 0;
      const took_ms = Math.round(this.clock.monotonic_ms() - begin_ms);
      const about = { task_id: task.id, action: task.action };
      if (outcomes === null) this.log.info(about, "review completed");
      else this.log.debug({ ...about, readings: outcomes.length, ms: took_ms }, "portion reviewed");
    } catch (error) {
      if (error instanceof TaskMovedError) return;
      if (!this.#isLast(task, error)) return;
      this.#attempts = 0;
      this.#tooSlow = 0;
      await this.tasks.end(task.id, "failed", SERVICE, (error as Error).message);
    }
  }

  /** Whether the task is given up; throws what is the infrastructure's, which is waited for. */
  #isLast(task: OpenTask, error: unknown): boolean {
    const isSlow = isTooSlow(error);
    if (isSlow) this.#tooSlow += 1;
    else if (classify(error) === "unavailable") throw error;
    else this.#attempts += 1;
    const attempt = isSlow ? this.#tooSlow : this.#attempts;
    this.log.error({ err: error, task_id: task.id, attempt }, "a review's portion failed");
    return attempt >= (isSlow ? MAX_TOO_SLOW : MAX_ATTEMPTS);
  }
}
