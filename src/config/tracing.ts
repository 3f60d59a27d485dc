/** The variables of traces: OpenTelemetry's own names, as far as this program follows them. */
import { choice, pairs, share, text } from "./kinds.ts";

const URL_PATTERN = /^https?:\/\/[^\s/]\S*$/;
const optional: string | undefined = undefined;

export const TRACING_VARIABLES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: text(
    optional,
    "Collector that traces are sent to by OTLP over HTTP; /v1/traces is added. Empty, and the next one too: none are made",
    "an http:// or https:// URL",
    URL_PATTERN,
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: text(
    optional,
    "The same with its whole path, instead of the one before",
    "an http:// or https:// URL",
    URL_PATTERN,
  ),
  OTEL_EXPORTER_OTLP_HEADERS: pairs("Headers of what is sent to the collector, such as a key for it"),
  OTEL_SERVICE_NAME: text(
    "hydraulic-ingest",
    "Name of this service in traces",
    "a text of 1 to 255 characters",
    /^\S.{0,254}$/,
  ),
  OTEL_RESOURCE_ATTRIBUTES: pairs(
    "What is told of this process in traces, such as deployment.environment.name",
  ),
  OTEL_TRACES_SAMPLER: choice(
    "parentbased_always_on",
    "Which traces are recorded. parentbased: as the caller says, if it sends a traceparent",
    [
      "always_on",
      "always_off",
      "traceidratio",
      "parentbased_always_on",
      "parentbased_always_off",
      "parentbased_traceidratio",
    ],
  ),
  OTEL_TRACES_SAMPLER_ARG: share(1, "Share of the traces that are recorded, with the samplers traceidratio"),
} as const;
