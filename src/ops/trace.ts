/**
 * Traces as the rest of the program sees them: spans that are begun, told what became of the work, and ended. Without
 * a place to send them to, nothing is recorded: `NO_TRACER` makes nothing at all, or passes on what a caller sent.
 */
import type { TraceContext } from "./trace-context.ts";

/** Names as OpenTelemetry's semantic conventions have them, or of our own under `hydraulic.`; undefined is left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  /** What the work is towards others; `internal` without it. */
  readonly kind?: "server" | "client" | "producer" | "consumer" | "internal";
  readonly attributes?: Attributes;
  /** When the work began, on the clock of `performance.now()`; now without it. */
  readonly begun_ms?: number;
}

/** One piece of work. Of one that is not recorded, only `context` means anything, and all of it costs nothing. */
export interface Span {
  /** It will be sent when it has ended. What is expensive to tell may be left out otherwise. */
  readonly recording: boolean;
  /** For whoever goes on with the work, and for log lines; null: there is no trace. */
  readonly context: TraceContext | null;
  /** A part of this work, to be ended by itself. */
  child(name: string, options?: SpanOptions): Span;
  /** A part of this work that began at `begun_ms` and has just ended well. */
  did(name: string, begun_ms: number, options?: Omit<SpanOptions, "begun_ms">): void;
  set(attributes: Attributes): void;
  rename(name: string): void;
  /** Name another span that has to do with it, of this trace or not. */
  link(other: Span): void;
  /** The work has failed. @param type the class of the error, of few values; without it the error's own */
  fail(error: unknown, type?: string): void;
  /** Nothing may be told of it afterwards. */
  end(): void;
}

export interface Tracer {
  /** Work that others have asked for, or the first of a new trace. */
  begin(name: string, parent: TraceContext | null, options?: SpanOptions): Span;
  /** Send what has ended, for `deadline_ms` at most; what is left is dropped. Never throws. */
  close(deadline_ms: number): Promise<void>;
}

const nothing = () => undefined;

/** A span that is not recorded, and yet known to those who come after it. */
const unrecorded = (context: TraceContext | null): Span => ({
  recording: false,
  context,
  child() {
    return this;
  },
  did: nothing,
  set: nothing,
  rename: nothing,
  link: nothing,
  fail: nothing,
  end: nothing,
});

/** Work that belongs to no trace. */
export const NO_SPAN: Span = unrecorded(null);

/** Not recorded here. */
export const passing = (context: TraceContext | null): Span =>
  context === null ? NO_SPAN : unrecorded(context);

/** Records nothing. What a caller sent is passed on as it is. */
export const NO_TRACER: Tracer = {
  begin: (_name, parent) => passing(parent),
  close: () => Promise.resolve(),
};

/** Do the work of a span, and end it. @throws what the work throws, which is told to the span */
export async function within<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    span.fail(error);
    throw error;
  } finally {
    span.end();
  }
}

/** Of several pieces of work that are done together, the one that what they share is told of: the first recorded one. */
export const leading = (spans: readonly Span[]): Span => spans.find(({ recording }) => recording) ?? NO_SPAN;

/** A part that several pieces of work share: it belongs to the leading one; the others and it name each other. */
export function shared(spans: readonly Span[], name: string, options?: SpanOptions): Span {
  const lead = leading(spans);
  if (lead === NO_SPAN) return NO_SPAN;
  const part = lead.child(name, options);
  for (const span of spans) {
    if (!span.recording || span === lead) continue;
    part.link(span);
    span.link(part);
  }
  return part;
}
