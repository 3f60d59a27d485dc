/** Limits a minute, as people read and type them. */

import { FormError } from "./form-error.ts";
import { brief } from "./format.ts";

export const budgetText = (perMinute: number | null) =>
  perMinute === null ? "default" : `${brief(perMinute)}/min`;

/** What is typed for a limit; empty means the limit of the configuration. @throws {FormError} */
export function budgetOf(text: string, what: string): number | null {
  if (text.trim() === "") return null;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new FormError(`${what} must be a whole number from 1, or empty for the default.`);
}
