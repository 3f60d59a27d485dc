/** A batch is one trace from the caller's request to the acknowledgement, with the right parents and figures. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Program } from "../../support/fault/program.ts";
import { type Collector, startCollector } from "../../support/otlp/collector.ts";
import type { SentSpan } from "../../support/otlp/spans.ts";
import { lineOf, newCaller, only, untilMetric } from "../../support/otlp/traced.ts";
import { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";

const TEST_MS = 180_000;
const SYSTEM_ID = "550e8400-e29b-41d4-a716-446655440000";
const WHOLE = [
  "POST /api/v1/data/ingest",
  "send ingest",
  "process ingest",
  "decode",
  "rules",
  "transaction",
  "COPY diagnostics_sensordata",
  "COPY diagnostics_quarantined_reading",
  "COMMIT",
  "settle ingest",
];

const START_MS = Date.now() - 3_600_000;
let second = 0;
/** Two good readings, and one of 900 bar. */
const batch = () => ({
  system_id: SYSTEM_ID,
  readings: [100, 101, 900].map((value) => ({
    sensor_id: "550e8400-e29b-41d4-a716-446655440001",
    timestamp: new Date(START_MS + second++ * 1000).toISOString(),
    value,
    unit: "bar",
  })),
});

describe.each([
  ["in one process", ["all"]],
  ["in two processes", ["api", "worker"]],
] as const)("%s", (_, roles) => {
  let collector: Collector;
  let stack: Stack;
  let token: string;
  let programs: Program[];

  beforeAll(async () => {
    collector = startCollector();
    stack = await Stack.create({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: "api-key=rig%2042",
      OTEL_SERVICE_NAME: "rigs",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=bench",
      LOG_LEVEL: "debug",
    });
    programs = [];
    for (const role of roles) programs.push(await stack.start(role));
    token = await stack.login();
  }, TEST_MS);
  afterAll(async () => {
    await stack.close();
    await collector.close();
  }, TEST_MS);

  const send = (headers: Record<string, string>, body: unknown = batch()) =>
    fetch(`${stack.url}/api/v1/data/ingest?wait=no`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(body),
    });
  const jobOf = async (response: Response) => {
    expect(response.status).toBe(202);
    return ((await response.json()) as { job_id: string }).job_id;
  };
  const parents = (spans: readonly SentSpan[]) =>
    Object.fromEntries(
      spans.map(({ name, parent_id }) => [
        name,
        spans.find(({ span_id }) => span_id === parent_id)?.name ?? parent_id,
      ]),
    );

  test("a batch is one connected trace with all that was done for it", async () => {
    const caller = newCaller();
    const headers = { traceparent: caller.traceparent, tracestate: "rig=42,other=a b" };
    const job_id = await jobOf(await send(headers));
    const spans = await collector.trace(caller.trace_id, WHOLE);
    expect(parents(spans)).toEqual({
      "POST /api/v1/data/ingest": caller.span_id,
      "send ingest": "POST /api/v1/data/ingest",
      "process ingest": "send ingest",
      decode: "process ingest",
      rules: "process ingest",
      transaction: "process ingest",
      "COPY diagnostics_sensordata": "transaction",
      "COPY diagnostics_quarantined_reading": "transaction",
      COMMIT: "transaction",
      "settle ingest": "process ingest",
    });
    expect(only(spans, "POST /api/v1/data/ingest")).toMatchObject({
      kind: "server",
      tracestate: "rig=42,other=a b",
      attributes: {
        "http.request.method": "POST",
        "http.route": "/api/v1/data/ingest",
        "http.response.status_code": 202,
        "url.path": "/api/v1/data/ingest",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": Number(new URL(stack.url).port),
        "hydraulic.job_id": job_id,
      },
      resource: { "service.name": "rigs", "deployment.environment.name": "bench" },
    });
    expect(only(spans, "send ingest")).toMatchObject({
      kind: "producer",
      attributes: {
        "messaging.system": "redis",
        "messaging.operation.type": "send",
        "messaging.destination.name": "ingest",
        "messaging.destination.partition.id": "0",
        "hydraulic.job_id": job_id,
        "hydraulic.readings": 3,
      },
    });
    const work = only(spans, "process ingest");
    expect(work).toMatchObject({
      kind: "consumer",
      tracestate: "rig=42,other=a b",
      attributes: {
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "ingest",
        "hydraulic.job_id": job_id,
        "hydraulic.inserted": 2,
        "hydraulic.duplicate": 0,
        "hydraulic.quarantined": 1,
      },
    });
    const copy = only(spans, "COPY diagnostics_sensordata");
    expect(copy).toMatchObject({
      kind: "client",
      attributes: { "db.system.name": "postgresql", "db.operation.name": "COPY", "hydraulic.rows": 2 },
    });
    expect(spans.some(({ isError }) => isError)).toBe(false);
    expect(collector.requests.at(-1)!.get("api-key")).toBe("rig 42");
  });

  test("spans lie within their parents on one clock", async () => {
    const caller = newCaller();
    await jobOf(await send({ traceparent: caller.traceparent }));
    const spans = await collector.trace(caller.trace_id, WHOLE);
    const work = only(spans, "process ingest");
    const request = only(spans, "POST /api/v1/data/ingest");
    // Clocks of threads are aligned to a millisecond.
    expect(work.start_ms).toBeGreaterThanOrEqual(request.start_ms - 2);
    for (const span of spans) {
      expect(span.end_ms).toBeGreaterThanOrEqual(span.start_ms);
      if (span.parent_id === work.span_id) {
        expect(span.start_ms).toBeGreaterThanOrEqual(work.start_ms - 1);
        expect(span.end_ms).toBeLessThanOrEqual(work.end_ms + 1);
      }
    }
  });

  test("the log lines of the request and of the job name the trace", async () => {
    const caller = newCaller();
    const job_id = await jobOf(await send({ traceparent: caller.traceparent }));
    expect((await lineOf(programs.at(-1)!, "job completed", job_id)).trace_id).toBe(caller.trace_id);
    expect((await lineOf(programs[0]!, "request", job_id)).trace_id).toBe(caller.trace_id);
  });

  test("a trace that the caller does not record is not sent, and its batch neither", async () => {
    const silent = newCaller("00");
    const job_id = await jobOf(await send({ traceparent: silent.traceparent }));
    expect((await lineOf(programs.at(-1)!, "job completed", job_id)).trace_id).toBe(silent.trace_id);
    const later = newCaller();
    await jobOf(await send({ traceparent: later.traceparent }));
    await collector.trace(later.trace_id, WHOLE);
    expect(collector.spans.filter(({ trace_id }) => trace_id === silent.trace_id)).toEqual([]);
  });

  test("without a traceparent that is valid a new trace begins", async () => {
    const broken = ["01234567890", `00-${"4b".repeat(16)}-${"0".repeat(16)}-01`, null];
    const jobs = await Promise.all(
      broken.map(async (traceparent) => jobOf(await send(traceparent === null ? {} : { traceparent }))),
    );
    for (const job_id of jobs) {
      const request = await until("the request is there", () =>
        collector.spans.find(
          (span) => span.kind === "server" && span.attributes["hydraulic.job_id"] === job_id,
        ),
      );
      expect(request.parent_id).toBe("");
      expect(request.trace_id).not.toBe("4b".repeat(16));
      const spans = await collector.trace(request.trace_id, ["send ingest", "process ingest"]);
      expect(only(spans, "process ingest").attributes["hydraulic.job_id"]).toBe(job_id);
    }
  });

  test("a refused request is a span by itself, and no failure of the server", async () => {
    const caller = newCaller();
    expect((await send({ traceparent: caller.traceparent }, { system_id: "x" })).status).toBe(400);
    const [span, ...more] = await collector.trace(caller.trace_id, ["POST /api/v1/data/ingest"]);
    expect(more).toEqual([]);
    expect(span).toMatchObject({ isError: false, attributes: { "http.response.status_code": 400 } });
  });

  test("a job that fails is an error with its reason", async () => {
    const caller = newCaller();
    const system_id = crypto.randomUUID();
    await jobOf(await send({ traceparent: caller.traceparent }, { ...batch(), system_id }));
    const spans = await collector.trace(caller.trace_id, ["process ingest"]);
    expect(only(spans, "process ingest")).toMatchObject({
      isError: true,
      message: `system ${system_id} is not registered`,
      attributes: { "error.type": "job_failed", "hydraulic.quarantined": 3 },
    });
  });

  test("probes and scrapes begin no trace; what was sent is counted", async () => {
    await untilMetric(stack.url, "hydraulic_trace_spans_exported_total", (n) => n > 0);
    for (const path of ["/livez", "/readyz", "/metrics"]) await fetch(stack.url + path);
    const caller = newCaller();
    await jobOf(await send({ traceparent: caller.traceparent }));
    await collector.trace(caller.trace_id, WHOLE);
    const paths = new Set(collector.spans.map(({ attributes }) => attributes["url.path"]));
    expect([...paths].filter((path) => /livez|readyz|metrics/.test(String(path)))).toEqual([]);
  });
});
