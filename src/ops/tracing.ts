/** Where spans are sent to, and what became of them. */
import { NO_TRACER, type Tracer } from "./trace.ts";

/** Plain data: threads get it, too. */
export interface TraceSettings {
  /** Of the collector, the path included. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What all spans of the process have in common; `service.name` among them. */
  readonly resource: Readonly<Record<string, string>>;
  /** Of this program. */
  readonly version: string;
  readonly sampler: TraceSampler;
  /** Of the traces that begin here; for the samplers that go by a ratio. */
  readonly share: number;
}

type RootSampler = "always_on" | "always_off" | "traceidratio";
/** OpenTelemetry's names. */
export type TraceSampler = RootSampler | `parentbased_${RootSampler}`;

/** Spans since the report before. */
export interface SpanReport {
  readonly exported: number;
  /** Not sent, because too many were waiting. */
  readonly overflowed: number;
  /** Sent and not taken. */
  readonly refused: number;
  /** Why the collector did not take the last ones; null when it did, or when nothing was sent. */
  readonly error: string | null;
}

/**
 * A tracer, or one that does nothing without settings; then nothing of OpenTelemetry is loaded.
 * @param report hears what became of spans
 */
export async function openTracer(
  settings: TraceSettings | null,
  report: (report: SpanReport) => void,
): Promise<Tracer> {
  if (settings === null) return NO_TRACER;
  const { createOtlpTracer } = await import("./otlp.ts");
  return createOtlpTracer(settings, report);
}
