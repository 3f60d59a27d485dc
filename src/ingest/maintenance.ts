/**
 * The maintenance actor: one leader among all processes keeps the hourly aggregate, the incidents and
 * totals of quarantined readings, and retention.
 *
 * One of all processes leads, by an advisory lock (src/store/leadership.ts). Each step is short
 * and leaves the tables right, so the actor may be stopped, or die, between any two of them.
 */
import type { Clock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import { sleep } from "../ops/retry.ts";
import { ADVISORY_LOCKS } from "../store/advisory-locks.ts";
import { mergeHours, moveNextRange, refreshRange } from "../store/cagg-refresh.ts";
import type { DedicatedSession } from "../store/dedicated-session.ts";
import { type HourlyKeeping, readHourlyKeeping } from "../store/hourly-keeping.ts";
import { Leadership } from "../store/leadership.ts";
import {
  type AlertCounts,
  type AlertRule,
  alertLimitsState,
  judgeQuarantine,
} from "../store/quarantine-alerts.ts";
import { foldQuarantineChanges } from "../store/quarantine-upkeep.ts";
import { type Dropped, dropOlderThan } from "../store/retention.ts";
import {
  type Backlog,
  dueHours,
  type Patience,
  readBacklog,
  recomputeHours,
  settleHours,
  takeDirtyHours,
} from "../store/rollup.ts";
import { LockWaits } from "./lock-waits.ts";

export interface MaintenanceSettings {
  readonly database_url: string;
  /** Shown in pg_stat_activity. */
  readonly session_name: string;
  /** Between two rounds, ms. */
  readonly interval_ms: number;
  readonly retention_days: number;
  /** When a system has too many quarantined readings; null: nobody looks. */
  readonly alerts: AlertRule | null;
  /** When a dirty hour is aggregated again; by edition. */
  readonly patience: Readonly<Record<HourlyKeeping["edition"], Patience>>;
}

/**
 * Apache: an hour is aggregated over the unique index in 0.3 µs a reading; readers gain when it is done soon.
 * Community: a refresh reads the chunk by time, so it waits for more hours to go along, and for the hour to end.
 */
export const PATIENCE: MaintenanceSettings["patience"] = {
  apache: { quiet_ms: 5_000, longest_ms: 60_000, ended_only: false },
  community: { quiet_ms: 60_000, longest_ms: 600_000, ended_only: true },
};

/** What the actor tells; the metrics listen. */
export interface MaintenanceReport {
  onLeading(leading: boolean): void;
  onTaken(log_rows: number): void;
  onAggregated(hours: number): void;
  onDropped(dropped: Dropped): void;
  onBacklog(backlog: Backlog): void;
  onAlerts(alerts: AlertCounts): void;
  onFailed(): void;
}

/** Hours of systems in one transaction (Apache), so that a step stays below a second at 100 sensors and 1 Hz. */
const HOURS_PER_STEP = 8;
/** Hours of systems looked at in one round (Community); they become few ranges. */
const HOURS_PER_ROUND = 5_000;
const RETENTION_EVERY_MS = 60_000;
/** A look at the shares reads every job of the window. */
const ALERTS_EVERY_MS = 15_000;
const STATEMENT_DEADLINE_MS = 600_000;
const LONGEST_PAUSE_MS = 30_000;

export class Maintenance {
  readonly #leadership: Leadership;
  readonly #lockWaits: LockWaits;
  #retentionDue_ms = 0;
  #alertsDue_ms = 0;
  /** The own limits of systems that alerts were judged by last. */
  #alertLimits = "";

  constructor(
    private readonly settings: MaintenanceSettings,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly report: MaintenanceReport,
  ) {
    const { database_url, session_name, interval_ms } = settings;
    this.#lockWaits = new LockWaits(clock, log);
    this.#leadership = new Leadership(
      {
        database_url,
        session_name,
        interval_ms,
        lock: ADVISORY_LOCKS.maintenance,
        statement_deadline_ms: STATEMENT_DEADLINE_MS,
        longest_pause_ms: LONGEST_PAUSE_MS,
      },
      {
        log,
        lead: (session, onLeading) => this.#lead(session, onLeading),
        onFailed: () => report.onFailed(),
        onEnd: () => report.onLeading(false),
        failed: "maintenance failed, trying again",
        cut: "the maintenance step in hand was cut off; the next leader does it again",
        inHand: "the step of the maintenance",
      },
    );
  }

  start(): void {
    this.#leadership.start();
  }

  /** Resolves when the step in hand is done; after `deadline_ms` its connection is dropped, and the server undoes it. */
  async stop(deadline_ms: number): Promise<void> {
    await this.#leadership.stop(deadline_ms);
    await this.#leadership.ended();
  }

  async #lead(session: DedicatedSession, onLeading: () => void): Promise<void> {
    const { signal } = this.#leadership;
    this.log.info("leading the maintenance");
    this.report.onLeading(true);
    while (!signal.aborted) {
      await this.#round(session);
      onLeading();
      await sleep(this.settings.interval_ms, signal);
    }
  }

  /** Everything that is due now. Asked each time how the view is kept: another program may have switched it. */
  async #round(session: DedicatedSession): Promise<void> {
    const keeping = await readHourlyKeeping(session);
    await this.#takeLog(session);
    await this.#addUpQuarantine(session);
    if (keeping.edition === "apache") await this.#recompute(session);
    else await this.#lockWaits.tolerate("refresh of the hourly aggregate", () => this.#refresh(session));
    if (this.clock.monotonic_ms() >= this.#retentionDue_ms) await this.#retain(session, keeping);
    if (this.settings.alerts) await this.#judge(session, this.settings.alerts);
    this.report.onBacklog(await readBacklog(session));
  }

  async #takeLog(session: DedicatedSession): Promise<void> {
    for (let more = true; more && !this.#leadership.signal.aborted; ) {
      const taken = await takeDirtyHours(session);
      this.report.onTaken(taken.rows);
      more = taken.more;
    }
  }

  async #addUpQuarantine(session: DedicatedSession): Promise<void> {
    for (let more = true; more && !this.#leadership.signal.aborted; ) {
      more = (await foldQuarantineChanges(session)).more;
    }
  }

  /**
   * At least one step, then as many as fit into the time of the pause after the round: a backlog of years leaves
   * ingest half of a processor core, and the log is taken in between.
   */
  #roundEnd(): () => boolean {
    const end_ms = this.clock.monotonic_ms() + this.settings.interval_ms;
    return () => this.#leadership.signal.aborted || this.clock.monotonic_ms() > end_ms;
  }

  async #recompute(session: DedicatedSession): Promise<void> {
    const isOver = this.#roundEnd();
    do {
      const hours = await dueHours(session, this.settings.patience.apache, HOURS_PER_STEP);
      if (hours.length === 0) return;
      await recomputeHours(session, hours);
      this.report.onAggregated(hours.length);
      if (hours.length < HOURS_PER_STEP) return;
    } while (!isOver());
  }

  async #refresh(session: DedicatedSession): Promise<boolean> {
    const isOver = this.#roundEnd();
    const moved = await moveNextRange(session);
    if (moved) {
      const at = (s: number) => new Date(s * 1000).toISOString();
      this.log.info(
        { from: at(moved.from_s), to: at(moved.to_s) },
        "rollup moved to the continuous aggregate",
      );
    }
    const hours = await dueHours(session, this.settings.patience.community, HOURS_PER_ROUND);
    for (const range of mergeHours(hours)) {
      await refreshRange(session, range);
      const done = hours.filter((h) => h.hour_s >= range.from_s && h.hour_s < range.to_s);
      await settleHours(session, done);
      this.report.onAggregated(done.length);
      if (isOver()) return false;
    }
    return true;
  }

  async #retain(session: DedicatedSession, { materialized }: HourlyKeeping): Promise<void> {
    const limit_ms = this.clock.now_ms() - this.settings.retention_days * 86_400_000;
    const isDone = await this.#lockWaits.tolerate("retention", async () => {
      const dropped = await dropOlderThan(session, limit_ms, materialized);
      if (dropped === null) return false;
      this.report.onDropped(dropped);
      if (dropped.chunks > 0 || dropped.hours > 0)
        this.log.info({ ...dropped, before: new Date(limit_ms).toISOString() }, "old readings dropped");
      return true;
    });
    if (isDone) this.#retentionDue_ms = this.clock.monotonic_ms() + RETENTION_EVERY_MS;
  }

  /** When it is due, and at once when a limit was changed: whoever did it waits for it. */
  async #judge(session: DedicatedSession, rule: AlertRule): Promise<void> {
    const limits = await alertLimitsState(session);
    if (limits === this.#alertLimits && this.clock.monotonic_ms() < this.#alertsDue_ms) return;
    this.report.onAlerts(await judgeQuarantine(session, rule));
    this.#alertLimits = limits;
    this.#alertsDue_ms = this.clock.monotonic_ms() + ALERTS_EVERY_MS;
  }
}
