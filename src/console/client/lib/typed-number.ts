/** Numbers as people type them. */

import { FormError } from "./form-error.ts";

/** As pages write a thousand, and as half the world writes one and a bit. */
const TWO_MEANINGS = /^[+-]?[1-9]\d{0,2}(,\d{3})+$/;

/**
 * A decimal comma is read like a point; the rest stays as it was typed.
 * @param what of which field, for people
 * @throws {FormError} when the comma may stand between thousands: 1,000 must not become 1
 */
export function plainNumber(text: string, what: string): string {
  const typed = text.trim();
  if (TWO_MEANINGS.test(typed))
    throw new FormError(
      `${what}: ${typed} may be ${typed.replaceAll(",", "")} or ${typed.replace(",", ".")}. Type it without a comma.`,
    );
  return typed.replace(",", ".");
}
