/** Rates of the overview, from differences of counters. */
import type { ProcessBeat } from "../stream/worker-board.ts";

/** Looks that rates are taken over, ms. */
const WINDOW_MS = 10_000;
/** Looks further apart than this begin anew, ms. */
const PAUSE_MS = 15_000;

export interface Rates {
  /** Readings a second; null until there are two looks. */
  readonly accepted_rows_per_s: number | null;
  readonly committed_rows_per_s: number | null;
  /** Null when nothing was judged. */
  readonly quarantined_share: number | null;
}

interface Look {
  readonly at_ms: number;
  readonly accepted: number;
  readonly inserted: number;
  readonly judged: number;
  readonly quarantined: number;
}

export class OverviewRates {
  #looks: Look[] = [];
  #known = new Map<string, ProcessBeat["counts"]>();

  /**
   * Note the counters of this moment.
   * @param at_ms monotonic @param accepted a counter over all processes @param beats with the counters of each process
   */
  note(at_ms: number, accepted: number, beats: readonly ProcessBeat[]): Rates {
    const last = this.#looks.at(-1);
    if (last && at_ms - last.at_ms > PAUSE_MS) {
      this.#looks = [];
      this.#known.clear();
    }
    this.#looks = this.#looks.filter((look) => at_ms - look.at_ms <= WINDOW_MS);
    this.#looks.push(this.#sum(at_ms, accepted, beats, last));
    return this.#rates();
  }

  /** Counters of processes begin at 0 with each of them, so what each has added since is summed. */
  #sum(at_ms: number, accepted: number, beats: readonly ProcessBeat[], last: Look | undefined): Look {
    const isFirst = this.#looks.length === 0;
    const added = { inserted: 0, judged: 0, quarantined: 0 };
    for (const { process, counts } of beats) {
      const before =
        this.#known.get(process) ?? (isFirst ? counts : { inserted: 0, judged: 0, quarantined: 0 });
      for (const name of ["inserted", "judged", "quarantined"] as const) {
        added[name] += Math.max(0, counts[name] - before[name]);
      }
    }
    this.#known = new Map(beats.map(({ process, counts }) => [process, counts]));
    return {
      at_ms,
      accepted,
      inserted: (last?.inserted ?? 0) + added.inserted,
      judged: (last?.judged ?? 0) + added.judged,
      quarantined: (last?.quarantined ?? 0) + added.quarantined,
    };
  }

  #rates(): Rates {
    const first = this.#looks[0]!;
    const last = this.#looks.at(-1)!;
    const seconds = (last.at_ms - first.at_ms) / 1000;
    const perSecond = (name: "accepted" | "inserted") =>
      seconds > 0 ? Math.round((Math.max(0, last[name] - first[name]) / seconds) * 10) / 10 : null;
    const judged = last.judged - first.judged;
    return {
      accepted_rows_per_s: perSecond("accepted"),
      committed_rows_per_s: perSecond("inserted"),
      quarantined_share: judged > 0 ? (last.quarantined - first.quarantined) / judged : null,
    };
  }
}
