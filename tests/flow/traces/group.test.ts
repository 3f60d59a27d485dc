/** Batches that share a transaction, entries of other programs, and what goes wrong in a thread, as traces. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { EntryMeta } from "../../../src/contract/entry.ts";
import type { Tracer } from "../../../src/ops/trace.ts";
import type { SpanReport } from "../../../src/ops/trace-settings.ts";
import { openTracer } from "../../../src/ops/tracing.ts";
import { IngestBench, reading } from "../../support/ingest-bench.ts";
import { type Collector, startCollector } from "../../support/otlp/collector.ts";
import type { SentSpan } from "../../support/otlp/spans.ts";
import { newCaller, only } from "../../support/otlp/traced.ts";

let bench: IngestBench;
let collector: Collector;
let tracer: Tracer;
let reports: SpanReport[];

beforeAll(async () => {
  bench = await IngestBench.create();
  collector = startCollector();
});
beforeEach(async () => {
  await bench.clear();
  collector.spans.splice(0);
  reports = [];
  tracer = await openTracer(
    {
      url: `${collector.url}/v1/traces`,
      headers: {},
      resource: { "service.name": "test" },
      version: "0",
      sampler: "parentbased_always_off",
      share: 1,
    },
    (report) => reports.push(report),
  );
});
afterAll(async () => {
  await bench.close();
  await collector.close();
});

let second = 0;
const good = (value = 100) => reading(1, second++, value);
const add = (meta: Partial<EntryMeta>, readings: readonly unknown[] = [good()]) =>
  bench.add(
    { ...bench.meta(readings.length), ...meta },
    Buffer.from(JSON.stringify({ system_id: bench.meta(1).system_id, readings })),
  );
/** Work off what is there, and hand over the spans that were sent. */
async function work(): Promise<SentSpan[]> {
  await bench.work(`w${crypto.randomUUID()}`, {}, tracer);
  await tracer.close(5_000);
  return collector.spans;
}
const named = (spans: readonly SentSpan[], name: string) => spans.filter((span) => span.name === name);

test("one transaction of several batches lies in the trace of the first; the others and it name each other", async () => {
  const [first, second, silent] = [newCaller(), newCaller(), newCaller("00")];
  for (const { traceparent } of [silent, first, second]) await add({ traceparent });
  await add({});
  const spans = await work();
  const transaction = only(spans, "transaction");
  const [a, b] = [first, second].map((caller) =>
    only(
      spans.filter(({ trace_id }) => trace_id === caller.trace_id),
      "process ingest",
    ),
  );
  expect(named(spans, "process ingest")).toHaveLength(2);
  expect([a!.parent_id, b!.parent_id]).toEqual([first.span_id, second.span_id]);
  expect(transaction).toMatchObject({ trace_id: first.trace_id, parent_id: a!.span_id });
  expect(transaction.links).toEqual([{ trace_id: second.trace_id, span_id: b!.span_id }]);
  expect(b!.links).toEqual([{ trace_id: first.trace_id, span_id: transaction.span_id }]);
  expect(only(spans, "COPY diagnostics_sensordata").attributes["hydraulic.rows"]).toBe(4);
  expect(named(spans, "decode").map(({ parent_id }) => parent_id)).toEqual([a!.span_id, b!.span_id]);
  // In one request, or in more when the work took long.
  expect(reports.reduce((sum, { exported }) => sum + exported, 0)).toBe(spans.length);
  for (const report of reports) expect(report).toMatchObject({ overflowed: 0, refused: 0, error: null });
});

test("each attempt is a transaction of its own: the one that met a stored key failed with its SQLSTATE", async () => {
  const same = good();
  await bench.offer([same]);
  await bench.work("before");
  const caller = newCaller();
  await add({ traceparent: caller.traceparent }, [same, good()]);
  const attempts = named(await work(), "transaction");
  expect(attempts.map(({ isError, attributes }) => [attributes["hydraulic.way"], isError])).toEqual([
    ["direct", true],
    ["sifted", false],
  ]);
  expect(attempts[0]!.attributes["error.type"]).toBe("23505");
  expect(attempts[0]!.events[0]!["exception.message"]).toContain("unique");
});

test("an entry that cannot be processed is an error of its trace", async () => {
  const caller = newCaller();
  await bench.add({ ...bench.meta(2), traceparent: caller.traceparent }, Buffer.from("{}"));
  const [span, ...more] = await work();
  expect(more).toEqual([]);
  expect(span).toMatchObject({
    name: "process ingest",
    trace_id: caller.trace_id,
    isError: true,
    attributes: { "error.type": "dead_letter" },
  });
});

test("an entry of an older program has no trace, and one with a broken traceparent is stored all the same", async () => {
  await add({});
  await add({ traceparent: "00-broken" });
  await add({ traceparent: 42 as unknown as string, tracestate: [] as unknown as string });
  expect(await work()).toEqual([]);
  expect(await bench.rows()).toHaveLength(3);
});

test("what an older program took from an entry it still finds: nothing but two names has been added", async () => {
  const { traceparent } = newCaller();
  const id = await add({ traceparent, tracestate: "a=1" });
  const [[, fields]] = (await bench.redis.xrange("ingest:{0}", id, id)) as [[string, string[]]];
  const { traceparent: sent, tracestate, ...rest } = JSON.parse(fields[3]!) as EntryMeta;
  expect([sent, tracestate]).toEqual([traceparent, "a=1"]);
  expect(Object.keys(rest).sort()).toEqual(Object.keys(bench.meta(1)).sort());
  expect(fields.filter((_, i) => i % 2 === 0)).toEqual(["v", "m", "b"]);
});
