/** What becomes of the spans of a process: counted for Prometheus, and told when the collector fails and when it is back. */
import { Counter, type Registry } from "prom-client";
import type { Clock } from "./clock.ts";
import type { Logger } from "./log.ts";
import type { SpanReport } from "./trace-settings.ts";

/** Without a failure for so long, the collector counts as back: one that takes every other batch is told of once. */
const SOUND_AFTER_MS = 30_000;

export class TraceWatch {
  readonly #exported: Counter;
  readonly #dropped: Counter<"reason">;
  #failed_ms: number | null = null;

  /** Adds its metrics to `registry`. */
  constructor(
    registry: Registry,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    const registers = [registry];
    this.#exported = new Counter({
      name: "hydraulic_trace_spans_exported_total",
      help: "Spans that the collector has taken",
      registers,
    });
    this.#dropped = new Counter({
      name: "hydraulic_trace_spans_dropped_total",
      help: "Spans that were lost: overflow, when too many were waiting, or refused, when the collector did not take them",
      labelNames: ["reason"],
      registers,
    });
  }

  /** For the main thread's spans and those of its ingest threads. */
  readonly hear = ({ exported, overflowed, refused, error }: SpanReport): void => {
    this.#exported.inc(exported);
    this.#dropped.inc({ reason: "overflow" }, overflowed);
    this.#dropped.inc({ reason: "refused" }, refused);
    const now_ms = this.clock.monotonic_ms();
    if (error !== null) {
      if (this.#failed_ms === null)
        this.log.warn({ reason: error }, "the collector takes no traces: spans are dropped");
      this.#failed_ms = now_ms;
    } else if (exported > 0 && this.#failed_ms !== null && now_ms - this.#failed_ms >= SOUND_AFTER_MS) {
      this.#failed_ms = null;
      this.log.info("the collector takes traces again");
    }
  };
}
