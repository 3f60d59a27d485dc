/**
 * One import: rows are read, batched and delivered with a few batches under way; results are taken in the
 * order of the file. Memory holds at most that many batches, however large the file.
 */
import {
  type HydraulicClient,
  type RefusalReason,
  StoppedError,
  UnexpectedAnswerError,
} from "../../client/index.ts";
import { isFeedError } from "../errors.ts";
import { reasonOf } from "../options.ts";
import { BatchBuilder, type ImportBatch, importKey } from "./batch.ts";
import type { Mapping } from "./mapping.ts";
import { createRowReader, type RowReader, type RowSink } from "./readings.ts";
import { type Finding, type FindingLog, ImportCounts } from "./report.ts";
import { openSource, type SourceFile } from "./source.ts";
import { type BrokenLines, detectDelimiter, tableRows } from "./table.ts";

export interface ImportRun {
  readonly source: SourceFile;
  readonly mapping: Mapping;
  readonly system_id: string;
  readonly client: HydraulicClient;
  /** Readings per request. */
  readonly batch_size: number;
  /** Batches under way at a time. */
  readonly concurrency: number;
  /** How long a job may take, ms. */
  readonly wait_ms: number;
  readonly findings: FindingLog;
  /** Told once, when the header has been read. */
  readonly onHeader: (reader: RowReader) => void;
  /** Told how many bytes of the file have been read. */
  readonly onRead: (bytes: number) => void;
  /** No further batches. */
  readonly stop: AbortSignal;
  /** Nothing further at all. */
  readonly abandon: AbortSignal;
}

interface Delivery {
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
type Outcome = { readonly delivery: Delivery } | { readonly error: unknown; readonly batch: ImportBatch };

/** Earlier failed jobs of one batch that are stepped over before the import gives up on it. */
const MAX_FAILED_BEFORE = 50;

export class Import {
  readonly counts = new ImportCounts();
  /** Why the import did not reach the end of the file; empty when it did. */
  readonly failures: string[] = [];
  readonly #run: ImportRun;
  readonly #builder: BatchBuilder;
  readonly #key: string;
  /** In the order of the file. */
  readonly #under_way: Promise<Outcome>[] = [];
  /** Found while reading, not yet logged. */
  #found: Finding[] = [];
  #full: ImportBatch[] = [];

  constructor(run: ImportRun) {
    this.#run = run;
    this.#builder = new BatchBuilder(run.system_id, run.batch_size);
    this.#key = importKey(run.source.sha256, run.mapping, run.system_id, run.batch_size);
  }

  /** True when the import must not go on: stopped, or a batch could not be delivered. */
  get #ended(): boolean {
    return this.#run.stop.aborted || this.failures.length > 0;
  }

  /**
   * Import the file. Batches that fail end it; they are in `failures`, as is damage of the file.
   * @throws {UsageError} when mapping and header do not fit
   */
  async run(): Promise<void> {
    try {
      await this.#readAll();
    } catch (error) {
      if (!isFeedError(error) || this.counts.rows === 0) throw error;
      this.failures.push(reasonOf(error));
    } finally {
      while (this.#under_way.length > 0) await this.#settleFirst();
    }
    await this.#logFound();
  }

  async #readAll(): Promise<void> {
    const { source, mapping } = this.#run;
    const delimiter = mapping.delimiter ?? detectDelimiter(source.first_line);
    const bytes = openSource(source, this.#run.onRead);
    let reader: RowReader | null = null;
    const sink = this.#sink();
    for await (const row of tableRows(bytes, delimiter, this.counts, (lines) => this.#broken(lines))) {
      if (reader === null) {
        reader = createRowReader(mapping, row.cells, this.#run.system_id);
        this.#run.onHeader(reader);
        continue;
      }
      this.counts.rows += 1;
      reader.read(row, this.counts.rows, sink);
      if (this.#found.length > 0) await this.#logFound();
      for (const batch of this.#full.splice(0)) await this.#offer(batch);
      if (this.#ended) return;
    }
    const rest = this.#builder.rest();
    if (rest) await this.#offer(rest);
  }

  #sink(): RowSink {
    return {
      reading: (placed) => {
        const batch = this.#builder.add(placed);
        if (batch) this.#full.push(batch);
      },
      emptyCell: () => {
        this.counts.empty_cells += 1;
      },
      unreadable: ({ line, column, details, cells }) => {
        this.counts.unreadable_cells += cells;
        if (column === null) this.counts.unreadable_lines += 1;
        this.#found.push({ line, last_line: line, column, reason: "unreadable", details });
      },
    };
  }

  #broken({ line, last_line, details }: BrokenLines): void {
    this.counts.unreadable_lines += last_line - line + 1;
    this.#found.push({ line, last_line, column: null, reason: "unreadable", details });
  }

  async #logFound(): Promise<void> {
    for (const finding of this.#found.splice(0)) await this.#run.findings.add(finding);
  }

  async #offer(batch: ImportBatch): Promise<void> {
    if (this.#under_way.length >= this.#run.concurrency) await this.#settleFirst();
    if (this.#ended) return;
    this.counts.batches += 1;
    this.counts.readings += batch.readings;
    this.#under_way.push(
      this.#deliver(batch).then(
        (delivery) => ({ delivery }),
        (error: unknown) => ({ error, batch }),
      ),
    );
  }

  async #settleFirst(): Promise<void> {
    const outcome = await this.#under_way.shift();
    if (outcome === undefined) return;
    if ("error" in outcome) {
      if (!isFeedError(outcome.error)) throw outcome.error;
      const stopped = outcome.error instanceof StoppedError;
      this.failures.push(stopped ? `${linesOf(outcome.batch)} were under way` : reasonOf(outcome.error));
      return;
    }
    const { delivery } = outcome;
    const { counts } = this;
    counts.delivered += delivery.batch.readings;
    counts.inserted += delivery.inserted;
    counts.duplicate += delivery.duplicate;
    counts.quarantined += delivery.quarantined;
    counts.replayed_batches += delivery.replayed ? 1 : 0;
    for (const [reason, n] of Object.entries(delivery.by_reason) as [RefusalReason, number][]) {
      counts.by_reason[reason] = (counts.by_reason[reason] ?? 0) + n;
    }
    for (const finding of delivery.findings) await this.#run.findings.add(finding);
    if (delivery.failure !== null) {
      counts.failed_jobs += 1;
      this.failures.push(`the job of ${linesOf(delivery.batch)} failed: ${delivery.failure}`);
    }
  }

  /**
   * Send a batch and follow its job to the end. An earlier import may have brought it; if its job failed then,
   * the batch is sent anew under a key of its own, or it could never be brought again.
   */
  async #deliver(batch: ImportBatch): Promise<Delivery> {
    const { client, wait_ms, abandon } = this.#run;
    const label = `the batch of ${linesOf(batch)}`;
    let idempotency_key = `${this.#key}-${batch.number}`;
    for (let turn = 0; turn <= MAX_FAILED_BEFORE; turn += 1) {
      const { job_id, replayed } = await client.send(batch.body, { idempotency_key, label, signal: abandon });
      const job = await client.waitForJob(job_id, { deadline_ms: wait_ms, signal: abandon });
      const failed = job.status === "failed";
      if (replayed && failed) {
        idempotency_key = `${this.#key}-${batch.number}-${job_id}`;
        continue;
      }
      const refused = job.quarantined_readings > 0 ? await this.#quarantineOf(job_id, batch) : NONE_REFUSED;
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

  async #quarantineOf(job_id: string, batch: ImportBatch): Promise<Pick<Delivery, "by_reason" | "findings">> {
    const { client, abandon } = this.#run;
    const findings: Finding[] = [];
    for (let after: number | null = null; ; ) {
      const page = await client.quarantinePage(job_id, after, { signal: abandon });
      for (const { ordinal, reason, reason_details } of page.items) {
        const line = batch.lines[ordinal];
        if (line === undefined) {
          throw new UnexpectedAnswerError(
            `job ${job_id} quarantined reading ${ordinal} of ${batch.readings}`,
          );
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
}

const NONE_REFUSED = { by_reason: {}, findings: [] } as const;

function linesOf({ lines }: ImportBatch): string {
  return `lines ${lines[0]}-${lines.at(-1)}`;
}
