/**
 * Watches a read replica: asks it and the primary in turns where they are, and says whether questions may go there.
 *
 *   unknown ──reached a place of the primary's log──> up <──> behind (further than the bound)
 *   any ──no answer──> away          any ──answers, but is no standby of this primary──> foreign
 */
import type { Clock } from "../../ops/clock.ts";
import type { Logger } from "../../ops/log.ts";
import { sleep } from "../../ops/retry.ts";
import type { RowReader } from "../queries/reader.ts";
import { ReplicaLag } from "./replica-lag.ts";

export type ReplicaState = "unknown" | "up" | "behind" | "away" | "foreign";

/** What people are told of a replica. */
export interface ReplicaHealth {
  readonly state: ReplicaState;
  /** ms; null while it is not known. */
  readonly lag_ms: number | null;
}

export interface WatchSettings {
  /** Further behind, it is not asked, ms. */
  readonly max_lag_ms: number;
  /** Between two looks, ms. */
  readonly interval_ms: number;
}

/** A replica that has not answered for so long counts as away, though its connection may hang for longer, ms. */
const SILENCE_MS = 3_000;

/** `pg_current_wal_lsn` is where the log has been written to: every commit that was reported is before it. */
const PRIMARY = {
  label: "place of the primary",
  text: `SELECT system_identifier::text AS system, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8 AS lsn
    FROM pg_control_system()`,
  values: [],
};
const REPLICA = {
  label: "place of the replica",
  text: `SELECT system_identifier::text AS system, pg_is_in_recovery() AS standby,
      pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::int8 AS lsn
    FROM pg_control_system()`,
  values: [],
};

interface PlaceRow {
  readonly system: string;
  readonly lsn: number | null;
}

export class ReplicaWatch {
  readonly #lag = new ReplicaLag();
  readonly #stop = new AbortController();
  #running: Promise<unknown> | null = null;
  /** Which database cluster the primary is. */
  #system: string | null = null;
  #isForeign = false;
  /** Undefined: it has not answered yet. */
  #answered_ms: number | undefined;
  #isLost = false;
  #told: ReplicaState = "unknown";

  constructor(
    private readonly settings: WatchSettings,
    private readonly primary: RowReader,
    private readonly replica: RowReader,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#running ??= Promise.all([
      this.#each(() => this.#askPrimary()),
      this.#each(() => this.#askReplica()),
    ]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  get health(): ReplicaHealth {
    return { state: this.#state(), lag_ms: this.#lag.behind_ms };
  }

  /** Since when the replica may lack something, ms since the epoch; null: it must not be asked now. */
  get asOf_ms(): number | null {
    const at_ms = this.#lag.asOf_ms;
    if (at_ms === null || this.#state() !== "up") return null;
    return this.clock.now_ms() - (this.clock.monotonic_ms() - at_ms);
  }

  /** A question found the replica away; it is not asked again before it has answered the watch. */
  lost(): void {
    this.#isLost = true;
    this.#tell();
  }

  #state(): ReplicaState {
    if (this.#isLost) return "away";
    if (this.#answered_ms === undefined) return "unknown";
    if (this.clock.monotonic_ms() - this.#answered_ms > SILENCE_MS) return "away";
    if (this.#isForeign) return "foreign";
    const behind_ms = this.#lag.behind_ms;
    if (behind_ms === null) return "unknown";
    return behind_ms > this.settings.max_lag_ms ? "behind" : "up";
  }

  async #each(ask: () => Promise<void>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await ask();
      this.#tell();
      await sleep(this.settings.interval_ms, this.#stop.signal);
    }
  }

  /** Without an answer the lag stands still: what the primary does not say, nobody can lack. */
  async #askPrimary(): Promise<void> {
    const at_ms = this.clock.monotonic_ms();
    try {
      const [row] = await this.primary.rows<PlaceRow>(PRIMARY);
      if (row?.lsn === null || row === undefined) return;
      this.#system = row.system;
      this.#lag.primaryAt(row.lsn, at_ms);
    } catch (error) {
      this.log.debug({ err: (error as Error).message }, "the primary does not say where it is");
    }
  }

  async #askReplica(): Promise<void> {
    try {
      const [row] = await this.replica.rows<PlaceRow & { standby: boolean }>(REPLICA);
      this.#answered_ms = this.clock.monotonic_ms();
      this.#isLost = false;
      this.#isForeign = row?.standby !== true || (this.#system !== null && row.system !== this.#system);
      if (!this.#isForeign && row?.lsn != null) this.#lag.replicaAt(row.lsn);
    } catch (error) {
      this.#isLost = true;
      this.log.debug({ err: (error as Error).message }, "the read replica does not answer");
    }
  }

  #tell(): void {
    const { state, lag_ms } = this.health;
    if (state === this.#told) return;
    this.#told = state;
    if (state === "up") this.log.info({ lag_ms }, "questions go to the read replica");
    else this.log.warn({ state, lag_ms }, "the read replica is not asked; questions go to the primary");
  }
}
