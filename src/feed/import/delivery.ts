/** One batch of an import: sent, followed to the end of its job, and where its refused readings stand in the file. */
import { type HydraulicClient, type RefusalReason, UnexpectedAnswerError } from "../../client/index.ts";
import type { ImportBatch } from "./batch.ts";
import type { Finding } from "./report.ts";

export interface DeliveryRun {
  readonly client: HydraulicClient;
  /** How long a job may take, ms. */
  readonly wait_ms: number;
  /** Nothing further at all. */
  readonly abandon: AbortSignal;
}

/** What became of a batch. */
export interface Delivery {
  readonly batch: ImportBatch;
  readonly replayed: boolean;
  readonly inserted: number;
  readonly duplicate: number;
  readonly quarantined: number;
  readonly by_reason: Readonly<Partial<Record<RefusalReason, number>>>;
  readonly findings: readonly Finding[];
  /** Why the job failed, or null. */
  readonly failure: string | null;
}

/** Earlier failed jobs of one batch that are stepped over before the import gives up on it. */
const MAX_FAILED_BEFORE = 50;
const NONE_REFUSED = { by_reason: {}, findings: [] } as const;

/**
 * Send a batch and follow its job to the end. An earlier import may have brought it; if its job failed then,
 * the batch is sent anew under a key of its own, or it could never be brought again.
 * @param key of the import, which the batches' keys are made from
 * @throws {UnexpectedAnswerError} and the other errors of the client
 */
export async function deliver(run: DeliveryRun, key: string, batch: ImportBatch): Promise<Delivery> {
  const { client, wait_ms, abandon } = run;
  const label = `the batch of ${linesOf(batch)}`;
  let idempotency_key = `${key}-${batch.number}`;
  for (let turn = 0; turn <= MAX_FAILED_BEFORE; turn += 1) {
    const { job_id, replayed } = await client.send(batch.body, { idempotency_key, label, signal: abandon });
    const job = await client.waitForJob(job_id, { deadline_ms: wait_ms, signal: abandon });
    const failed = job.status === "failed";
    if (replayed && failed) {
      idempotency_key = `${key}-${batch.number}-${job_id}`;
      continue;
    }
    const refused = job.quarantined_readings > 0 ? await quarantineOf(run, job_id, batch) : NONE_REFUSED;
    return {
      batch,
      replayed,
      inserted: job.inserted_readings,
      duplicate: job.duplicate_readings,
      quarantined: job.quarantined_readings,
      ...refused,
      failure: failed ? (job.error_message ?? "no reason given") : null,
    };
  }
  throw new UnexpectedAnswerError(
    `${label} has failed in ${MAX_FAILED_BEFORE} earlier imports: look at its jobs`,
  );
}

async function quarantineOf(
  run: DeliveryRun,
  job_id: string,
  batch: ImportBatch,
): Promise<Pick<Delivery, "by_reason" | "findings">> {
  const { client, abandon } = run;
  const findings: Finding[] = [];
  for (let after: number | null = null; ; ) {
    const page = await client.quarantinePage(job_id, after, { signal: abandon });
    for (const { ordinal, reason, reason_details } of page.items) {
      const line = batch.lines[ordinal];
      if (line === undefined) {
        throw new UnexpectedAnswerError(`job ${job_id} quarantined reading ${ordinal} of ${batch.readings}`);
      }
      const column = batch.columns[ordinal]!;
      findings.push({ line, last_line: line, column, reason, details: reason_details ?? "" });
    }
    if (page.next === null) return { by_reason: page.counts, findings };
    if (after !== null && page.next <= after) {
      throw new UnexpectedAnswerError(`the quarantine of job ${job_id} does not get on beyond ${after}`);
    }
    after = page.next;
  }
}

/** For people: where a batch stands in the file. */
export function linesOf({ lines }: ImportBatch): string {
  return `lines ${lines[0]}-${lines.at(-1)}`;
}
