/** uPlot in preact: drawn again with new data, sized by its place, coloured by the theme in force. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { timeText } from "../lib/format.ts";
import { colours, zone } from "../lib/preferences.ts";
import { useShared } from "../lib/shared.ts";
import { labelsSize, offsetsOf, valueLabels, valueRange } from "./chart-axes.ts";
import { drawMarks, type Limits } from "./chart-marks.ts";
import { listenToFingers, listenToWheel, type Moves, pressOnChart } from "./chart-moves.ts";
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

/** A plot in its place: made anew with another look, drawn again with other data, as wide as there is room. */
function usePlot(
  place: RefObject<HTMLDivElement | null>,
  { spec, data, range }: ChartProps,
  latest: Latest,
): RefObject<uPlot | null> {
  const plot = useRef<uPlot>(null);
  const shownZone = useShared(zone);
  const paint = useShared(colours);
  const redo = `${shownZone} ${paint} ${spec.axis} ${spec.limits?.min} ${spec.limits?.max} ${spec.mark_s}`;

  // `redo` stands for what a chart cannot change later
  useEffect(() => {
    const host = place.current;
    if (!host) return;
    const palette = paletteNow();
    const options = optionsOf(spec, host, shownZone === "utc", latest, palette);
    const made = new uPlot(options, data, host);
    plot.current = made;
    // For paper, which is light whatever the page is
    host.dataset.paint = palette.isDark ? "dark" : "light";
    const observer = new ResizeObserver(() =>
      made.setSize({ width: Math.max(LEAST_WIDTH_PX, host.clientWidth), height: options.height }),
    );
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
  return plot;
}

export function Chart(props: ChartProps) {
  const { label, data, range, onRange } = props;
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef<Moves>({ range, onRange });
  const plot = usePlot(place, props, latest);
  const choose = (from_s: number, to_s: number) => {
    onRange?.(from_s, to_s);
    // A finger has moved the plot already, perhaps to where its page does not go
    requestAnimationFrame(() => fit(plot.current, data, ...(latest.current.range ?? [])));
  };
  latest.current = { range, onRange: onRange && choose };
  /** What a reader of the screen is told. */
  const [told, setTold] = useState("");
  const press = (event: KeyboardEvent) => {
    if (!plot.current || event.ctrlKey || event.metaKey || event.altKey) return;
    const did = pressOnChart(plot.current, latest.current, event);
    if (did) event.preventDefault();
    if (did === "values") setTold(legendText(plot.current));
  };
  return (
    <section
      class={`chart${onRange ? " moving" : ""}`}
      aria-label={label}
      aria-roledescription="chart"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: its values are told by keys
      tabIndex={0}
      onKeyDown={press}
      onBlur={() => {
        setTold("");
        plot.current?.setCursor({ left: -10, top: -10 });
      }}
    >
      <div ref={place} />
      <p class="unseen" role="status">
        {told}
      </p>
    </section>
  );
}

/** What the legend tells, in a line. */
const legendText = ({ root }: uPlot) =>
  [...root.querySelectorAll(".u-legend .u-series")]
    .map(({ children: [name, value] }) => `${name?.textContent}: ${value?.textContent}`)
    .join(", ");

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

interface Latest {
  readonly current: Moves;
}

function optionsOf(
  spec: ChartSpec,
  host: HTMLElement,
  utc: boolean,
  latest: Latest,
  palette: Palette,
): uPlot.Options {
  return {
    width: Math.max(LEAST_WIDTH_PX, host.clientWidth),
    height: spec.height ?? 260,
    tzDate: (s) => (utc ? uPlot.tzDate(new Date(s * 1000), "Etc/UTC") : new Date(s * 1000)),
    legend: { markers: { width: 0, fill: colourOf } },
    cursor: { drag: { x: latest.current.onRange !== undefined, y: false, setScale: false } },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true }, y: { range: (_, min, max) => valueRange(spec.floor, min, max) } },
    axes: axesOf(spec, utc, palette),
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
      ready: [(plot) => listenToWheel(plot, latest), (plot) => listenToFingers(plot, latest)],
      setLegend: [(plot) => restLegend(plot, spec.mark_s)],
    },
  };
}

/** Of time and of values, in this order. */
function axesOf(spec: ChartSpec, utc: boolean, palette: Palette): uPlot.Axis[] {
  const axis = {
    stroke: palette.muted,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { stroke: palette.grid, width: 1 },
    font: "12px system-ui, sans-serif",
    labelFont: "12px system-ui, sans-serif",
    labelSize: 18,
  };
  return [
    {
      ...axis,
      label: ({ scales }) => `Time (${utc ? "UTC" : offsetsOf(scales.x)})`,
      values: timeLabels(),
      space: 64,
    },
    {
      ...axis,
      label: spec.axis,
      size: (_, labels) => labelsSize(labels),
      values: (_, values, __, ___, step) => valueLabels(values, step),
    },
  ];
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

function chooseStretch(plot: uPlot, latest: Latest): void {
  const { left, width } = plot.select;
  if (width < 4) return;
  const from_s = plot.posToVal(left, "x");
  const to_s = plot.posToVal(left + width, "x");
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  latest.current.onRange?.(from_s, to_s);
}
