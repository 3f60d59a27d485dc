/** Rows per second in and committed, over the last minutes. */
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { count } from "../lib/format.ts";
import { Chart, type ChartSpec } from "../ui/chart.tsx";
import { dotsOf } from "../ui/curve.ts";
import { Empty } from "../ui/states.tsx";

export interface ThroughputPoint {
  readonly at_s: number;
  readonly accepted: number | null;
  readonly committed: number | null;
}

const value = (_: uPlot, rows: number | null) => (rows == null ? "–" : `${count(rows)} rows/s`);
const WINDOW_S = 300;
const SPEC: ChartSpec = {
  axis: "rows/s",
  height: 230,
  floor: 0,
  series: (palette) => [
    {
      label: "Accepted",
      stroke: palette.second,
      width: 1.5,
      dash: [5, 4],
      points: dotsOf(palette.second, 0),
      value,
    },
    { label: "Committed", stroke: palette.accent, width: 2, points: dotsOf(palette.accent, 0), value },
  ],
};

export function Throughput({ points }: { points: readonly ThroughputPoint[] }) {
  const data = useMemo<uPlot.AlignedData>(
    () => [
      points.map(({ at_s }) => at_s),
      points.map(({ accepted }) => accepted),
      points.map(({ committed }) => committed),
    ],
    [points],
  );
  const last = points.at(-1);
  if (!last)
    return (
      <Empty title="Waiting for the first figures">They come every second while the service runs.</Empty>
    );
  const label = `Rows per second: ${count(last.accepted)} accepted, ${count(last.committed)} committed`;
  // A window that moves, so that the first seconds do not look like a trend.
  return <Chart spec={SPEC} data={data} label={label} range={[last.at_s - WINDOW_S, last.at_s]} />;
}
