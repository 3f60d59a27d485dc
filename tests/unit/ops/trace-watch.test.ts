/** A collector that fails is told of once, and once when it is back; every span is counted. */
import { expect, test } from "bun:test";
import { Registry } from "prom-client";
import { createLogger } from "../../../src/ops/log.ts";
import type { SpanReport } from "../../../src/ops/trace-settings.ts";
import { TraceWatch } from "../../../src/ops/trace-watch.ts";

function watched() {
  const lines: string[] = [];
  const into = { write: (line: string) => lines.push(line) > 0 } as unknown as NodeJS.WritableStream;
  const metrics = new Registry();
  let time_ms = 0;
  const clock = { now_ms: () => time_ms, monotonic_ms: () => time_ms };
  const watch = new TraceWatch(metrics, clock, createLogger({ level: "debug", format: "json" }, into));
  const hear = (report: Partial<SpanReport>) =>
    watch.hear({ exported: 0, overflowed: 0, refused: 0, error: null, ...report });
  const messages = () => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  const pass = (ms: number) => {
    time_ms += ms;
  };
  return { hear, pass, messages, metrics };
}
const AWAY = "the collector takes no traces: spans are dropped";
const BACK = "the collector takes traces again";

test("one line when it fails, one when it has been sound for a while", () => {
  const { hear, pass, messages } = watched();
  hear({ exported: 5 });
  for (let n = 0; n < 10; n += 1) hear({ refused: 5, error: "ECONNREFUSED" });
  expect(messages()).toEqual([AWAY]);
  hear({ exported: 5 });
  expect(messages()).toEqual([AWAY]);
  pass(30_000);
  hear({ overflowed: 1 });
  expect(messages()).toEqual([AWAY]);
  hear({ exported: 5 });
  hear({ exported: 5 });
  expect(messages()).toEqual([AWAY, BACK]);
  hear({ refused: 5, error: "answered 503" });
  expect(messages()).toEqual([AWAY, BACK, AWAY]);
});

test("one that takes every other batch is told of once", () => {
  const { hear, pass, messages } = watched();
  for (let n = 0; n < 50; n += 1) {
    hear(n % 2 === 0 ? { refused: 5, error: "answered 429" } : { exported: 5 });
    pass(10_000);
  }
  expect(messages()).toEqual([AWAY]);
});

test("every span is counted by what became of it", async () => {
  const { hear, metrics } = watched();
  hear({ exported: 7, overflowed: 2 });
  hear({ refused: 3, error: "answered 503" });
  const text = await metrics.metrics();
  expect(text).toContain("hydraulic_trace_spans_exported_total 7");
  expect(text).toContain('hydraulic_trace_spans_dropped_total{reason="overflow"} 2');
  expect(text).toContain('hydraulic_trace_spans_dropped_total{reason="refused"} 3');
});
