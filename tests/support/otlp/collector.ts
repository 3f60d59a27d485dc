/** A collector of traces on loopback: takes OTLP over HTTP, decodes it, and answers as it is told. */
import { until } from "../until.ts";
import { readSpans, type SentSpan } from "./spans.ts";

export interface Collector {
  /** Without a path. */
  readonly url: string;
  readonly port: number;
  readonly spans: SentSpan[];
  /** Requests so far, their headers. */
  readonly requests: Headers[];
  /** Its answers from now on; default 200. Null: it takes requests and never answers. */
  answer(status: number | null): void;
  /** Spans of one trace, once there are those that `names` says. */
  trace(trace_id: string, names: readonly string[]): Promise<SentSpan[]>;
  close(): Promise<void>;
}

/** @param port default: any free one */
export function startCollector(port = 0): Collector {
  const spans: SentSpan[] = [];
  const requests: Headers[] = [];
  let status: number | null = 200;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    idleTimeout: 0,
    async fetch(request) {
      requests.push(request.headers);
      const isTraces = request.method === "POST" && new URL(request.url).pathname === "/v1/traces";
      if (!isTraces || request.headers.get("Content-Type") !== "application/x-protobuf")
        return new Response(null, { status: 404 });
      const body = Buffer.from(await request.arrayBuffer());
      if (status === null) return new Promise<Response>(() => undefined);
      if (status === 200) spans.push(...readSpans(body));
      return new Response(null, { status });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port!,
    spans,
    requests,
    answer(next) {
      status = next;
    },
    trace: (trace_id, names) =>
      until(`the trace has ${names.join(", ")}`, () => {
        const found = spans.filter((span) => span.trace_id === trace_id);
        return names.every((name) => found.some((span) => span.name === name)) ? found : undefined;
      }),
    close: () => server.stop(true),
  };
}
