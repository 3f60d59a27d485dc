/** Without a collector nothing is recorded, and what a caller sent is passed on. */
import { expect, test } from "bun:test";
import { leading, NO_SPAN, NO_TRACER, passing, shared, within } from "../../../src/ops/trace.ts";

const CONTEXT = { trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", span_id: "00f067aa0ba902b7", flags: 1 };

test("no trace comes in: each span is the same one, and nothing is made", () => {
  const span = NO_TRACER.begin("request", null, { kind: "server" });
  expect(span).toBe(NO_SPAN);
  expect(span.child("part")).toBe(NO_SPAN);
  expect(span.context).toBeNull();
  expect(shared([span, span], "part")).toBe(NO_SPAN);
});

test("a trace comes in: its context goes on as it is, and nothing is recorded", () => {
  const span = NO_TRACER.begin("request", CONTEXT);
  expect(span.recording).toBe(false);
  expect(span.child("part").context).toBe(CONTEXT);
  expect(leading([span, passing(CONTEXT)])).toBe(NO_SPAN);
});

test("work within a span has its own outcome", async () => {
  expect(await within(NO_SPAN, async () => 42)).toBe(42);
  const error = new Error("no");
  const failing = within(NO_SPAN, async () => {
    throw error;
  });
  expect(await failing.catch((caught: unknown) => caught)).toBe(error);
});
