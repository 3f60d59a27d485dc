/** Checks a JSON value against a TypeBox schema and tells the client where it differs. */
import type { Static, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import type { ProblemItem } from "../../contract/problem.ts";
import { ProblemError } from "../problem-error.ts";

/** More would tell a client nothing new. */
const MAX_ITEMS = 20;

/**
 * A function that returns the value with its type.
 * @returns a check that throws {ProblemError} invalid-request with JSON pointers
 */
export function shapeCheck<T extends TSchema>(schema: T): (value: unknown) => Static<T> {
  const compiled = TypeCompiler.Compile(schema);
  return (value) => {
    if (compiled.Check(value)) return value;
    const errors: ProblemItem[] = [];
    const seen = new Set<string>();
    for (const { path, message } of compiled.Errors(value)) {
      // A missing property is reported twice: as missing, and as undefined.
      if (seen.has(path)) continue;
      seen.add(path);
      errors.push({ pointer: path, detail: message });
      if (errors.length === MAX_ITEMS) break;
    }
    const first = errors[0];
    const detail = first ? `${first.pointer || "The body"}: ${first.detail}.` : undefined;
    throw new ProblemError("invalid-request", { errors, ...(detail ? { detail } : {}) });
  };
}
