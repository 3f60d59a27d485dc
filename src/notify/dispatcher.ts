/**
 * The actor that empties the outbox of webhooks: takes what is due, sends it, writes down what came of it.
 *
 * One of all workers leads (src/store/leadership.ts). That bounds what receivers get at once, and nothing more: a leader
 * that dies has not written down what it was sending, so the next one sends it again, under the same message id.
 */
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import { sleep } from "../ops/retry.ts";
import type { Tracer } from "../ops/trace.ts";
import { ADVISORY_LOCKS } from "../store/advisory-locks.ts";
import type { DedicatedSession } from "../store/dedicated-session.ts";
import { Leadership } from "../store/leadership.ts";
import {
  type DueDelivery,
  dueDeliveries,
  type Outcome,
  settleDeliveries,
} from "../store/webhooks/dispatch.ts";
import { boundOutbox, type Disabled, keepOutbox, outboxFigures } from "../store/webhooks/upkeep.ts";
import { type AttemptDeps, attempt } from "./attempt.ts";
import { Lanes } from "./lanes.ts";
import type { DispatchReport } from "./notify-metrics.ts";
import { RETRY_DELAYS_MS } from "./schedule.ts";
import type { Targets } from "./target.ts";

export interface DispatcherSettings {
  readonly database_url: string;
  /** Shown in pg_stat_activity. */
  readonly session_name: string;
  readonly user_agent: string;
  /** Between two looks for what is due, ms. */
  readonly interval_ms: number;
  /** Longest attempt, ms. */
  readonly timeout_ms: number;
  readonly retry_delays_ms: readonly number[];
  /** Certificates to trust beside those of the system, in tests. */
  readonly ca?: string;
  readonly tracer?: Pick<Tracer, "begin">;
}

/** What a program uses unless it has a reason. */
export const DISPATCH: Pick<DispatcherSettings, "interval_ms" | "timeout_ms" | "retry_delays_ms"> = {
  interval_ms: 500,
  timeout_ms: 15_000,
  retry_delays_ms: RETRY_DELAYS_MS,
};

const STATEMENT_DEADLINE_MS = 30_000;
const LONGEST_PAUSE_MS = 10_000;
/** Messages sent at once, those to one receiver, and rows of one webhook that are read at once. */
const BOUNDS = { all: 64, each: 8, rows: 64 } as const;
/** Rows that wait longer are read anew: the webhook may be another by now. */
const STALE_MS = 2_000;
const ROUND_MS = 20;
const BOUND_EVERY_MS = 5_000;
const KEEP_EVERY_MS = 60_000;
/** A webhook that fails for five days is disabled; a pause of a day and a half between two attempts begins anew. */
const DISABLE_AFTER_HOURS = 120;
const FORGIVE_HOURS = 36;
/** Longer than the schedule of retries: only what is not tried waits for so long. */
const GIVE_UP_HOURS = 96;

export class Dispatcher {
  readonly #leadership: Leadership;
  /** Gives attempts up that the stop cannot wait for. */
  readonly #cut = new AbortController();
  readonly #lanes = new Lanes({ all: BOUNDS.all, stale_ms: STALE_MS });
  readonly #sending = new Set<Promise<void>>();
  readonly #ended: Outcome[] = [];
  #wake: () => void = () => undefined;
  #boundDue_ms = 0;
  #keepDue_ms = 0;
  readonly #deps: AttemptDeps;

  constructor(
    private readonly settings: DispatcherSettings,
    targets: Pick<Targets, "find">,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly report: DispatchReport,
  ) {
    this.#deps = { ...settings, targets, clock };
    const { database_url, session_name, interval_ms } = settings;
    this.#leadership = new Leadership(
      {
        database_url,
        session_name,
        interval_ms,
        lock: ADVISORY_LOCKS.webhooks,
        statement_deadline_ms: STATEMENT_DEADLINE_MS,
        longest_pause_ms: LONGEST_PAUSE_MS,
      },
      {
        log,
        lead: (session, onProgress) => this.#lead(session, onProgress),
        onEnd: () => this.#endLeading(),
        failed: "the dispatcher of webhooks failed, trying again",
        cut: "deliveries of webhooks were cut off; the next worker sends them again",
        inHand: "deliveries of webhooks",
      },
    );
  }

  start(): void {
    this.#leadership.start();
  }

  /** Takes nothing new and waits for what is being sent; what is not answered after `deadline_ms` is sent again later. */
  async stop(deadline_ms: number): Promise<void> {
    const cutting = setTimeout(() => this.#cut.abort(), deadline_ms * 0.7);
    const stopping = this.#leadership.stop(deadline_ms);
    this.#wake();
    await stopping;
    clearTimeout(cutting);
  }

  #endLeading(): void {
    this.report.onLeading(false);
    // Another process may lead by now; what is being sent goes on.
    this.#lanes.clear();
  }

  async #lead(session: DedicatedSession, onProgress: () => void): Promise<void> {
    const { signal } = this.#leadership;
    this.report.onLeading(true);
    while (!signal.aborted) {
      await this.#settle(session);
      await this.#keep(session);
      await this.#take(session);
      onProgress();
      await this.#untilWoken(this.settings.interval_ms);
      // What ends at about the same time is written down together.
      await sleep(ROUND_MS, signal);
    }
    this.#lanes.clear();
    await Promise.all(this.#sending);
    await this.#settle(session);
  }

  /** Read what is due, and begin to send it as far as there is room. */
  async #take(session: DedicatedSession): Promise<void> {
    this.#lanes.dropStale(this.clock.monotonic_ms());
    const due = await dueDeliveries(session, this.#lanes.inHand, BOUNDS);
    this.#lanes.add(due, this.clock.monotonic_ms());
    this.#begin();
  }

  #begin(): void {
    if (this.#leadership.signal.aborted) return;
    for (const delivery of this.#lanes.ready()) {
      const sent: Promise<void> = this.#send(delivery).finally(() => this.#sending.delete(sent));
      this.#sending.add(sent);
    }
  }

  async #send(delivery: DueDelivery): Promise<void> {
    const { timeout_ms, ca } = this.settings;
    const limits = { timeout_ms, signal: this.#cut.signal, ...(ca === undefined ? {} : { ca }) };
    const outcome = await attempt(this.#deps, delivery, limits);
    this.#lanes.ended(delivery, outcome?.result === "delivered");
    if (outcome) this.#ended.push(outcome);
    else this.#lanes.forget(delivery.id);
    this.#begin();
    this.#wake();
  }

  /** Write down what ended. In hand until then: what is not written down must not be sent twice by this leader. */
  async #settle(session: DedicatedSession): Promise<void> {
    // A copy: more may end while these are written down.
    const outcomes = [...this.#ended];
    if (outcomes.length === 0) return;
    this.#tellDisabled(await settleDeliveries(session, outcomes, FORGIVE_HOURS));
    this.#ended.splice(0, outcomes.length);
    for (const { delivery, attempt: made, result } of outcomes) {
      this.#lanes.forget(delivery.id);
      this.report.onAttempt(result, made.ms);
      if (result === "delivered") continue;
      const { webhook_id, event, message_id, attempts } = delivery;
      const about = { webhook_id, event, message_id, attempt: attempts + 1, error: made.error };
      if (result === "retried") this.log.debug(about, "a webhook failed and is tried again");
      else this.log.warn(about, "a webhook was given up");
    }
  }

  /** What bounds the outbox, when it is due. */
  async #keep(session: DedicatedSession): Promise<void> {
    const now_ms = this.clock.monotonic_ms();
    if (now_ms >= this.#boundDue_ms) {
      this.#boundDue_ms = now_ms + BOUND_EVERY_MS;
      const full = await boundOutbox(session);
      if (full > 0) this.log.warn({ webhooks: full }, "too many deliveries wait: nothing more is noted");
      this.report.onFigures(await outboxFigures(session), full);
    }
    if (now_ms < this.#keepDue_ms) return;
    this.#keepDue_ms = now_ms + KEEP_EVERY_MS;
    const { disabled, given_up } = await keepOutbox(session, {
      disable_after_hours: DISABLE_AFTER_HOURS,
      forgive_hours: FORGIVE_HOURS,
      give_up_hours: GIVE_UP_HOURS,
    });
    this.#tellDisabled(disabled);
    if (given_up > 0) this.log.warn({ deliveries: given_up }, "webhooks that were not tried were given up");
  }

  #tellDisabled(disabled: readonly Disabled[]): void {
    for (const { id, reason } of disabled) {
      this.report.onDisabled(reason);
      this.log.warn({ webhook_id: id, reason }, "a webhook was disabled");
    }
  }

  async #untilWoken(longest_ms: number): Promise<void> {
    if (this.#ended.length > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, longest_ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
