/**
 * Spans that are recorded, and sent to a collector by OTLP over HTTP. The only module that knows OpenTelemetry's SDK,
 * and loaded only when there is somewhere to send to: it takes 35 ms and 25 MB.
 */
import {
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  type Tracer as SdkTracer,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { SpanQueue } from "./span-queue.ts";
import { type Attributes, passing, type Span, type SpanOptions, type Tracer } from "./trace.ts";
import { RANDOM, SAMPLED, type TraceContext } from "./trace-context.ts";
import type { SpanReport, TraceSettings } from "./trace-settings.ts";

/** What a span may hold: the queue is bounded in spans, and so in bytes. Links: as many as a group has batches. */
const LIMITS = {
  attributeCountLimit: 64,
  attributeValueLengthLimit: 1_024,
  linkCountLimit: 256,
  eventCountLimit: 8,
} as const;

const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

const SAMPLERS: Readonly<Record<string, (share: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (share) => new TraceIdRatioBasedSampler(share),
};
const PARENT_BASED = "parentbased_";

const isParentBased = ({ sampler }: TraceSettings) => sampler.startsWith(PARENT_BASED);

function samplerOf(settings: TraceSettings): Sampler {
  const { sampler, share } = settings;
  if (!isParentBased(settings)) return SAMPLERS[sampler]!(share);
  return new ParentBasedSampler({ root: SAMPLERS[sampler.slice(PARENT_BASED.length)]!(share) });
}

/** @param report hears what became of spans, at most a few times a second */
export function createOtlpTracer(settings: TraceSettings, report: (report: SpanReport) => void): Tracer {
  const exporter = new OTLPTraceExporter({ url: settings.url, headers: { ...settings.headers } });
  const queue = new SpanQueue(exporter, report);
  const provider = new TracerProvider({
    sampler: samplerOf(settings),
    resource: resourceFromAttributes({ ...settings.resource }),
    spanLimits: LIMITS,
    spanProcessors: [queue.processor],
  });
  const tracer = provider.getTracer("hydraulic-ingest", settings.version);
  const obeys = isParentBased(settings);
  return {
    begin(name, parent, options) {
      // As the sampler would decide, for less: most of all spans, where a share of the traces is recorded.
      if (obeys && parent && (parent.flags & SAMPLED) === 0) return passing(parent);
      return begun(tracer, name, parent && contextWith(parent), parent, options);
    },
    close: (deadline_ms) => queue.close(deadline_ms),
  };
}

/** The SDK's view of a context that came from elsewhere. */
function contextWith({ trace_id, span_id, flags, tracestate }: TraceContext): Context {
  const spanContext: SpanContext = {
    traceId: trace_id,
    spanId: span_id,
    traceFlags: flags & SAMPLED,
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: createTraceState(tracestate) }),
  };
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

function begun(
  tracer: SdkTracer,
  name: string,
  within: Context | null,
  parent: TraceContext | null,
  { kind = "internal", attributes, begun_ms }: SpanOptions = {},
): Span {
  const span = tracer.startSpan(
    name,
    {
      kind: KINDS[kind],
      ...(attributes ? { attributes } : {}),
      ...(begun_ms === undefined ? {} : { startTime: begun_ms }),
    },
    within ?? ROOT_CONTEXT,
  );
  const { traceId: trace_id, spanId: span_id, traceFlags } = span.spanContext();
  // Ids that the SDK makes are random as a whole; of others only their maker knows.
  const random = parent ? parent.flags & RANDOM : RANDOM;
  const tracestate = parent?.tracestate;
  const context: TraceContext = {
    trace_id,
    span_id,
    flags: (traceFlags & SAMPLED) | random,
    ...(tracestate === undefined ? {} : { tracestate }),
  };
  return span.isRecording() ? new Recorded(tracer, span, context) : passing(context);
}

class Recorded implements Span {
  readonly recording = true;

  constructor(
    private readonly tracer: SdkTracer,
    private readonly span: SdkSpan,
    readonly context: TraceContext,
  ) {}

  child(name: string, options?: SpanOptions): Span {
    return begun(this.tracer, name, trace.setSpan(ROOT_CONTEXT, this.span), this.context, options);
  }

  did(name: string, begun_ms: number, options?: Omit<SpanOptions, "begun_ms">): void {
    this.child(name, { ...options, begun_ms }).end();
  }

  set(attributes: Attributes): void {
    for (const [name, value] of Object.entries(attributes))
      if (value !== undefined) this.span.setAttribute(name, value);
  }

  rename(name: string): void {
    this.span.updateName(name);
  }

  link(other: Span): void {
    if (other instanceof Recorded) this.span.addLink({ context: other.span.spanContext() });
  }

  fail(error: unknown, type?: string): void {
    const known = error instanceof Error ? error : undefined;
    const message = known?.message ?? String(error);
    if (known) this.span.recordException(known);
    this.span.setAttribute("error.type", type ?? codeOf(known) ?? known?.name ?? "_OTHER");
    this.span.setStatus({
      code: SpanStatusCode.ERROR,
      message: message.slice(0, LIMITS.attributeValueLengthLimit),
    });
  }

  end(): void {
    this.span.end(performance.now());
  }
}

/** SQLSTATE or the system's name of the error. */
function codeOf(error: Error | undefined): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
