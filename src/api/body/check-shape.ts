/** Checks a JSON value against a TypeBox schema and tells the client where it differs. */
import type { Static, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import type { ProblemItem } from "../../contract/problem.ts";
import { ProblemError } from "../problem-error.ts";

/** More would tell a client nothing new. */
const MAX_ITEMS = 20;

/** A problem about one field that no schema can tell. */
export function invalidField(pointer: string, detail: string): ProblemError {
  return new ProblemError("invalid-request", { detail, errors: [{ pointer, detail }] });
}

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
    for (const error of [...compiled.Errors(value)].flatMap(insideUnion)) {
      // A missing property is reported twice: as missing, and as undefined.
      if (seen.has(error.path)) continue;
      seen.add(error.path);
      errors.push({ pointer: error.path, detail: complaint(error) });
      if (errors.length === MAX_ITEMS) break;
    }
    const first = errors[0];
    const detail = first ? `${first.pointer || "The body"}: ${first.detail}.` : undefined;
    throw new ProblemError("invalid-request", { errors, ...(detail ? { detail } : {}) });
  };
}

/** The errors of the one variant whose members the value has, instead of "none of these fits". */
function insideUnion(error: ValueError): ValueError[] {
  if (error.type !== ValueErrorType.Union) return [error];
  const variants = error.errors.map((variant) => [...variant]);
  const meant = variants.filter((inner) => inner.every(({ path }) => path.length > error.path.length + 1));
  const [variant = []] = meant.filter((inner) => !inner.some(isAboutMembers(error.path)));
  return variant.length > 0 ? variant.flatMap(insideUnion) : [error];
}

/** A member that is missing, or one too many, right below the union. */
const isAboutMembers =
  (path: string) =>
  (error: ValueError): boolean =>
    (error.type === ValueErrorType.ObjectRequiredProperty ||
      error.type === ValueErrorType.ObjectAdditionalProperties) &&
    error.path.lastIndexOf("/") === path.length;

/** The schema's own words where TypeBox would only quote a pattern, speak of a union, or not say which keys may be. */
function complaint({ type, schema, message }: ValueError): string {
  const isAboutKeys = type === ValueErrorType.ObjectAdditionalProperties && "patternProperties" in schema;
  const vague = type === ValueErrorType.StringPattern || type === ValueErrorType.Union || isAboutKeys;
  return vague && schema.description !== undefined ? `Expected ${schema.description}` : message;
}
