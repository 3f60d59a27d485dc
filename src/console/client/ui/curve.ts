/** How a sensor's curve is drawn: its average as a line within the band from lowest to highest. */
import type uPlot from "uplot";
import { dotted } from "../lib/dotted.ts";
import { quantity } from "../lib/format.ts";
import type { Palette } from "./palette.ts";

/** Dots where a line alone would not be seen. @param most as of `dotted` */
export const dotsOf = (colour: string, most?: number): uPlot.Series.Points => ({
  show: false,
  size: 5,
  width: 0,
  fill: colour,
  stroke: colour,
  filter: ({ data, series }, index) => {
    const [first = 0, last = 0] = series[index]?.idxs ?? [];
    const found = dotted(data[index] ?? [], first, last, most);
    return found.length > 0 ? [...found] : null;
  },
});

/** Columns after the time: min, max, average. */
export function curveSeries(palette: Palette, unit: string): uPlot.Series[] {
  const value = (_: uPlot, shown: number | null) => quantity(shown, unit);
  const edge = { stroke: palette.band, width: 1, points: { show: false }, value };
  return [
    { ...edge, label: "Lowest" },
    { ...edge, label: "Highest" },
    { label: "Average", stroke: palette.accent, width: 1.5, points: dotsOf(palette.accent), value },
  ];
}

export const bandOf = (palette: Palette): uPlot.Band[] => [{ series: [2, 1], fill: palette.band }];

interface DotsLook {
  readonly label: string;
  readonly colour: string;
  readonly unit: string;
  /** Whether the axis stretches to them. */
  readonly scaled: boolean;
}

/** Single readings, as dots. */
export const dotsSeries = ({ label, colour, unit, scaled }: DotsLook): uPlot.Series => ({
  label,
  auto: scaled,
  stroke: colour,
  paths: () => null,
  points: { show: true, size: 6, fill: colour, stroke: colour, width: 0 },
  value: (_, shown) => quantity(shown, unit),
});
