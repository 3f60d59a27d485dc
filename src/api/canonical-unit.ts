/** The unit of a sensor as a client names it, held against the unit registry. */
import { unitDetails } from "../contract/rule-details.ts";
import type { CanonicalUnit, UnitRegistry } from "../contract/units.ts";
import { invalidField } from "./body/check-shape.ts";

/**
 * The unit named. A sensor's unit is what its readings are stored in, so an alias is refused: it would look as if
 * they were stored in the alias.
 * @throws {ProblemError} invalid-request
 */
export function canonicalUnit(units: UnitRegistry, unit: string, quantity?: string): CanonicalUnit {
  const use = units.lookup(unit);
  if (use === undefined) throw invalidField("/unit", `${unitDetails(unit, units)}.`);
  const { symbol, quantity: measured } = use.unit;
  if (unit !== symbol) {
    const sent = JSON.stringify(unit);
    throw invalidField(
      "/unit",
      `${sent} is another spelling or unit of ${measured}; its canonical unit is ${symbol}: send that.`,
    );
  }
  if (quantity !== undefined && quantity !== measured) {
    throw invalidField("/quantity", `${symbol} is a unit of ${measured}; leave quantity out, or send that.`);
  }
  return use.unit;
}
