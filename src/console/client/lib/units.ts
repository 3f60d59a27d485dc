/** Converts values as sent into the unit of a sensor, for drawing them on one axis; the service's registry says how. */
import type { QuarantinedReadingDetail } from "../../../contract/quarantine-review.ts";
import type { UnitList } from "../../../contract/registry.ts";

/** `a/b` or a decimal. */
function factorOf(text: string): number {
  const [numerator = "1", denominator = "1"] = text.split("/");
  return Number(numerator) / Number(denominator);
}

/** What a spelling is multiplied by and moved by, first. */
type Use = Pick<UnitList["items"][number]["aliases"][number], "spellings" | "offset" | "factor">;

const fold = (spelling: string) => spelling.trim().toLowerCase();
const isOfMilli = (spelling: string, other: string) =>
  spelling.charAt(0) !== other.charAt(0) && fold(spelling).startsWith("m");

/** As the service reads a unit: exactly, else without regard to case and blanks, but milli is never mega. */
function useOf(unit: string, uses: readonly Use[]): Use | undefined {
  const exact = uses.find(({ spellings }) => spellings.includes(unit));
  if (exact) return exact;
  const alike = uses.filter(({ spellings }) =>
    spellings.some((one) => fold(one) === fold(unit) && !isOfMilli(unit.trim(), one)),
  );
  return alike.length === 1 ? alike[0] : undefined;
}

/** Null when the unit is not one of this quantity. */
export function convert(value: number, unit: string, canonical: string, units: UnitList): number | null {
  if (unit === canonical) return value;
  const known = units.items.find(({ symbol }) => symbol === canonical);
  const own: Use = { spellings: [canonical], offset: "0", factor: "1" };
  const use = known && useOf(unit, [own, ...known.aliases]);
  return use ? (value + Number(use.offset)) * factorOf(use.factor) : null;
}

export interface Limits {
  readonly min: number | null;
  readonly max: number | null;
  /** Who set them, in words. */
  readonly source: string;
}
const NO_LIMITS: Limits = { min: null, max: null, source: "" };

/** What a reading out of range was judged by, in the unit of its sensor: the sensor's own range, else that of the unit. */
export function limitsOf(
  { rule, reason, sensor }: Pick<QuarantinedReadingDetail, "rule" | "reason" | "sensor">,
  units: UnitList | null,
): Limits {
  if (rule) {
    const by = rule.author_name ? ` by ${rule.author_name}` : "";
    return { min: rule.min, max: rule.max, source: `the sensor's own, version ${rule.version}${by}` };
  }
  const unit = reason === "out_of_range" ? units?.items.find(({ symbol }) => symbol === sensor?.unit) : null;
  return unit ? { min: unit.min, max: unit.max, source: unit.source ?? "the unit's" } : NO_LIMITS;
}
