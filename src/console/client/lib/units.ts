/** Converts values as sent into the unit of a sensor, for drawing them on one axis; the service's registry says how. */
import type { UnitList } from "../../../contract/registry.ts";

/** `a/b` or a decimal. */
function factorOf(text: string): number {
  const [numerator = "1", denominator = "1"] = text.split("/");
  return Number(numerator) / Number(denominator);
}

/** Null when the unit is not one of this quantity. */
export function convert(value: number, unit: string, canonical: string, units: UnitList): number | null {
  if (unit === canonical) return value;
  const known = units.items.find(({ symbol }) => symbol === canonical);
  const alias = known?.aliases.find(({ spellings }) => spellings.includes(unit));
  return alias ? (value + Number(alias.offset)) * factorOf(alias.factor) : null;
}
