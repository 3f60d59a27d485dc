/** Spans as they come to a collector (opentelemetry-proto, trace/v1). */
import { Fields } from "./protobuf.ts";

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SentSpan {
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  readonly trace_id: string;
  readonly span_id: string;
  /** Empty: it has none. */
  readonly parent_id: string;
  readonly tracestate: string;
  readonly start_ms: number;
  readonly end_ms: number;
  readonly attributes: Attributes;
  readonly links: readonly { readonly trace_id: string; readonly span_id: string }[];
  /** Names and messages of its events. */
  readonly events: readonly Attributes[];
  readonly isError: boolean;
  readonly message: string;
  /** Of the process. */
  readonly resource: Attributes;
}

const KINDS = ["internal", "internal", "server", "client", "producer", "consumer"] as const;
const ERROR = 2;

function attributeValue(any: Fields): string | number | boolean {
  if (any.has(2)) return any.number(2) === 1;
  if (any.has(3)) return any.number(3);
  if (any.has(4)) return any.double(4);
  return any.text(1);
}

const attributesOf = (pairs: readonly Fields[]): Attributes =>
  Object.fromEntries(pairs.map((pair) => [pair.text(1), attributeValue(pair.messages(2)[0]!)]));

function spanOf(span: Fields, resource: Attributes): SentSpan {
  const status = span.messages(15)[0];
  return {
    name: span.text(5),
    kind: KINDS[span.number(6)]!,
    trace_id: span.hex(1),
    span_id: span.hex(2),
    parent_id: span.hex(4),
    tracestate: span.text(3),
    start_ms: span.number(7) / 1e6,
    end_ms: span.number(8) / 1e6,
    attributes: attributesOf(span.messages(9)),
    links: span.messages(13).map((link) => ({ trace_id: link.hex(1), span_id: link.hex(2) })),
    events: span.messages(11).map((event) => attributesOf(event.messages(3))),
    isError: status?.number(3) === ERROR,
    message: status?.text(2) ?? "",
    resource,
  };
}

/** The spans of an ExportTraceServiceRequest. */
export function readSpans(body: Buffer): SentSpan[] {
  return new Fields(body).messages(1).flatMap((group) => {
    const resource = attributesOf(group.messages(1)[0]?.messages(1) ?? []);
    return group.messages(2).flatMap((scope) => scope.messages(2).map((span) => spanOf(span, resource)));
  });
}
