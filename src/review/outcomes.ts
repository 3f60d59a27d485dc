/** What becomes of each judged reading, given what is stored under its key, and the group that is written of it. */
import type { ReadingColumns } from "../contract/columns.ts";
import type { NewReview, ReadingOutcome, ReviewAction } from "../contract/review.ts";
import { statusStored } from "../contract/review.ts";
import { formatTimestamp } from "../contract/timestamp.ts";
import type { HeldReading } from "../store/review/holdings.ts";
import type { QuarantinedRow } from "../store/review/readings.ts";
import type { ReviewChange } from "../store/review/settle.ts";
import type { Tally } from "../store/review/tasks.ts";
import type { Stored } from "../store/writer/group.ts";
import type { Judgement } from "./judge.ts";

/** A reading as it is stored, canonical. */
export interface After {
  readonly sensor_id: string;
  readonly timestamp: string;
  readonly value: number;
  readonly unit: string;
  readonly quality: number;
}

export interface Verdict {
  readonly row: QuarantinedRow;
  readonly outcome: ReadingOutcome["outcome"];
  /** Row of the judgement's columns; null when it has none. */
  readonly at: number | null;
  readonly after: After | null;
  /** Why it fails. */
  readonly reason: string | null;
  readonly details: string | null;
  /** What holds its key; whole, unless another reading of the portion does. */
  readonly held: (Stored & Partial<HeldReading>) | null;
}

type Conflict = NewReview["conflict"] | null;

/** The quarantined reading of a row of the columns. */
export function rowOf({ columns, seats }: Judgement, at: number): QuarantinedRow {
  return seats[columns.batch[at]!]![columns.ordinal[at]!]!.row;
}

/**
 * One verdict for each reading of the judgement, in no order.
 * @param stored what is stored, by row of the columns
 * @param conflictOf what was decided for a reading whose key is taken
 */
export function verdictsOf(
  judgement: Judgement,
  stored: ReadonlyMap<number, HeldReading>,
  conflictOf: (row: QuarantinedRow) => Conflict,
): Verdict[] {
  const { columns, order, repeats, refusals, seats } = judgement;
  const refused = refusals.map(({ batch, ordinal, reason, details }): Verdict => {
    const { row } = seats[batch]![ordinal]!;
    return { row, outcome: "fails", at: null, after: null, reason, details, held: null };
  });
  const first = Array.from(order, (at) => {
    const row = rowOf(judgement, at);
    return against(row, at, columns, stored.get(at) ?? null, conflictOf(row));
  });
  const settled = new Map(first.map(({ at, outcome, held }) => [at, outcome === "replace" ? null : held]));
  const again = repeats.map(({ row: at, first: other }) => {
    const { value, unit } = afterOf(columns, other);
    const held = settled.get(other) ?? { value, unit };
    // Within one portion the first one stays: which of two is right must be asked reading by reading.
    const row = rowOf(judgement, at);
    const conflict = conflictOf(row);
    return against(row, at, columns, held, conflict === "replace" ? null : conflict);
  });
  return [...refused, ...first, ...again];
}

function against(
  row: QuarantinedRow,
  at: number,
  columns: ReadingColumns,
  held: Verdict["held"],
  conflict: Conflict,
): Verdict {
  const after = afterOf(columns, at);
  const verdict = (outcome: Verdict["outcome"]): Verdict => ({
    row,
    outcome,
    at,
    after,
    reason: null,
    details: null,
    held,
  });
  if (held === null) return verdict("store");
  if (held.value === after.value && held.unit === after.unit) return verdict("identical");
  if (conflict === "replace") return verdict("replace");
  if (conflict === "keep") return verdict("keep");
  const details = `${after.value} ${after.unit} differs from ${held.value} ${held.unit}, which this sensor already has at this timestamp`;
  return { ...verdict("fails"), reason: "duplicate", details };
}

function afterOf(columns: ReadingColumns, at: number): After {
  return {
    sensor_id: columns.sensors[columns.sensor[at]!]!,
    timestamp: formatTimestamp(columns.timestamp_us[at]!),
    value: columns.value[at]!,
    unit: columns.units[columns.unit[at]!]!,
    quality: single(columns.quality[at]!),
  };
}

/** A number of four bytes as people write it: 95.1, not 95.0999984741211. */
function single(value: number): number {
  const short = Number(value.toPrecision(7));
  return Math.fround(short) === value ? short : value;
}

/** A reading of which nothing is stored. */
export function plainVerdict(row: QuarantinedRow, outcome: "reject" | "reopen"): Verdict {
  return { row, outcome, at: null, after: null, reason: null, details: null, held: null };
}

/** A job stores the reading, or finds it stored. */
export const isWritten = ({ outcome }: Verdict) =>
  outcome === "store" || outcome === "identical" || outcome === "replace";
/** It puts a new row into the table of readings. */
const isInserted = ({ outcome }: Verdict) =>
  outcome === "store" || outcome === "replace" || outcome === "restore";
export const insertedBy = (verdicts: readonly Verdict[]) => verdicts.filter(isInserted).length;

/** @param jobOf id of the job that writes a verdict's reading */
export function changesOf(
  verdicts: readonly Verdict[],
  action: ReviewAction,
  jobOf: (verdict: Verdict) => string | null,
): ReviewChange[] {
  return verdicts
    .filter(({ outcome }) => outcome !== "fails")
    .map((verdict) => {
      const { row, outcome, after, held } = verdict;
      const to = isWritten(verdict) ? statusStored(action) : action === "reopen" ? "pending" : "rejected";
      const job_id = jobOf(verdict);
      // Taken out again: both sides say what is stored, the reading itself is what it was.
      const stored = outcome === "withdraw" || outcome === "restore";
      return {
        id: row.id,
        system_id: row.system_id,
        from: row.review_status,
        to,
        job_id: to === "pending" ? null : job_id,
        before: { ...beforeOf(row), ...(held ? { stored: storedOf(held) } : {}) },
        after: {
          review_status: to,
          outcome,
          ...(stored ? { stored: after && storedOf(after) } : after),
          ...(job_id ? { job_id } : {}),
        },
      };
    });
}

/** As the record has it. */
const storedOf = ({ value, unit, quality }: Stored & { readonly quality?: number }) => ({
  value,
  unit,
  ...(quality === undefined ? {} : { quality }),
});

const beforeOf = ({ review_status, reason, sensor_id, timestamp, value, unit, quality }: QuarantinedRow) => ({
  review_status,
  reason,
  sensor_id,
  timestamp,
  value,
  unit,
  quality,
});

/** Counts what became of the readings of a portion. */
export function tallyOf(verdicts: readonly Verdict[]): Tally {
  const count = (...outcomes: readonly Verdict["outcome"][]) =>
    verdicts.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const failing: Record<string, number> = {};
  for (const { reason } of verdicts) if (reason !== null) failing[reason] = (failing[reason] ?? 0) + 1;
  return {
    done: verdicts.length,
    stored: count("store"),
    identical: count("identical"),
    replaced: count("replace"),
    changed: count("keep", "reject", "reopen", "withdraw", "restore"),
    withdrawn: count("withdraw", "restore"),
    restored: count("restore"),
    failing,
  };
}

/** What a reviewer sees of a verdict. */
export function toOutcome({ row, outcome, after, reason, details, held }: Verdict): ReadingOutcome {
  return {
    id: row.id,
    outcome,
    before: beforeOf(row),
    after,
    reason,
    details,
    stored: held && storedOf(held),
  };
}
