/** The curve of a sensor around a refused reading, with what was refused as dots on the same axis. */

import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import type { QuarantinedReadingDetail } from "../../../../contract/quarantine-review.ts";
import type { UnitList } from "../../../../contract/registry.ts";
import { count, countOf, quantity, unitText } from "../../lib/format.ts";
import { convert, limitsOf } from "../../lib/units.ts";
import { Chart } from "../../ui/chart.tsx";
import { bandOf, curveSeries, dotsSeries } from "../../ui/curve.ts";
import type { Palette } from "../../ui/palette.ts";
import { Empty } from "../../ui/states.tsx";

const seconds = (iso: string) => Date.parse(iso) / 1000;

interface AroundChartProps {
  readonly reading: QuarantinedReadingDetail;
  /** Null while they are not known. */
  readonly units: UnitList | null;
}

export function AroundChart({ reading, units }: AroundChartProps) {
  const { around, sensor } = reading;
  const unit = sensor?.unit ?? reading.unit ?? "";
  const data = useMemo(() => dataOf(reading, unit, units), [reading, unit, units]);
  const { min, max } = limitsOf(reading, units);
  const drawn = around.items.length > 0;
  const anySettled = data.aligned.length > SETTLED;
  const spec = useMemo(
    () => ({
      axis: unitText(unit),
      height: 300,
      limits: { min, max },
      mark_s: reading.timestamp ? seconds(reading.timestamp) : null,
      series: seriesOf(unit, drawn, anySettled),
      bands: bandOf,
    }),
    [unit, min, max, reading.timestamp, drawn, anySettled],
  );
  if (data.times.length === 0) {
    return (
      <Empty title="Nothing to draw">
        The reading has no usable time, or its sensor is unknown: what was sent is below.
      </Empty>
    );
  }
  const settled = [...around.refused, reading].filter(isSettled).length;
  return (
    <>
      <Chart
        key={String(anySettled)}
        spec={spec}
        data={data.aligned}
        range={[seconds(around.from), seconds(around.to)]}
        label={labelOf(reading, settled)}
      />
      {settled > 0 ? (
        <p class="panel-body muted small">
          {count(settled)} as sent, before they were approved or fixed: grey, where the axis reaches them.
        </p>
      ) : null}
      {data.off_axis > 0 ? (
        <p class="panel-body muted small">
          {count(data.off_axis)} refused with a unit that cannot be drawn on this axis.
        </p>
      ) : null}
    </>
  );
}

/** The curve and the dots. @param drawn whether there is a curve: what was put right must not press it flat */
const seriesOf = (unit: string, drawn: boolean, anySettled: boolean) => (palette: Palette) => [
  ...curveSeries(palette, unit),
  dotsSeries({ label: "Refused", colour: palette.bad, unit, scaled: true }),
  ...(anySettled
    ? [dotsSeries({ label: "Since approved or fixed", colour: palette.second, unit, scaled: !drawn })]
    : []),
];

/** What the chart shows, in words. @param settled how many were approved or fixed since */
function labelOf({ around, sensor, value, unit }: QuarantinedReadingDetail, settled: number): string {
  const since = settled > 0 ? `${count(settled)} approved or fixed since, ` : "";
  const refused = around.refused.length + 1 - settled;
  return `${sensor?.name ?? "Sensor"} around the reading: ${countOf(around.items.length, "stored point")}, ${since}${count(refused)} refused, this one ${quantity(value, unit)}`;
}

/** Column of the data with what was approved or fixed; it is only there when there is some. */
const SETTLED = 5;
const isSettled = ({ review_status }: Pick<QuarantinedReadingDetail, "review_status">) =>
  review_status === "approved" || review_status === "fixed";

/** Stored points and refused readings on one time axis. */
function dataOf(reading: QuarantinedReadingDetail, unit: string, units: UnitList | null) {
  const { around } = reading;
  const stored = new Map(around.items.map((point) => [seconds(point.timestamp), point]));
  const refused = new Map<number, number>();
  const settled = new Map<number, number>();
  let off_axis = 0;
  // The API tells the others; the one that the page is about belongs to them.
  for (const one of [...around.refused, reading]) {
    const { timestamp, value, unit: sent } = one;
    if (timestamp === null || value === null) continue;
    const shown = sent === null || sent === unit ? value : units ? convert(value, sent, unit, units) : null;
    if (shown === null) off_axis += 1;
    else (isSettled(one) ? settled : refused).set(seconds(timestamp), shown);
  }
  const gaps = gapsOf([...stored.keys()]);
  const within = gaps.map(({ from, to }) => (from + to) / 2);
  const times = [...new Set([...stored.keys(), ...within, ...refused.keys(), ...settled.keys()])].sort(
    (a, b) => a - b,
  );
  const inGap = (at: number) => gaps.some(({ from, to }) => at > from && at < to);
  // Undefined where only a dot is: the curve goes on. Null in a gap: it does not.
  const column = (name: "min" | "avg" | "max") =>
    times.map((at) => (inGap(at) ? null : stored.get(at)?.[name]));
  const aligned: uPlot.AlignedData = [
    times,
    column("min"),
    column("max"),
    column("avg"),
    times.map((at) => refused.get(at)),
    ...(settled.size > 0 ? [times.map((at) => settled.get(at))] : []),
  ];
  return { times, aligned, off_axis };
}

/** Steps that are longer than the usual one by this factor are gaps. */
const GAP_STEPS = 5;

/** The stretches without points. @param times ascending */
function gapsOf(times: readonly number[]): readonly { readonly from: number; readonly to: number }[] {
  const steps = times.slice(1).map((to, index) => ({ from: times[index] ?? to, to }));
  const widths = steps.map(({ from, to }) => to - from).sort((a, b) => a - b);
  const usual = widths[widths.length >> 1] ?? 0;
  return steps.filter(({ from, to }) => to - from > usual * GAP_STEPS);
}
