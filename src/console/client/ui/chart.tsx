/** uPlot in preact: drawn again with new data, sized by its place, coloured by the theme in force. */
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { offsetText, timeText } from "../lib/format.ts";
import { colours, zone } from "../lib/preferences.ts";
import { useShared } from "../lib/shared.ts";
import { drawMarks, type Limits } from "./chart-marks.ts";
import { type Palette, paletteNow } from "./palette.ts";
import { timeLabels } from "./time-labels.ts";

export interface ChartSpec {
  readonly series: (palette: Palette) => readonly uPlot.Series[];
  readonly bands?: (palette: Palette) => uPlot.Band[];
  /** Label of the values' axis, with the unit. */
  readonly axis: string;
  /** The good values of a sensor: what is beyond is shaded. */
  readonly limits?: Limits;
  /** A moment to mark, s since the epoch. */
  readonly mark_s?: number | null;
  readonly height?: number;
  /** Values that must be in sight whatever the data is. */
  readonly floor?: number;
}

interface ChartProps {
  readonly spec: ChartSpec;
  /** The first array is times, s since the epoch. */
  readonly data: uPlot.AlignedData;
  /** What the chart shows, for those who do not see it. */
  readonly label: string;
  /** The visible range; without it the data's own. */
  readonly range?: readonly [from_s: number, to_s: number];
  /** A stretch was chosen with the pointer, or the wheel moved it. */
  readonly onRange?: (from_s: number, to_s: number) => void;
}

export function Chart({ spec, data, label, range, onRange }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const shownZone = useShared(zone);
  const paint = useShared(colours);
  const latest = useRef({ data, range, onRange });
  latest.current = { data, range, onRange };
  const redo = `${shownZone} ${paint} ${spec.axis} ${spec.limits?.min} ${spec.limits?.max} ${spec.mark_s}`;

  // `redo` stands for what a chart cannot change later
  useEffect(() => {
    const host = place.current;
    if (!host) return;
    const options = optionsOf(spec, host, shownZone === "utc", latest);
    const made = new uPlot(options, latest.current.data, host);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: widthIn(host), height: options.height }));
    observer.observe(host);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [redo]);
  const [from_s, to_s] = range ?? [];
  useEffect(() => {
    plot.current?.setData(data, false);
    fit(plot.current, data, from_s, to_s);
  }, [redo, data, from_s, to_s]);

  return <div ref={place} class="chart" role="img" aria-label={label} />;
}

/** Shows the wanted stretch; values are scaled to what is in it. */
function fit(plot: uPlot | null, [times]: uPlot.AlignedData, from_s?: number, to_s?: number): void {
  const min = from_s ?? times[0];
  const max = to_s ?? times.at(-1);
  if (!plot || min === undefined || max === undefined) return;
  const spare_s = Math.max(0, LEAST_SPAN_S - (max - min)) / 2;
  plot.setScale("x", { min: min - spare_s, max: max + spare_s });
}

/** What is a moment in the data is this long a stretch on the axis, with the moment in its middle. */
const LEAST_SPAN_S = 10;

const LEAST_WIDTH_PX = 200;

/** The room between the paddings. */
function widthIn(host: HTMLElement): number {
  const { paddingLeft, paddingRight } = getComputedStyle(host);
  const room = host.clientWidth - Number.parseFloat(paddingLeft) - Number.parseFloat(paddingRight);
  return Math.max(LEAST_WIDTH_PX, Math.floor(room));
}

interface Latest {
  readonly current: {
    readonly range: ChartProps["range"] | undefined;
    readonly onRange: ChartProps["onRange"] | undefined;
  };
}

function optionsOf(spec: ChartSpec, host: HTMLElement, utc: boolean, latest: Latest): uPlot.Options {
  const palette = paletteNow();
  const axis = {
    stroke: palette.muted,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { stroke: palette.grid, width: 1 },
    font: "12px system-ui, sans-serif",
    labelFont: "12px system-ui, sans-serif",
  };
  return {
    width: widthIn(host),
    height: spec.height ?? 260,
    tzDate: (s) => (utc ? uPlot.tzDate(new Date(s * 1000), "Etc/UTC") : new Date(s * 1000)),
    legend: { markers: { width: 0, fill: colourOf } },
    cursor: { drag: { x: latest.current.onRange !== undefined, y: false, setScale: false } },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true }, y: { range: (_, min, max) => valueRange(spec, min, max) } },
    axes: [
      {
        ...axis,
        label: ({ scales }) => `Time (${utc ? "UTC" : offsetsOf(scales.x)})`,
        labelSize: 18,
        values: timeLabels(),
        space: 64,
      },
      { ...axis, label: spec.axis, labelSize: 18, size: 58 },
    ],
    series: [
      {
        label: "Time",
        value: (_, s) =>
          s == null ? "–" : timeText(new Date(s * 1000).toISOString(), utc ? "utc" : "local"),
      },
      ...spec.series(palette),
    ],
    ...(spec.bands ? { bands: spec.bands(palette) } : {}),
    hooks: {
      draw: [(plot) => drawMarks(plot, spec, palette)],
      setSelect: [(plot) => chooseStretch(plot, latest)],
      ready: [(plot) => listenToWheel(plot, latest)],
      setLegend: [(plot) => restLegend(plot, spec.mark_s)],
    },
  };
}

/** A marker of the legend has the colour of what it stands for. */
function colourOf(plot: uPlot, index: number): string {
  const stroke = plot.series[index]?.stroke;
  const colour = typeof stroke === "function" ? stroke(plot, index) : stroke;
  return typeof colour === "string" ? colour : "";
}

/** While nobody points at the chart, its legend tells the marked moment, or else the last one that has values. */
function restLegend(plot: uPlot, mark_s: number | null | undefined): void {
  if ((plot.cursor.left ?? -1) >= 0) return;
  const [first = 0, last = -1] = plot.series[0]?.idxs ?? [];
  let at = mark_s == null ? last : plot.valToIdx(mark_s);
  if (mark_s == null) while (at > first && plot.data.slice(1).every((column) => column[at] == null)) at -= 1;
  if (at >= first && at <= last) plot.setLegend({ idx: at }, false);
}

/** Offset of the times that are shown; two, when the clocks change within them. */
function offsetsOf(shown: uPlot.Scale | undefined): string {
  const at = (s: number | null | undefined) =>
    offsetText(-(s == null ? new Date() : new Date(s * 1000)).getTimezoneOffset());
  return [...new Set([at(shown?.min), at(shown?.max)])].join(", then ");
}

/** The data with some air, or a stretch around a constant. */
function valueRange(spec: ChartSpec, min: number | null, max: number | null): [number, number] {
  if (min == null || max == null) return [0, 1];
  const low = spec.floor === undefined ? min : Math.min(spec.floor, min);
  const air = (max - low) * 0.08 || Math.max(1, Math.abs(max) * 0.1);
  return [spec.floor !== undefined && low >= spec.floor ? low : low - air, max + air];
}

function chooseStretch(plot: uPlot, latest: Latest): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  const from_s = plot.posToVal(left, "x");
  const to_s = plot.posToVal(left + width, "x");
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  latest.current.onRange?.(from_s, to_s);
}

/** The wheel with Ctrl or Shift zooms or pans; alone it scrolls the page, as everywhere. */
function listenToWheel(plot: uPlot, latest: Latest): void {
  plot.over.addEventListener(
    "wheel",
    (event) => {
      const { onRange, range } = latest.current;
      if (!onRange || !range || !(event.ctrlKey || event.shiftKey)) return;
      event.preventDefault();
      const [from, to] = range;
      const step = Math.sign(event.deltaY || event.deltaX);
      if (event.shiftKey) return onRange(from + step * (to - from) * 0.15, to + step * (to - from) * 0.15);
      const at = plot.posToVal(event.offsetX, "x");
      const factor = step > 0 ? 1.3 : 1 / 1.3;
      onRange(at - (at - from) * factor, at + (to - at) * factor);
    },
    { passive: false },
  );
}
