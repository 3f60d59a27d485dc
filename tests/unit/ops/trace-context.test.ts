/** W3C Trace Context: what is taken for a context, and what is passed on. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { contextFields, parseContext } from "../../../src/ops/trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const VALID = `00-${TRACE}-${SPAN}-01`;

test.each([
  ["recorded", VALID, 1],
  ["not recorded", `00-${TRACE}-${SPAN}-00`, 0],
  ["recorded, of a random id", `00-${TRACE}-${SPAN}-03`, 3],
  ["with flags that nobody knows", `00-${TRACE}-${SPAN}-ff`, 3],
  ["of a later version", `cc-${TRACE}-${SPAN}-01`, 1],
  ["of a later version that says more", `cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, 1],
  ["with blanks around it", ` ${VALID}\t`, 1],
])("a context %s is taken", (_, traceparent, flags) => {
  expect(parseContext(traceparent)).toEqual({ trace_id: TRACE, span_id: SPAN, flags });
});

test.each([
  ["absent", undefined],
  ["no text", 42],
  ["empty", ""],
  ["of the version ff", `ff-${TRACE}-${SPAN}-01`],
  ["of this version and longer", `${VALID}-01`],
  ["of a later version and longer without a dash", `cc-${TRACE}-${SPAN}-01.what`],
  ["without a trace", `00-${"0".repeat(32)}-${SPAN}-01`],
  ["without a span", `00-${TRACE}-${"0".repeat(16)}-01`],
  ["in capital letters", VALID.toUpperCase()],
  ["too short", `00-${TRACE.slice(1)}-${SPAN}-01`],
  ["without flags", `00-${TRACE}-${SPAN}`],
  ["sent twice", `${VALID}, ${VALID}`],
])("a context that is %s is none", (_, traceparent) => {
  expect(parseContext(traceparent)).toBeNull();
});

test.each([
  ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
  [" rojo=1 ,\t,congo=a b ", "rojo=1,congo=a b"],
  ["tenant@system=x", "tenant@system=x"],
])("a tracestate is passed on: %p", (tracestate, expected) => {
  expect(parseContext(VALID, tracestate)?.tracestate).toBe(expected);
});

test.each([
  ["empty", ""],
  ["no pair", "rojo"],
  ["twice the same name", "rojo=1,rojo=2"],
  ["a capital name", "Rojo=1"],
  ["a value with =", "rojo=1=2"],
  ["33 members", Array.from({ length: 33 }, (_, i) => `a${i}=1`).join(",")],
  ["too long", `a=${"x".repeat(511)}`],
  ["not ASCII", "rojo=ä"],
])("a tracestate that is %s is left out, and the trace goes on", (_, tracestate) => {
  expect(parseContext(VALID, tracestate)).toEqual({ trace_id: TRACE, span_id: SPAN, flags: 1 });
});

test("what is passed on is read again as the same", () => {
  const id = (length: number) =>
    fc
      .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length })
      .filter((text) => /[1-9a-f]/.test(text));
  fc.assert(
    fc.property(id(32), id(16), fc.integer({ min: 0, max: 3 }), (trace_id, span_id, flags) => {
      const { traceparent, tracestate } = contextFields({ trace_id, span_id, flags, tracestate: "a=1" });
      expect(parseContext(traceparent, tracestate)).toEqual({ trace_id, span_id, flags, tracestate: "a=1" });
    }),
  );
  expect(contextFields(null)).toEqual({});
});

test("any text is a context or none, and never an error", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => parseContext(a, b) === null));
});
