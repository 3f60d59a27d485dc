/**
 * Questions about stored readings: to the replica while it is near enough, else to the primary. What fails on the
 * replica for its own reasons is asked again of the primary, so that clients see nothing of it.
 */
import type { Logger } from "../../ops/log.ts";
import { StoreUnavailableError, sqlState } from "../errors.ts";
import { QueryAbortedError, QueryBusyError, QueryTimeoutError } from "../queries/query-errors.ts";
import type { QueryOptions, RowReader, Statement } from "../queries/reader.ts";
import type { ReplicaState, ReplicaWatch } from "./replica-watch.ts";

/** Why the primary was asked: the state that kept the replica from being asked, or how the replica's try ended. */
export type FallbackReason = Exclude<ReplicaState, "up"> | "conflict" | "error";

/** What is counted. */
export interface RoutingCounts {
  readonly answered: () => void;
  readonly fellBack: (reason: FallbackReason) => void;
}

/**
 * Recovery had to change what the statement looked at (PostgreSQL documentation, 26.4.2): 40001, and 40P01 when it held
 * a page that recovery waited for.
 */
const CONFLICT = new Set(["40001", "40P01"]);

export class RoutedReader implements RowReader {
  constructor(
    private readonly primary: RowReader,
    private readonly replica: RowReader,
    private readonly watch: Pick<ReplicaWatch, "asOf_ms" | "health" | "lost">,
    private readonly counts: RoutingCounts,
    private readonly log: Logger,
  ) {}

  /** Throws what `Reader.rows` throws. A full replica is no reason to fill the primary, too. */
  async rows<R extends object>(statement: Statement, options: QueryOptions = {}): Promise<R[]> {
    if (options.isFresh) return this.primary.rows<R>(statement, options);
    // Before the question: what is committed meanwhile may be missing.
    const asOf_ms = this.watch.asOf_ms;
    if (asOf_ms === null) {
      const { state } = this.watch.health;
      this.counts.fellBack(state === "up" ? "behind" : state);
      return this.primary.rows<R>(statement, options);
    }
    try {
      const rows = await this.replica.rows<R>(statement, options);
      this.counts.answered();
      options.onReplica?.(asOf_ms);
      return rows;
    } catch (error) {
      if (isFinal(error)) throw error;
      const reason = reasonOf(error);
      if (reason === "away") this.watch.lost();
      this.counts.fellBack(reason);
      this.log.debug({ err: (error as Error).message, query: statement.label }, "asked again of the primary");
      return this.primary.rows<R>(statement, options);
    }
  }
}

/** The same would come of it elsewhere, or nobody waits any more. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof QueryAbortedError ||
    error instanceof QueryBusyError ||
    error instanceof QueryTimeoutError
  );
}

/** `error`: also of a replica that has not replayed a migration yet, and lacks a column. */
function reasonOf(error: unknown): FallbackReason {
  if (!(error instanceof StoreUnavailableError)) return "error";
  return CONFLICT.has(sqlState(error.cause) ?? "") ? "conflict" : "away";
}
