/** From verdicts to what the writer takes: one job for each system of the portion, linked to the review. */
import { newJobId } from "../contract/job-id.ts";
import type { Decision } from "../store/review/tasks.ts";
import type { WriteGroup, WriteJob } from "../store/writer.ts";
import type { Replaced } from "../store/writer-readings.ts";
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
  const { columns, order, repeats, registrations, systems, sent } = judgement;
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
      order: order.filter((at) => rows.has(at)),
      repeats: repeats.filter(({ row }) => rows.has(row)),
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

const replacedBy =
  ({ columns }: Judgement) =>
  ({ outcome, at, after, held }: Verdict): Replaced[] =>
    outcome === "replace"
      ? [{ sensor_id: after!.sensor_id, timestamp_us: columns.timestamp_us[at!]!, value: held!.value }]
      : [];

function jobFor(
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
