/** The axes of a chart: how far values reach, what stands beside the lines, and whose times they are. */
import type uPlot from "uplot";
import { offsetText } from "../lib/format.ts";

/** Share of the values' reach above and below them. */
const AIR = 0.08;
const AIR_OF_CONSTANT = 0.1;

/** The data with some air, or a stretch around a constant. @param floor must be in sight whatever the data is */
export function valueRange(
  floor: number | undefined,
  min: number | null,
  max: number | null,
): [number, number] {
  if (min == null || max == null) return [0, 1];
  const low = floor === undefined ? min : Math.min(floor, min);
  const air = (max - low) * AIR || Math.abs(max) * AIR_OF_CONSTANT || 1;
  return [floor !== undefined && low >= floor ? low : low - air, max + air];
}

/** Beyond these a number is told by its power of ten: nobody counts noughts. */
const LARGE = 1e7;
const SMALL = 1e-5;
const MOST_DIGITS = 20;

/** Labels with as many digits as tell one line from the next. @param step between the lines */
export function valueLabels(values: readonly number[], step: number): string[] {
  const largest = Math.max(...values.map(Math.abs));
  if (largest >= LARGE || step < SMALL) {
    const digits = Math.max(0, Math.floor(Math.log10(largest)) - Math.floor(Math.log10(step)));
    return values.map((value) => (value === 0 ? "0" : value.toExponential(Math.min(digits, MOST_DIGITS))));
  }
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  // 0.25 needs one more than its power of ten says
  const isEven = Number.isInteger(Math.round(step * 10 ** digits * 1e6) / 1e6);
  const format = new Intl.NumberFormat("en", {
    minimumFractionDigits: isEven ? digits : digits + 1,
    maximumFractionDigits: isEven ? digits : digits + 1,
  });
  return values.map((value) => format.format(value === 0 ? 0 : value));
}

const LEAST_PX = 58;
const DIGIT_PX = 7.2;
const BESIDE_PX = 16;

/** Room for the longest label. */
export const labelsSize = (labels: readonly string[] | null): number =>
  Math.max(LEAST_PX, BESIDE_PX + DIGIT_PX * Math.max(0, ...(labels ?? []).map(({ length }) => length)));

/** So many moments of a stretch are asked for their offset: clocks change twice a year. */
const LOOKS = 24;

/** Offset of the times that are shown; several, when the clocks change within them. */
export function offsetsOf(shown: uPlot.Scale | undefined): string {
  const [min_s, max_s] = [shown?.min ?? Date.now() / 1000, shown?.max ?? Date.now() / 1000];
  const at = (s: number) => offsetText(-new Date(s * 1000).getTimezoneOffset());
  const all = Array.from({ length: LOOKS + 1 }, (_, n) => at(min_s + ((max_s - min_s) * n) / LOOKS));
  const changes = all.filter((offset, n) => offset !== all[n - 1]);
  return changes.length > 2 ? [...new Set(all)].toSorted().join(" and ") : changes.join(", then ");
}
