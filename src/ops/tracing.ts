/** Opens the tracer of a process. */
import { NO_TRACER, type Tracer } from "./trace.ts";
import type { SpanReport, TraceSettings } from "./trace-settings.ts";

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
