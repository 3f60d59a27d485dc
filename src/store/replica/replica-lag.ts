/**
 * How far a replica is behind, measured by ourselves: where the primary's log was at some moments, and which of these
 * places the replica has replayed. No clock of another machine is asked, and an idle primary makes no lag
 * (docs/decisions/0018-read-replica.md).
 */

/** Where the primary's log was, bytes, at a moment of a clock that never goes back. */
interface Place {
  readonly at_ms: number;
  readonly lsn: number;
}

/** At two a second: an hour of a replica that hangs. */
const KEPT_PLACES = 7_200;

export class ReplicaLag {
  /** Places that the replica has not reached, the oldest first. */
  #ahead: Place[] = [];
  /** The newest moment whose place the replica has reached. */
  #reached_ms: number | null = null;
  #newest_ms: number | null = null;

  /** The primary's log is at `lsn` now. */
  primaryAt(lsn: number, at_ms: number): void {
    this.#newest_ms = at_ms;
    this.#ahead.push({ at_ms, lsn });
    if (this.#ahead.length > KEPT_PLACES) this.#ahead.shift();
  }

  /** The replica has replayed the log up to `lsn`. */
  replicaAt(lsn: number): void {
    const reached = this.#ahead.findLast((place) => place.lsn <= lsn);
    if (reached === undefined) return;
    this.#reached_ms = reached.at_ms;
    this.#ahead = this.#ahead.slice(this.#ahead.indexOf(reached) + 1);
  }

  /** The moment up to which the replica surely has everything; null while none is known. */
  get asOf_ms(): number | null {
    return this.#reached_ms;
  }

  /** What it is behind, ms; null while that is not known. It stands still while the primary says nothing. */
  get behind_ms(): number | null {
    if (this.#reached_ms === null || this.#newest_ms === null) return null;
    return this.#newest_ms - this.#reached_ms;
  }
}
