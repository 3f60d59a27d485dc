/** Small texts with a meaning: two readers agree on it, or it comes back as it was. */

import { contentCoding, JSON_ONLY, mediaTypeOf } from "../../../../src/api/body/media.ts";
import { isKnownTag } from "../../../../src/api/etag.ts";
import { idempotencyKeyFrom } from "../../../../src/api/idempotency.ts";
import { ProblemError } from "../../../../src/api/problem-error.ts";
import { preferredWait_s } from "../../../../src/api/wait-preference.ts";
import { fieldValue, lineTimestamp_us, plainDecimal } from "../../../../src/contract/formats/line-values.ts";
import { decodeIncidentKey, encodeIncidentKey } from "../../../../src/contract/incident-key.ts";
import { numberIn } from "../../../../src/contract/series.ts";
import { formatTimestamp, parseTimestamp_us } from "../../../../src/contract/timestamp.ts";
import { createUnitRegistry, toCanonical } from "../../../../src/contract/units.ts";
import { parseNumber } from "../../../../src/feed/import/cells.ts";
import { contextFields, parseContext } from "../../../../src/ops/trace-context.ts";
import type { FuzzTarget } from "../fuzzer.ts";

const same = (a: number, b: number, what: string) => {
  if (!Object.is(a, b)) throw new Error(`${what}: ${a} and ${b}`);
};

/** Of the year 9999, as far as doubles can tell. */
const LAST_US = 253_402_300_800_000_000 - 32;
const SHAPE = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:(\d\d))(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)$/;

function timestamp(text: string): string {
  const us = parseTimestamp_us(text);
  const parts = SHAPE.exec(text);
  if (Number.isNaN(us)) return parts ? "of the shape, not a time" : "none";
  if (parts === null) throw new Error("it is taken, and has not the shape of RFC 3339");
  same(parseTimestamp_us(formatTimestamp(us)), us, "written and read again");
  const [, day = "", time = "", second, fraction = "", zone = ""] = parts;
  if (second === "60") return "a leap second";
  // `Date` knows ms; the rest is added by hand.
  const ms = Date.parse(`${day}T${time}.000${zone.toUpperCase()}`);
  const micros = Number(fraction.slice(0, 6).padEnd(6, "0"));
  // Date.parse rolls 30 February over; such a day must not be taken.
  if (new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) !== day)
    throw new Error("there is no such day");
  same(Math.min(ms * 1000 + micros, LAST_US), us, "as Date has it");
  return `a time, ${fraction.length > 6 ? "cut" : ""}${zone.length}`;
}

function number(text: string): string {
  const value = numberIn(text);
  let json: unknown;
  try {
    json = /^\s|\s$/.test(text) ? undefined : JSON.parse(text);
  } catch {
    json = undefined;
  }
  same(value ?? Number.NaN, typeof json === "number" ? json : Number.NaN, "as JSON has it");
  const plain = plainDecimal(text, 0, text.length);
  if (!Number.isNaN(plain)) same(plain, Number(text), "a plain decimal");
  const field = fieldValue(text);
  if (typeof field === "number") same(field + 0, Number(text.replace(/[iu]$/, "")) + 0, "a field");
  const cell = parseNumber(text, { decimal_comma: false, empty: new Set() });
  if (cell !== null) same(cell, Number(text.trim()), "a cell");
  return [value, plain, field, cell].map((one) => (Number.isNaN(one) ? "NaN" : typeof one)).join(" ");
}

function lineTime(text: string): string {
  const us = lineTimestamp_us(text, 0, text.length, "ns");
  const isWhole = /^-?\d{1,19}$/.test(text);
  if (Number.isNaN(us)) {
    if (isWhole) throw new Error("a whole number of 64 bits is refused");
    return "none";
  }
  if (!isWhole) throw new Error("it is taken, and is no whole number");
  const ns = BigInt(text);
  const floor = ns >= 0n ? ns / 1000n : -((-ns + 999n) / 1000n);
  same(us, Number(floor) + 0, "as BigInt has it");
  return us < 0 ? "before 1970" : "since 1970";
}

const units = createUnitRegistry();
function unit(text: string): string {
  const use = units.lookup(text);
  units.suggest(text);
  if (use === undefined) return "unknown";
  const again = units.lookup(use.spelling);
  if (again !== use) throw new Error(`${use.spelling} means something else than ${JSON.stringify(text)}`);
  if (Number.isNaN(toCanonical(use, 1e308))) throw new Error("a finite value becomes NaN");
  return use.unit.symbol;
}

function incident(text: string): string {
  const key = decodeIncidentKey(text);
  if (key === null) return "none";
  const again = decodeIncidentKey(encodeIncidentKey(key));
  if (!Bun.deepEquals(again, key)) throw new Error("it changes when it is written again");
  return key.reason;
}

/** A function that may refuse with a problem and nothing else. */
const orProblem = (read: (text: string) => unknown) => (text: string) => {
  try {
    return String(read(text)).slice(0, 20);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return error.problem;
  }
};

function headers(text: string): string {
  const wait_s = preferredWait_s(text);
  if (wait_s !== undefined && !(wait_s >= 0)) throw new Error(`a wait of ${wait_s} s`);
  const key = orProblem((t) => idempotencyKeyFrom(t)?.length);
  const type = orProblem((t) => mediaTypeOf(t, JSON_ONLY));
  const coding = orProblem(contentCoding);
  const wait = wait_s === undefined ? "" : "waits";
  return [
    wait,
    Number.isNaN(Number(key(text))) ? key(text) : "a key",
    type(text),
    coding(text),
    isKnownTag(text, '"3"'),
  ].join(" ");
}

/** A traceparent, and behind a line end a tracestate. */
function trace(text: string): string {
  const [traceparent, tracestate] = text.split("\n");
  const context = parseContext(traceparent, tracestate);
  if (context === null) return "none";
  const fields = contextFields(context);
  if (!Bun.deepEquals(parseContext(fields.traceparent, fields.tracestate), context))
    throw new Error("it changes when it is sent on");
  return `${context.flags} ${context.tracestate === undefined ? "" : "with a state"}`;
}

const textTarget = (name: string, read: (text: string) => string): FuzzTarget => ({
  name,
  look: (bytes) => read(bytes.toString("utf8")),
});

export const TEXT_TARGETS: readonly FuzzTarget[] = [
  textTarget("timestamp", timestamp),
  textTarget("number", number),
  textTarget("line-time", lineTime),
  textTarget("unit", unit),
  textTarget("incident", incident),
  textTarget("header", headers),
  textTarget("trace", trace),
];
