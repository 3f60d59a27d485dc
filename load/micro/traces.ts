/**
 * What traces cost: ns of processor time for each request and for each batch in its thread, without a collector, with one that gets 1 %
 * of the traces, and with one that gets all. Best of several rounds; sending included, the collector's own work not.
 * `bun load/micro/traces.ts [requests]`
 */
import { Hono } from "hono";
import { Registry } from "prom-client";
import type { AppEnv } from "../../src/api/app-env.ts";
import { HttpMetrics } from "../../src/api/http-metrics.ts";
import { observe } from "../../src/api/middleware/observe.ts";
import { type EntryMeta, encodeEntry } from "../../src/contract/entry.ts";
import { beginBatch, endBatch } from "../../src/ingest/batch-span.ts";
import { systemClock } from "../../src/ops/clock.ts";
import { createLogger } from "../../src/ops/log.ts";
import { leading, NO_TRACER, shared, type Tracer } from "../../src/ops/trace.ts";
import { contextFields } from "../../src/ops/trace-context.ts";
import type { TraceSettings } from "../../src/ops/trace-settings.ts";
import { openTracer } from "../../src/ops/tracing.ts";

const REQUESTS = Number(process.argv[2] ?? 20_000);
const ROUNDS = 7;
/** The event loop gets a turn after so many, as it does in life: spans are sent meanwhile. */
const TURN = 200;
const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const collector = Bun.spawn(
  [
    process.execPath,
    "-e",
    "const s = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: async (r) => { await r.arrayBuffer(); return new Response() } }); console.log(s.port)",
  ],
  { stdout: "pipe" },
);
const { value } = await collector.stdout.getReader().read();
const url = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}/v1/traces`;
let exported = 0;
let lost = 0;
const tracerAt = (sampler: TraceSettings["sampler"], share: number) =>
  openTracer({ url, headers: {}, resource: {}, version: "0", sampler, share }, (report) => {
    exported += report.exported;
    lost += report.overflowed + report.refused;
  });

const meta: EntryMeta = {
  job_id: Bun.randomUUIDv7(),
  system_id: crypto.randomUUID(),
  user_id: crypto.randomUUID(),
  request_id: Bun.randomUUIDv7(),
  total_readings: 100,
  received_at_ms: Date.now(),
};
const entry = {
  partition: 0,
  id: "1-0",
  fields: encodeEntry(meta, Buffer.from("{}")).map((part) => Buffer.from(part)),
  redelivered: false,
};
const job = {
  ...meta,
  created_by: meta.user_id,
  status: "completed" as const,
  inserted_readings: 100,
  duplicate_readings: 0,
  quarantined_readings: 0,
  created_at_ms: 0,
  started_at_ms: 0,
  completed_at_ms: 0,
  error_message: null,
};

/** The middleware around a route that puts nothing into the stream but makes the span of it. */
function requestTo(tracer: Tracer, headers: Record<string, string>) {
  const log = createLogger({ level: "error", format: "json" });
  const app = new Hono<AppEnv>();
  app.use(observe(systemClock, log, new HttpMetrics(new Registry()), tracer));
  app.post("/batch", (c) => {
    const span = c.get("span").child("send ingest", { kind: "producer" });
    contextFields(span.context);
    span.end();
    return c.body(null, 202);
  });
  const request = new Request("http://rigs.example/batch", { method: "POST", headers });
  return () => app.fetch(request);
}

/** What a thread does for a batch alone in its transaction. */
function batchBy(tracer: Tracer, of: EntryMeta) {
  return async () => {
    const begun_ms = performance.now();
    const span = beginBatch(tracer, entry, of, begun_ms);
    span.did("decode", begun_ms);
    leading([span]).did("rules", begun_ms);
    const transaction = shared([span], "transaction");
    transaction.did("COPY diagnostics_sensordata", begun_ms);
    transaction.did("COMMIT", begun_ms);
    transaction.end();
    leading([span]).did("settle ingest", begun_ms);
    endBatch(span, job);
  };
}

/** Processor time of this process, all its threads, so that others on the machine do not matter much. */
async function best_ns(work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const begin = process.cpuUsage();
    for (let i = 0; i < REQUESTS; i += 1) {
      await work();
      if (i % TURN === 0) await Bun.sleep(0);
    }
    const { user, system } = process.cpuUsage(begin);
    best = Math.min(best, ((user + system) * 1e3) / REQUESTS);
  }
  return best;
}

/** @param batches how many entries have each `traceparent`, one after the other */
async function measure(
  what: string,
  tracer: Tracer,
  traceparent?: string,
  batches: readonly { readonly of: number; readonly traceparent?: string }[] = [
    { of: 1, ...(traceparent ? { traceparent } : {}) },
  ],
): Promise<void> {
  [exported, lost] = [0, 0];
  const request = await best_ns(requestTo(tracer, traceparent === undefined ? {} : { traceparent }));
  const turns = batches.flatMap(({ of, ...fields }) =>
    Array<() => Promise<void>>(of).fill(batchBy(tracer, { ...meta, ...fields })),
  );
  let n = 0;
  const batch = await best_ns(() => turns[n++ % turns.length]!());
  await tracer.close(5_000);
  const cells = [request, batch].map((ns) => String(Math.round(ns)).padStart(8));
  console.log(`${what.padEnd(44)}${cells.join("")}   ${exported} sent, ${lost} dropped`);
}

console.log(`${"ns".padEnd(44)} request   batch`);
await measure("no collector", NO_TRACER);
await measure("no collector, the caller sends a traceparent", NO_TRACER, TRACEPARENT);
await measure("1 % of the traces", await tracerAt("parentbased_traceidratio", 0.01), undefined, [
  { of: 1, traceparent: TRACEPARENT },
  { of: 99, traceparent: TRACEPARENT.replace(/01$/, "00") },
]);
await measure("all traces", await tracerAt("parentbased_always_on", 1), TRACEPARENT);
collector.kill();
