/** Buttons that move and zoom a chart, for everybody without a mouse too. */
import type { ComponentProps } from "preact";

/** The stretch of time that a chart shows. */
export type View = readonly [from_s: number, to_s: number];

const HOUR_S = 3_600;
const SPANS = [
  ["1 h", HOUR_S],
  ["6 h", 6 * HOUR_S],
  ["24 h", 24 * HOUR_S],
  ["7 d", 168 * HOUR_S],
  ["30 d", 720 * HOUR_S],
] as const;

interface ChartToolsProps {
  readonly view: View;
  /** All that there is; null: nothing. */
  readonly whole: View | null;
  /** When the sensor sent last, s since the epoch; null: never. */
  readonly last_s: number | null;
  readonly onView: (view: View) => void;
}

export function ChartTools({ view: [from, to], whole, last_s, onView }: ChartToolsProps) {
  const width = to - from;
  // Behind the last reading there is nothing to see: a shorter stretch ends with it.
  const end = last_s !== null && last_s > from && last_s < to ? last_s + 1 : to;
  const middle = from + width / 2;
  const move = (share: number) => () => onView([from + width * share, to + width * share]);
  const zoom = (factor: number) => () =>
    onView([middle - (width * factor) / 2, middle + (width * factor) / 2]);
  const tools = [
    ["Earlier", "◀", move(-0.5)],
    ["Later", "▶", move(0.5)],
    ["Zoom in", "+", zoom(0.5)],
    ["Zoom out", "−", zoom(2)],
  ] as const;
  return (
    <div class="chart-tools">
      {SPANS.map(([name, span]) => (
        <Tool key={name} aria-pressed={Math.abs(width - span) < 2} onClick={() => onView([end - span, end])}>
          {name}
        </Tool>
      ))}
      {whole ? <Tool onClick={() => onView(whole)}>All</Tool> : null}
      <div class="chart-tools">
        {tools.map(([name, sign, act]) => (
          <Tool key={name} aria-label={name} title={name} onClick={act}>
            {sign}
          </Tool>
        ))}
      </div>
    </div>
  );
}

const Tool = (props: ComponentProps<"button">) => (
  <button type="button" class="button small-button" {...props} />
);
