/** What one transaction of ingest writes, and what became of it. */
import type { ReadingColumns } from "../../contract/columns.ts";
import type { EntryMeta } from "../../contract/entry.ts";
import type { JobRecord } from "../../contract/job.ts";
import type { Registration } from "../../contract/membership.ts";
import type { SentReadings } from "../../contract/naming.ts";
import type { Repeat } from "../../contract/order.ts";
import type { Refusal } from "../../contract/refusal.ts";
import type { Span } from "../../ops/trace.ts";
import type { WriterTransaction } from "./connection.ts";

/** A reading that the database holds under the same key, in its canonical unit. */
export interface Stored {
  readonly value: number;
  readonly unit: string;
}

/** An hour of a system whose aggregate is out of date. */
export interface DirtyHour {
  readonly system_id: string;
  /** Seconds since the epoch, a multiple of 3600. */
  readonly hour_s: number;
}

/** First and last timestamp of a batch's accepted readings, microseconds since the epoch. */
export interface BatchSpan {
  readonly oldest_us: number;
  readonly newest_us: number;
}

/** What became of every reading of a group. */
export interface Ledger {
  readonly jobs: readonly JobRecord[];
  /** In the order of `jobs`; null for a batch without an accepted reading. */
  readonly spans: readonly (BatchSpan | null)[];
  readonly refusals: readonly Refusal[];
  readonly dirty: readonly DirtyHour[];
  /** Rows stored by this transaction. */
  readonly inserted: number;
}

/** A stored reading that gives way to another value; times are microseconds since the epoch. */
export interface Replaced {
  readonly sensor_id: string;
  readonly timestamp_us: number;
  /** As it was when this was decided. */
  readonly value: number;
  readonly unit: string;
}

/** A batch of the group. */
export interface WriteJob {
  readonly meta: EntryMeta;
  /** Where it was in the stream, as partition/id; for people. */
  readonly stream_entry: string;
  /** Since the epoch. */
  readonly started_at_ms: number;
  /** Set when the job fails as a whole although its readings are accounted for (system not registered). */
  readonly error_message: string | null;
  /** The review whose accepted readings this job stores. */
  readonly review_task_id?: string;
}

/** What one transaction writes. Indexes of batches are positions in `jobs`. */
export interface WriteGroup {
  readonly jobs: readonly WriteJob[];
  readonly columns: ReadingColumns;
  /** Rows of `columns` to store, in the order of the index, no key twice. */
  readonly order: Int32Array;
  /** Rows with the key of an earlier row of the group. */
  readonly repeats: readonly Repeat[];
  readonly refusals: readonly Refusal[];
  /** Sensors whose first readings these are. */
  readonly registrations: readonly Registration[];
  readonly sent: SentReadings;
  /** Of the batches, to which the transaction belongs. */
  readonly spans?: readonly Span[];
  /** Stored readings whose keys rows of the group take. */
  readonly replaced?: readonly Replaced[];
  /** Comes before everything else in the transaction. */
  readonly first?: (tx: WriterTransaction) => Promise<void>;
  /** What has to commit together with the group, told what became of its readings; an error rolls all of it back. */
  readonly beside?: (tx: WriterTransaction, ledger: Ledger) => Promise<void>;
}

/** What was committed, and what it took. */
export interface Committed {
  /** Terminal records, in the order of `WriteGroup.jobs`. */
  readonly jobs: readonly JobRecord[];
  /** Those of the group and those found while writing. */
  readonly refusals: readonly Refusal[];
  /** Stored by this transaction. */
  readonly rows: number;
  readonly way: Way;
  readonly encode_ms: number;
  readonly copy_ms: number;
  readonly commit_ms: number;
}

/** How the readings of a group came into the hypertable. */
export type Way = "direct" | "sifted" | "staged";
