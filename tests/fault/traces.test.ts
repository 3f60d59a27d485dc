/** A collector that is away, slow or gone costs spans and nothing else; a stop sends the last ones. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { MAX_WAITING } from "../../src/ops/span-queue.ts";
import type { SpanReport } from "../../src/ops/trace-settings.ts";
import { openTracer } from "../../src/ops/tracing.ts";
import { choosePort } from "../../src/services/free-port.ts";
import { type Batch, BatchSource, randomFrom, seedOf } from "../support/fault/batches.ts";
import { type Collector, startCollector } from "../support/otlp/collector.ts";
import { lineOf, linesOf, metric, newCaller, only, untilMetric } from "../support/otlp/traced.ts";
import { Stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const TEST_MS = 240_000;
const GRACE_MS = 4_000;
/** Starting, stopping and noticing on a busy machine. */
const SLACK_MS = 15_000;
/** For a stop that has all it needs. */
const PATIENT_MS = 30_000;
const AWAY = "the collector takes no traces: spans are dropped";
const DROPPED = 'hydraulic_trace_spans_dropped_total{reason="refused"}';
const seed = seedOf("traces");
let collector: Collector;
let stack: Stack;

beforeEach(async () => {
  collector = startCollector();
  stack = await Stack.create({ SHUTDOWN_GRACE_MS: String(GRACE_MS) });
}, TEST_MS);
afterEach(async () => {
  await stack.close();
  await collector.close();
}, TEST_MS);

const settings = (url: string) => ({
  url: `${url}/v1/traces`,
  headers: {},
  resource: {},
  version: "0",
  sampler: "always_on" as const,
  share: 1,
});

const send = (url: string, token: string, { body }: Batch, headers: Record<string, string>) =>
  fetch(`${url}/api/v1/data/ingest`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}`, ...headers },
    body,
  });

test(
  "a stop sends what has just ended: the whole trace of the last batch is there",
  async () => {
    const program = await stack.start("all", {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      SHUTDOWN_GRACE_MS: String(PATIENT_MS),
    });
    const batch = new BatchSource(randomFrom(seed), 100).next();
    // Its job has ended when the answer comes, and its spans are as new as they can be.
    const response = await send(program.url, await stack.login(), batch, { Prefer: "wait=10" });
    expect(response.status).toBe(200);
    const { job_id } = (await response.json()) as { job_id: string };
    program.signal("SIGTERM");
    expect(await program.end(PATIENT_MS + SLACK_MS)).toEqual({ code: 0, signal: null });
    const request = collector.spans.find(
      ({ kind, attributes }) => kind === "server" && attributes["hydraulic.job_id"] === job_id,
    )!;
    const trace = collector.spans.filter(({ trace_id }) => trace_id === request.trace_id);
    for (const name of ["send ingest", "process ingest", "transaction", "COMMIT", "settle ingest"])
      only(trace, name);
    await stack.reckoning.expectExactly(new Map([[job_id, batch]]));
  },
  TEST_MS,
);

test(
  "a collector that refuses everything: batches are stored, spans are counted, one line says so",
  async () => {
    collector.answer(400);
    const program = await stack.start("all", { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const load = await stack.load(seed);
    await until("the collector was asked", () => collector.requests.length >= 6);
    await untilMetric(program.url, DROPPED, (spans) => spans > 100);
    await load.stop();
    await stack.settle(load);
    expect(linesOf(program, AWAY)).toHaveLength(1);
    expect(await metric(program.url, "hydraulic_trace_spans_exported_total")).toBe(0);
  },
  TEST_MS,
);

test(
  "a collector that never answers holds up neither batches nor the stop",
  async () => {
    collector.answer(null);
    const program = await stack.start("all", { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const load = await stack.load(seed);
    await until("the collector was asked", () => collector.requests.length > 0);
    await until("many batches are accepted", () => load.accepted.size > 100);
    await load.stop();
    await stack.settle(load);
    const begin_ms = performance.now();
    program.signal("SIGTERM");
    expect((await program.end(GRACE_MS + SLACK_MS)).code).toBe(0);
    expect(performance.now() - begin_ms).toBeLessThan(GRACE_MS + SLACK_MS);
  },
  TEST_MS,
);

test(
  "nobody listens where the collector should be: more spans than may wait are dropped and counted, each of them",
  async () => {
    const port = await choosePort(undefined, []);
    const reports: SpanReport[] = [];
    const tracer = await openTracer(settings(`http://127.0.0.1:${port}`), (report) => reports.push(report));
    const SPANS = 3 * MAX_WAITING;
    for (let n = 0; n < SPANS; n += 1) tracer.begin("span", null).end();
    const begin_ms = performance.now();
    await tracer.close(300);
    expect(performance.now() - begin_ms).toBeLessThan(20_000);
    const lost = reports.reduce((sum, { overflowed, refused }) => sum + overflowed + refused, 0);
    expect(lost).toBe(SPANS);
    tracer.begin("after the end", null).end();
    expect(reports.reduce((sum, { exported }) => sum + exported, 0)).toBe(0);
  },
  TEST_MS,
);

test(
  "without a collector nothing is made, and yet the log lines of API and worker name the caller's trace",
  async () => {
    const api = await stack.start("api", { LOG_LEVEL: "debug" });
    const worker = await stack.start("worker");
    const { trace_id, traceparent } = newCaller();
    const batch = new BatchSource(randomFrom(seed), 10).next();
    const response = await send(api.url, await stack.login(), batch, { traceparent });
    const { job_id } = (await response.json()) as { job_id: string };
    expect((await lineOf(worker, "job completed", job_id)).trace_id).toBe(trace_id);
    expect((await lineOf(api, "request", job_id)).trace_id).toBe(trace_id);
    // The log-in, before it.
    expect(linesOf(api, "request").some((line) => line.trace_id === undefined)).toBe(true);
    expect(await (await fetch(`${api.url}/metrics`)).text()).not.toContain("hydraulic_trace");
    expect(collector.requests).toEqual([]);
  },
  TEST_MS,
);
