/** How a sensor's curve is drawn: its average as a line within the band from lowest to highest. */
import type uPlot from "uplot";
import { quantity } from "../lib/format.ts";
import type { Palette } from "./palette.ts";

/** Columns after the time: min, max, average. */
export function curveSeries(palette: Palette, unit: string): uPlot.Series[] {
  const value = (_: uPlot, shown: number | null) => quantity(shown, unit);
  const edge = { stroke: palette.accent_faint, width: 1, points: { show: false }, value };
  return [
    { ...edge, label: "Lowest" },
    { ...edge, label: "Highest" },
    { label: "Average", stroke: palette.accent, width: 1.5, points: { show: false }, value },
  ];
}

export const bandOf = (palette: Palette): uPlot.Band[] => [{ series: [2, 1], fill: palette.accent_faint }];

/** Single readings, as dots. */
export const dotsSeries = (palette: Palette, label: string, unit: string): uPlot.Series => ({
  label,
  stroke: palette.bad,
  paths: () => null,
  points: { show: true, size: 6, fill: palette.bad, stroke: palette.bad, width: 0 },
  value: (_, shown) => quantity(shown, unit),
});
