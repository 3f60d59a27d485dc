/**
 * What actors share of which one of all processes works: an advisory lock of a session of their own, waited for, held
 * while they lead, and taken again after whatever went wrong.
 *
 *   following ──lock free──> leading ──connection lost, error, or stop──> following | stopped
 */
import type { Logger } from "../ops/log.ts";
import { Backoff, sleep, withDeadline } from "../ops/retry.ts";
import { DedicatedSession } from "./dedicated-session.ts";
import { classify } from "./errors.ts";

export interface LeadershipSettings {
  readonly database_url: string;
  /** Shown in pg_stat_activity. */
  readonly session_name: string;
  /** One of `ADVISORY_LOCKS`. */
  readonly lock: number;
  readonly statement_deadline_ms: number;
  /** Between two tries to get the lock, and the first pause after an error, ms. */
  readonly interval_ms: number;
  /** Longest pause after errors, ms. */
  readonly longest_pause_ms: number;
}

export interface LeadershipWork {
  readonly log: Logger;
  /**
   * Lead until `Leadership.signal` fires; an error ends it and is tried again. `onProgress` is told that it goes well,
   * so that the next pause is a short one again.
   */
  readonly lead: (session: DedicatedSession, onProgress: () => void) => Promise<void>;
  /** Called whenever this process does not lead any more, and after each try that came to nothing. */
  readonly onEnd?: () => void;
  readonly onFailed?: () => void;
  /** For the log: after an error; and when a stop could not wait. */
  readonly failed: string;
  readonly cut: string;
  /** What a stop waits for, for the error of its deadline. */
  readonly inHand: string;
}

export class Leadership {
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;
  #session: DedicatedSession | null = null;

  constructor(
    private readonly settings: LeadershipSettings,
    private readonly work: LeadershipWork,
  ) {}

  /** Fires when it is to end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when what is in hand is done; after `deadline_ms` its connection is dropped, and the server undoes it. */
  async stop(deadline_ms: number): Promise<void> {
    this.#stop.abort();
    if (!this.#running) return;
    const { log, cut, inHand } = this.work;
    await withDeadline(this.#running, deadline_ms, inHand).catch(() => {
      log.warn(cut);
      this.#session?.destroy();
    });
  }

  /** Resolves when it has ended, however long that takes. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const backoff = new Backoff(this.settings.interval_ms, this.settings.longest_pause_ms);
    const { log, failed, onFailed, onEnd } = this.work;
    while (!this.signal.aborted) {
      try {
        await this.#follow(() => backoff.reset());
      } catch (error) {
        onFailed?.();
        const passing = classify(error) === "unavailable";
        log[passing ? "warn" : "error"]({ err: passing ? (error as Error).message : error }, failed);
        await sleep(backoff.next_ms(), this.signal);
      } finally {
        onEnd?.();
        await this.#session?.close();
        this.#session = null;
      }
    }
  }

  /** Wait for the lock, then lead until the stop or an error. */
  async #follow(onProgress: () => void): Promise<void> {
    const { database_url: url, session_name: application_name, statement_deadline_ms } = this.settings;
    const session = await DedicatedSession.open({ url, application_name, statement_deadline_ms });
    this.#session = session;
    while (!(await session.tryLock(this.settings.lock))) {
      await sleep(this.settings.interval_ms, this.signal);
      if (this.signal.aborted) return;
    }
    await this.work.lead(session, onProgress);
  }
}
