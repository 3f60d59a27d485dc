/** Wires traces: the tracer of the main thread, and what the ingest threads need for theirs. */
import type { Registry } from "prom-client";
import packageFile from "../../package.json" with { type: "json" };
import type { Config } from "../config/variables.ts";
import { systemClock } from "../ops/clock.ts";
import type { Logger } from "../ops/log.ts";
import type { Tracer } from "../ops/trace.ts";
import type { SpanReport, TraceSettings } from "../ops/trace-settings.ts";
import { TraceWatch } from "../ops/trace-watch.ts";
import { openTracer } from "../ops/tracing.ts";
import type { Stopping } from "./stopping.ts";

/** How traces are made in this process. */
export interface Tracing {
  readonly tracer: Tracer;
  /** For threads; null: none are made. */
  readonly settings: TraceSettings | null;
  /** Hears what became of the threads' spans. */
  readonly hear: (report: SpanReport) => void;
}

interface TracingDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Registry;
  readonly stopping: Stopping;
  /** Unique for this life of the process. */
  readonly processName: string;
}

/** The last spans are of the stop itself: they are sent after everything that makes some, for so long, ms. */
const LAST_SPANS_MS = 2_000;

/** Without a collector it does nothing, and no metric is there. */
export async function startTracing({
  config,
  log,
  metrics,
  stopping,
  processName,
}: TracingDeps): Promise<Tracing> {
  const settings = traceSettings(config, processName);
  const hear = settings === null ? () => undefined : new TraceWatch(metrics, systemClock, log).hear;
  const tracer = await openTracer(settings, hear);
  if (settings !== null) {
    stopping.last("traces", (left_ms) => tracer.close(Math.min(LAST_SPANS_MS, left_ms / 2)));
    log.info(
      { to: shownUrl(settings.url), sampler: settings.sampler, share: settings.share },
      "traces are sent",
    );
  }
  return { tracer, settings, hear };
}

/** Null: there is no collector, and nothing is recorded. */
function traceSettings(config: Config, instance: string): TraceSettings | null {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: whole } = config;
  const url = whole ?? (base && `${base.replace(/\/$/, "")}/v1/traces`);
  if (url === undefined) return null;
  return {
    url,
    headers: config.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    resource: {
      "service.version": packageFile.version,
      "service.instance.id": instance,
      ...config.OTEL_RESOURCE_ATTRIBUTES,
      "service.name": config.OTEL_SERVICE_NAME,
    },
    version: packageFile.version,
    sampler: config.OTEL_TRACES_SAMPLER,
    share: config.OTEL_TRACES_SAMPLER_ARG,
  };
}

/** Without what may be secret in it. */
function shownUrl(text: string): string {
  const { origin, pathname } = new URL(text);
  return origin + pathname;
}
