/** From verdicts to what the writer takes: one job for each system of the portion, linked to the review. */
import { newJobId } from "../contract/job-id.ts";
import type { Decision } from "../store/review/tasks.ts";
import type { Replaced, WriteGroup, WriteJob } from "../store/writer/group.ts";
import type { Judgement } from "./judge.ts";
import { isWritten, type Verdict } from "./outcomes.ts";

/** Jobs of reviews have no stream entry; partition 0 only makes their ids complete. */
const PARTITION = 0;

export interface ReviewGroup {
  readonly group: WriteGroup;
  /** The job that writes a verdict's reading; null for the others. */
  readonly jobOf: (verdict: Verdict) => string | null;
  /** Id of the quarantined reading of a row. */
  readonly idOf: (at: number) => number;
}

/** Null when there is nothing to write. Batches without readings to write get no job: `columns.batch` is renumbered. */
export function groupOf(
  judgement: Judgement,
  verdicts: readonly Verdict[],
  decision: Decision,
  now_ms: number,
): ReviewGroup | null {
  const { columns, registrations, systems, sent } = judgement;
  const written = verdicts.filter(isWritten);
  if (written.length === 0) return null;
  const rows = new Set(written.map(({ at }) => at!));
  const jobs: WriteJob[] = [];
  const newBatch = new Map<number, number>();
  const sources: number[] = [];
  for (const [batch, list] of Map.groupBy(rows, (at) => columns.batch[at]!)) {
    newBatch.set(batch, jobs.length);
    sources.push(batch);
    jobs.push(jobFor(systems[batch]!, list.length, decision, now_ms));
  }
  for (const at of rows) columns.batch[at] = newBatch.get(columns.batch[at]!)!;
  const used = new Set(written.map(({ after }) => after!.sensor_id));
  const ids = new Map(written.map(({ at, row }) => [at!, row.id]));
  return {
    idOf: (at) => ids.get(at)!,
    group: {
      jobs,
      columns,
      ...arranged(judgement, rows),
      refusals: [],
      registrations: registrations.filter(({ id }) => used.has(id)),
      replaced: written.flatMap(replacedBy(judgement)),
      sent: {
        raw: (batch, ordinal) => sent.raw(sources[batch]!, ordinal),
        seen: (batch, ordinal) => sent.seen(sources[batch]!, ordinal),
      },
    },
    jobOf: ({ at }) => (at !== null && rows.has(at) ? jobs[columns.batch[at]!]!.meta.job_id : null),
  };
}

/**
 * The rows that are written, no key twice. The first reading of a key may not be among them while a later one is, since
 * that one is as what is stored: it leads then.
 */
function arranged({ order, repeats }: Judgement, rows: ReadonlySet<number>) {
  const leads = new Map<number, number>();
  const later = repeats.flatMap(({ row, first }) => {
    if (!rows.has(row)) return [];
    if (rows.has(first)) return [{ row, first }];
    const lead = leads.get(first);
    if (lead !== undefined) return [{ row, first: lead }];
    leads.set(first, row);
    return [];
  });
  const leading = Array.from(order, (at) => (rows.has(at) ? at : leads.get(at)));
  return { order: Int32Array.from(leading.filter((at) => at !== undefined)), repeats: later };
}

const replacedBy =
  ({ columns }: Judgement) =>
  ({ outcome, at, after, held }: Verdict): Replaced[] =>
    outcome === "replace"
      ? [{ ...held!, sensor_id: after!.sensor_id, timestamp_us: columns.timestamp_us[at!]! }]
      : [];

/** The job of a review that stores readings of one system. */
export function jobFor(
  system_id: string,
  total_readings: number,
  { id, actor }: Decision,
  now_ms: number,
): WriteJob {
  return {
    meta: {
      job_id: newJobId(PARTITION),
      system_id,
      user_id: actor,
      request_id: id,
      total_readings,
      received_at_ms: now_ms,
    },
    stream_entry: `review/${id}`,
    started_at_ms: now_ms,
    error_message: null,
    review_task_id: id,
  };
}
