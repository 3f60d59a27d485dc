/** How a dashboard of ours is put together, in the types of Grafana's own schema (its Foundation SDK). */
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as grafana from "@grafana/grafana-foundation-sdk/dashboard";
import type { Dataquery } from "@grafana/grafana-foundation-sdk/prometheus";
import type { Options as StatOptions } from "@grafana/grafana-foundation-sdk/stat";
import type { FieldConfig, Options as SeriesOptions } from "@grafana/grafana-foundation-sdk/timeseries";

/** A query as it stands in the file: without the method that the SDK marks its kinds with. */
type Target = Omit<Dataquery, "_implementsDataqueryVariant">;

export interface Panel extends Omit<grafana.Panel, "targets" | "options"> {
  readonly targets: readonly Target[];
  readonly options: SeriesOptions | StatOptions;
}
export interface Dashboard extends Omit<grafana.Dashboard, "panels"> {
  readonly uid: string;
  readonly panels: readonly Panel[];
}

/** One curve, or one for each value of the labels that its name takes, as in `{{slot}}`. */
export interface Curve {
  readonly expr: string;
  readonly name: string;
}

export interface PanelText {
  readonly title: string;
  /** What it shows, and what is well and what is not. */
  readonly about: string;
  /** Of Grafana: `short`, `s`, `reqps`, `percentunit`, `bytes`, … */
  readonly unit: string;
  readonly curves: readonly Curve[];
  /** From here on it is yellow, and red; the same as the alerts' where there is one. */
  readonly warn?: number;
  readonly bad?: number;
  /** Curves add up to something. */
  readonly stacked?: true;
}

const DATASOURCE: common.DataSourceRef = { type: "prometheus", uid: "hydraulic-prometheus" };
const TAG = "hydraulic-ingest";
const COLUMNS = 24;
/** Width and height in Grafana's grid. */
const SIZES = { number: [4, 4], series: [12, 8] } as const;
const SCHEMA_VERSION = 39;

/** Median, and what one of 20 and one of 100 takes longer than. @param selector with braces, or empty */
export const quantiles = (histogram: string, selector = INSTANCE): Curve[] =>
  [0.5, 0.95, 0.99].map((q) => ({
    expr: `histogram_quantile(${q}, sum by (le) (rate(${histogram}_bucket${selector}[$__rate_interval])))`,
    name: `p${q * 100}`,
  }));

/** What every expression about a process is narrowed by. */
export const INSTANCE = '{instance=~"$instance"}';

/** The last value as a number. */
export function number(text: PanelText): Panel {
  return {
    ...body(text, "number"),
    type: "stat",
    options: {
      graphMode: common.BigValueGraphMode.None,
      colorMode: common.BigValueColorMode.Background,
      justifyMode: common.BigValueJustifyMode.Auto,
      textMode: common.BigValueTextMode.Auto,
      wideLayout: true,
      showPercentChange: false,
      percentChangeColorMode: common.PercentChangeColorMode.Standard,
      orientation: common.VizOrientation.Auto,
      reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
    } satisfies StatOptions,
  };
}

/** Curves over time. */
export function series(text: PanelText): Panel {
  const panel = body(text, "series");
  const custom: FieldConfig = {
    drawStyle: common.GraphDrawStyle.Line,
    lineWidth: 1,
    fillOpacity: 10,
    showPoints: common.VisibilityMode.Never,
    stacking: { mode: text.stacked ? common.StackingMode.Normal : common.StackingMode.None, group: "A" },
    thresholdsStyle: {
      mode:
        text.warn === undefined && text.bad === undefined
          ? common.GraphThresholdsStyleMode.Off
          : common.GraphThresholdsStyleMode.Dashed,
    },
  };
  return {
    ...panel,
    type: "timeseries",
    fieldConfig: { defaults: { ...panel.fieldConfig.defaults, custom }, overrides: [] },
    options: {
      legend: {
        displayMode: common.LegendDisplayMode.List,
        placement: common.LegendPlacement.Bottom,
        showLegend: true,
        calcs: [],
      },
      tooltip: { mode: common.TooltipDisplayMode.Multi, sort: common.SortOrder.Descending },
    } satisfies SeriesOptions,
  };
}

function body({ title, about, unit, curves, warn, bad }: PanelText, size: keyof typeof SIZES) {
  const [w, h] = SIZES[size];
  const steps = [
    { value: null, color: "green" },
    ...(warn === undefined ? [] : [{ value: warn, color: "yellow" }]),
    ...(bad === undefined ? [] : [{ value: bad, color: "red" }]),
  ];
  return {
    title,
    description: about,
    datasource: DATASOURCE,
    gridPos: { x: 0, y: 0, w, h },
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        color: {
          mode:
            size === "number" ? grafana.FieldColorModeId.Thresholds : grafana.FieldColorModeId.PaletteClassic,
        },
        thresholds: { mode: grafana.ThresholdsMode.Absolute, steps },
      },
      overrides: [],
    },
    targets: curves.map(({ expr, name }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: name,
      range: true,
    })),
  };
}

/** Puts panels side by side as they fit, in their order, and the ways to the other dashboards above them. */
export function dashboard(
  uid: string,
  title: string,
  description: string,
  panels: readonly Panel[],
): Dashboard {
  return {
    uid,
    title,
    description,
    tags: [TAG],
    timezone: "utc",
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: false,
    graphTooltip: grafana.DashboardCursorSync.Crosshair,
    refresh: "10s",
    time: { from: "now-1h", to: "now" },
    templating: { list: [instanceVariable()] },
    annotations: { list: [] },
    links: [waysToOthers()],
    panels: placed(panels),
  };
}

function placed(panels: readonly Panel[]): Panel[] {
  let [x, y, height] = [0, 0, 0];
  return panels.map((panel, index) => {
    const { w, h } = panel.gridPos!;
    if (x + w > COLUMNS || (height !== 0 && h !== height)) [x, y, height] = [0, y + height, 0];
    const at = { x, y, w, h };
    [x, height] = [x + w, h];
    return { ...panel, id: index + 1, gridPos: at };
  });
}

/** Processes of the service; a worker and an API are told apart by their ports or pods. */
function instanceVariable(): grafana.VariableModel {
  const query = 'label_values(up{job=~"(.*/)?hydraulic-(api|worker)"}, instance)';
  return {
    type: grafana.VariableType.Query,
    name: "instance",
    label: "Process",
    description: "APIs and workers that are looked at",
    datasource: DATASOURCE,
    query: { query, refId: "instance" },
    definition: query,
    refresh: grafana.VariableRefresh.OnTimeRangeChanged,
    sort: grafana.VariableSort.AlphabeticalAsc,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { text: "All", value: "$__all" },
  };
}

function waysToOthers(): grafana.DashboardLink {
  return {
    title: "Dashboards of Hydraulic Ingest",
    type: grafana.DashboardLinkType.Dashboards,
    icon: "external link",
    tooltip: "",
    tags: [TAG],
    asDropdown: false,
    targetBlank: false,
    includeVars: true,
    keepTime: true,
  };
}
