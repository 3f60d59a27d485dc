/**
 * Spans between their end and the collector: a bounded number, sent in batches, and counted whatever becomes of them.
 * Nobody ever waits for it, but who closes it.
 */
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace";
import { withDeadline } from "./retry.ts";
import type { SpanReport } from "./trace-settings.ts";

/** Spans that may wait; beyond them new ones are dropped. About 2 KB each at most. */
export const MAX_WAITING = 2_048;
const BATCH = 512;
/** From a span's end until it is sent, unless `BATCH` are there before. */
const SEND_EVERY_MS = 1_000;
/** Of ExportResult: the enumeration lies in a package that nothing else needs. */
const SUCCESS = 0;

export class SpanQueue {
  readonly #batches: BatchSpanProcessor;
  /** Ended and not handed to the exporter. */
  #waiting = 0;
  /** Handed to the exporter, which has not said what became of them. */
  #sending = 0;
  /** Dropped since the last report. */
  #overflowed = 0;
  /** What was sent has been counted as lost. */
  #isClosed = false;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly report: (report: SpanReport) => void,
  ) {
    this.#batches = new BatchSpanProcessor({
      exporter: this.#counted(),
      maxQueueSize: MAX_WAITING,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: SEND_EVERY_MS,
    });
  }

  /** For a tracer provider. */
  readonly processor: SpanProcessor = {
    onStart: () => undefined,
    onEnd: (span) => this.#take(span),
    forceFlush: () => this.#batches.forceFlush(),
    shutdown: () => this.#batches.shutdown(),
  };

  /** Send what is waiting, for `deadline_ms` at most; the rest is counted as dropped. Never throws. */
  async close(deadline_ms: number): Promise<void> {
    const sent = this.#batches.shutdown();
    // After the deadline nobody hears it.
    sent.catch(() => undefined);
    await withDeadline(sent, deadline_ms, "sending the last spans").catch(() => undefined);
    const lost = this.#waiting + this.#sending + this.#overflowed;
    if (lost > 0) this.#tell({ overflowed: lost });
    this.#waiting = 0;
    this.#isClosed = true;
  }

  /** The processor has the same bound, and would not tell what it drops. */
  #take(span: ReadableSpan): void {
    if (this.#waiting >= MAX_WAITING || this.#isClosed) {
      this.#overflowed += 1;
      return;
    }
    this.#waiting += 1;
    this.#batches.onEnd(span);
  }

  #counted(): SpanExporter {
    return {
      export: (spans, done) => {
        this.#waiting -= spans.length;
        this.#sending += spans.length;
        this.exporter.export(spans, (result) => {
          this.#sending -= spans.length;
          if (!this.#isClosed) this.#tell(newsOf(result, spans.length));
          done(result);
        });
      },
      forceFlush: () => this.exporter.forceFlush?.() ?? Promise.resolve(),
      shutdown: () => this.exporter.shutdown(),
    };
  }

  #tell(news: Partial<SpanReport>): void {
    const overflowed = this.#overflowed;
    this.#overflowed = 0;
    this.report({ exported: 0, refused: 0, error: null, overflowed, ...news });
  }
}

function newsOf({ code, error }: { code: number; error?: Error }, spans: number): Partial<SpanReport> {
  return code === SUCCESS
    ? { exported: spans }
    : { refused: spans, error: error?.message ?? "it gave no reason" };
}
