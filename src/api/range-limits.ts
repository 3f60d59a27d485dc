/** Limits of a range as a client sends them. */
import type { Range } from "../contract/units.ts";
import { invalidField } from "./body/check-shape.ts";

/**
 * Both limits or neither; null for neither.
 * @param parent JSON pointer to the object that holds them
 * @throws {ProblemError} invalid-request
 */
export function limitsOf(
  { min, max }: { readonly min?: number; readonly max?: number },
  parent = "",
): Range | null {
  if (min === undefined && max === undefined) return null;
  if (min === undefined || max === undefined) {
    const absent = min === undefined ? "min" : "max";
    throw invalidField(`${parent}/${absent}`, `${absent} is missing: a range has both limits.`);
  }
  if (min >= max) throw invalidField(`${parent}/min`, `min ${min} is not below max ${max}.`);
  // Adding 0 makes -0 a plain 0.
  return { min: min + 0, max: max + 0 };
}
