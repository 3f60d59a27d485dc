/**
 * One import: rows are read, batched and delivered with a few batches under way; results are taken in the
 * order of the file. Memory holds at most that many batches, however large the file.
 */
import { type RefusalReason, StoppedError } from "../../client/index.ts";
import { isFeedError } from "../errors.ts";
import { reasonOf } from "../options.ts";
import { BatchBuilder, type ImportBatch, importKey } from "./batch.ts";
import { type Delivery, type DeliveryRun, deliver, linesOf } from "./delivery.ts";
import type { Mapping } from "./mapping.ts";
import { createRowReader, type RowReader, type RowSink } from "./readings.ts";
import { type Finding, type FindingLog, ImportCounts } from "./report.ts";
import { openSource, type SourceFile } from "./source.ts";
import { type BrokenLines, detectDelimiter, tableRows } from "./table.ts";

export interface ImportRun extends DeliveryRun {
  readonly source: SourceFile;
  readonly mapping: Mapping;
  readonly system_id: string;
  /** Readings per request. */
  readonly batch_size: number;
  /** Batches under way at a time. */
  readonly concurrency: number;
  readonly findings: FindingLog;
  /** Told once, when the header has been read. */
  readonly onHeader: (reader: RowReader) => void;
  /** No further batches. */
  readonly stop: AbortSignal;
}

type Outcome = { readonly delivery: Delivery } | { readonly error: unknown; readonly batch: ImportBatch };

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
  #read_bytes = 0;

  constructor(run: ImportRun) {
    this.#run = run;
    this.#builder = new BatchBuilder(run.system_id, run.batch_size);
    this.#key = importKey(run.source.sha256, run.mapping, run.system_id, run.batch_size);
  }

  /** Share of the file that has been read, 0-1. */
  get shareRead(): number {
    return this.#read_bytes / Math.max(1, this.#run.source.bytes);
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
    const bytes = openSource(source, (read_bytes) => {
      this.#read_bytes = read_bytes;
    });
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
      deliver(this.#run, this.#key, batch).then(
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
}
