/** A sensor's curve with zoom and pan; every view is asked for anew, downsampled by the service. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import type { Series, SeriesPoint } from "../../../../contract/query.ts";
import type { SensorDetail } from "../../../../contract/registry.ts";
import { countOf, duration, unitText } from "../../lib/format.ts";
import { useResource } from "../../lib/resource.ts";
import { queryText, useFilters } from "../../lib/router.ts";
import { Chart } from "../../ui/chart.tsx";
import { bandOf, curveSeries } from "../../ui/curve.ts";
import { Panel } from "../../ui/page.tsx";
import type { Palette } from "../../ui/palette.ts";
import { Empty, Loading, ProblemBox } from "../../ui/states.tsx";
import { ChartTools, type View } from "./chart-tools.tsx";

const POINTS = 800;
const DAY_S = 86_400;
const MIN_SPAN_S = 60;
/** So much a view is long at least. */
const LEAST_S = 10;
/** Share of the whole beside it. */
const AIR = 0.02;
const MAX_SPAN_S = 3_650 * DAY_S;
/** A wheel that turns must not ask for every step of the way. */
const SETTLE_MS = 200;
const iso = (s: number) => new Date(s * 1000).toISOString();
const seconds = (text: string) => Date.parse(text) / 1000;

export function SensorChart({ sensor }: { sensor: SensorDetail }) {
  const [view, setView] = useView(sensor);
  const asked = useSettled(view);
  const path = `/api/v1/systems/${sensor.system_id}/series?${queryText({
    sensors: sensor.id,
    from: iso(asked[0]),
    to: iso(asked[1]),
    points: String(POINTS),
  })}`;
  const { data, error, loading, reload } = useResource<Series>(path);
  return (
    <Panel
      title="Readings"
      side={<ChartTools view={view} whole={wholeOf(sensor)} last_s={lastOf(sensor)} onView={setView} />}
    >
      {error ? <ProblemBox problem={error} retry={reload} /> : null}
      {data ? (
        <div aria-busy={loading}>
          <Curve sensor={sensor} data={data} view={view} onView={setView} />
        </div>
      ) : error ? null : (
        <Loading />
      )}
      {data ? <Footnote data={data} loading={loading} /> : null}
    </Panel>
  );
}

/** The visible range, kept in the address; at first the last day with readings, or what there is of it. */
function useView(sensor: SensorDetail): [View, (view: View) => void] {
  const [query, change] = useFilters();
  const [fallback] = useState<View>(() => {
    const to_s = Math.ceil(
      (sensor.last_reading_at ? seconds(sensor.last_reading_at) : Date.now() / 1000) + 1,
    );
    const first_s = sensor.first_reading_at ? seconds(sensor.first_reading_at) : 0;
    return [Math.max(to_s - DAY_S, Math.min(Math.floor(first_s), to_s - MIN_SPAN_S)), to_s];
  });
  const from_s = seconds(query.get("from") ?? "");
  const to_s = seconds(query.get("to") ?? "");
  const given = Number.isFinite(from_s) && Number.isFinite(to_s) && from_s < to_s;
  const setView = (wanted: View) => {
    const [from_s, to_s] = within(wanted, wholeOf(sensor));
    // Whole seconds; moved, the view must not grow by their parts.
    const from = Math.floor(from_s);
    const to = from + Math.max(Math.round(to_s - from_s), LEAST_S);
    change({ from: iso(from), to: iso(to) }, { replace: true });
  };
  return [given ? [from_s, to_s] : fallback, setView];
}

const lastOf = ({ last_reading_at }: SensorDetail) => (last_reading_at ? seconds(last_reading_at) : null);

/** All that there is of a sensor, with some air, up to now at least; null: it has no readings. */
function wholeOf({ first_reading_at, last_reading_at }: SensorDetail): View | null {
  if (!first_reading_at || !last_reading_at) return null;
  const [from, to] = [seconds(first_reading_at), Math.max(seconds(last_reading_at), Date.now() / 1000)];
  const air = Math.max((to - from) * AIR, MIN_SPAN_S);
  return [from - air, to + air];
}

/** Moved so that there is something to see: a wanted stretch stays as long as it is, where the whole is longer. */
function within([from, to]: View, whole: View | null): View {
  const [first, last] = whole ?? [from, to];
  const width = Math.min(to - from, last - first, MAX_SPAN_S);
  const begin = Math.min(Math.max((from + to - width) / 2, first), last - width);
  return [begin, begin + width];
}

/** The view once it has stood still for a moment. */
function useSettled([from_s, to_s]: View): View {
  const [settled, setSettled] = useState<View>([from_s, to_s]);
  useEffect(() => {
    const timer = setTimeout(() => setSettled([from_s, to_s]), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [from_s, to_s]);
  return settled;
}

interface CurveProps {
  readonly sensor: SensorDetail;
  readonly data: Series;
  readonly view: View;
  readonly onView: (view: View) => void;
}

function Curve({ sensor, data, view, onView }: CurveProps) {
  const { unit, range, name } = sensor;
  const items = data.series[0]?.items ?? [];
  const aligned = useMemo(() => alignedOf(items, data.bucket_ms), [items, data.bucket_ms]);
  const spec = useMemo(
    () => ({
      axis: unitText(unit),
      height: 320,
      limits: range,
      series: (palette: Palette) => curveSeries(palette, unit),
      bands: bandOf,
    }),
    [unit, range.min, range.max],
  );
  if (items.length === 0) return <NothingHere sensor={sensor} width={view[1] - view[0]} onView={onView} />;
  return (
    <Chart
      spec={spec}
      data={aligned}
      range={view}
      onRange={(from, to) => onView([from, to])}
      label={`${name}, ${countOf(items.length, "point")}`}
    />
  );
}

interface NothingHereProps {
  readonly sensor: SensorDetail;
  /** Of the view, s. */
  readonly width: number;
  readonly onView: (view: View) => void;
}

function NothingHere({ sensor: { last_reading_at }, width, onView }: NothingHereProps) {
  if (!last_reading_at)
    return <Empty title="No readings yet">The first one shows here once its batch is stored.</Empty>;
  const last_s = seconds(last_reading_at) + 1;
  return (
    <Empty title="No readings in this range">
      <button type="button" class="button" onClick={() => onView([last_s - width, last_s])}>
        To the last reading
      </button>
    </Empty>
  );
}

/** A null between buckets that are not neighbours, so that a gap is seen as one. */
function alignedOf(items: readonly SeriesPoint[], bucket_ms: number): uPlot.AlignedData {
  const columns: [number[], (number | null)[], (number | null)[], (number | null)[]] = [[], [], [], []];
  const push = (at_s: number, point: Readonly<Record<"min" | "avg" | "max", number | null>>) => {
    columns[0].push(at_s);
    columns[1].push(point.min);
    columns[2].push(point.max);
    columns[3].push(point.avg);
  };
  let before_s = Number.NaN;
  for (const point of items) {
    const at_s = seconds(point.timestamp);
    // Sparse readings, one in several buckets, are still a curve.
    if (at_s - before_s > (bucket_ms / 1000) * 5)
      push(before_s + bucket_ms / 1000, { min: null, avg: null, max: null });
    push(at_s, point);
    before_s = at_s;
  }
  return columns;
}

const Footnote = ({ data, loading }: { data: Series; loading: boolean }) => (
  <p class="list-foot muted" role="status">
    <span>
      {loading ? "Loading… " : ""}
      {countOf(data.series[0]?.items.length ?? 0, "point")} of {duration(data.bucket_ms)} each, from{" "}
      {data.source === "raw" ? "the readings" : "the hourly aggregate"}
    </span>
    <span class="for-pointers">Drag to zoom; wheel with Shift moves, with Ctrl zooms</span>
    <span class="for-fingers">Swipe to move, pinch to zoom, tap for values</span>
  </p>
);
