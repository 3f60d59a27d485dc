/** How a process traces, and what it tells of the spans that it has sent. Plain data: threads get it, too. */

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
