/** Parameters of a path and a query: parsed strictly, and refused with a 400 that names the parameter. */
import type { Context } from "hono";
import { isUuid } from "../contract/job-id.ts";
import { faultOfText } from "../contract/printable.ts";
import { parseTimestamp_us } from "../contract/timestamp.ts";
import { ProblemError } from "./problem-error.ts";

/** A problem about one parameter or header; its name stands in `errors` and in the detail. */
export function invalidParameter(name: string, demand: string): ProblemError {
  const detail = `The parameter ${name} must be ${demand}.`;
  return new ProblemError("invalid-request", { detail, errors: [{ pointer: `/${name}`, detail }] });
}

/** A UUID of the path, in lower case. @throws {ProblemError} invalid-request */
export function pathUuid(c: Context, name: string): string {
  const given = c.req.param(name) ?? "";
  if (!isUuid(given)) throw invalidParameter(name, "a UUID");
  return given.toLowerCase();
}

/** An id of the path that the database counts. @throws {ProblemError} invalid-request */
export function pathCount(c: Context, name: string): number {
  const text = c.req.param(name) ?? "";
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw invalidParameter(name, "a whole number from 1");
}

/** A UUID of the query in lower case; null when it is absent. @throws {ProblemError} invalid-request */
export function uuidParameter(c: Context, name: string): string | null {
  const given = c.req.query(name);
  if (given === undefined || isUuid(given)) return given?.toLowerCase() ?? null;
  throw invalidParameter(name, "a UUID");
}

/**
 * Refuses parameters that the operation does not have, and one that is given twice: a filter that is misspelt, or of
 * which only the first counts, must not change the answer.
 * @throws {ProblemError} invalid-request
 */
export function onlyParameters(c: Context, known: readonly string[]): void {
  for (const [name, values] of Object.entries(c.req.queries())) {
    if (known.includes(name) && values.length === 1) continue;
    if (known.includes(name))
      throw invalidParameter(name, `given once, and here it is given ${values.length} times`);
    const others = known.length === 0 ? "it takes none" : `there are: ${known.join(", ")}`;
    const detail = `There is no parameter ${name.slice(0, 64)} here; ${others}.`;
    throw new ProblemError("invalid-request", {
      detail,
      errors: [{ pointer: `/${name.slice(0, 64)}`, detail }],
    });
  }
}

/** A whole number of the query. @throws {ProblemError} invalid-request */
export function wholeParameter(
  c: Context,
  name: string,
  { min, max, fallback }: { readonly min: number; readonly max: number; readonly fallback: number },
): number {
  const text = c.req.query(name);
  if (text === undefined) return fallback;
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw invalidParameter(name, `a whole number from ${min} to ${max}`);
}

/** A number of the query as JSON writes it; undefined when it is absent. @throws {ProblemError} invalid-request */
export function numberParameter(
  c: Context,
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  const value = /^-?\d{1,310}(\.\d{1,310})?(e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : Number.NaN;
  // Adding 0 makes -0 a plain 0.
  if (value >= min && value <= max) return value + 0;
  throw invalidParameter(name, `a number from ${min} to ${max}`);
}

/** One of some words. @throws {ProblemError} invalid-request */
export function choiceParameter<const T extends string>(
  c: Context,
  name: string,
  values: readonly T[],
  fallback: T,
): T {
  const text = c.req.query(name);
  if (text === undefined) return fallback;
  const value = values.find((v) => v === text);
  if (value === undefined) throw invalidParameter(name, `one of ${values.join(", ")}`);
  return value;
}

/** A moment, as µs since the epoch; undefined when it is absent. @throws {ProblemError} invalid-request */
export function timeParameter_us(c: Context, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  const value = parseTimestamp_us(text);
  if (Number.isNaN(value)) {
    throw invalidParameter(name, "an RFC 3339 date-time such as 2026-01-31T12:00:00Z (a + is written %2B)");
  }
  return value;
}

/** Free text; undefined when it is absent. @throws {ProblemError} invalid-request */
export function textParameter(c: Context, name: string, max_length: number): string | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  if (text.length < 1 || text.length > max_length) {
    throw invalidParameter(name, `a text of 1 to ${max_length} characters`);
  }
  const fault = faultOfText(text);
  if (fault !== null) throw invalidParameter(name, `a text with ${fault}`);
  return text;
}
