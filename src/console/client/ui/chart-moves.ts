/** How a chart is moved, zoomed and read: by wheel, by fingers and by keys. */
import type uPlot from "uplot";

export interface Moves {
  /** The visible stretch, s since the epoch. */
  readonly range: readonly [from_s: number, to_s: number] | undefined;
  /** Another stretch is wanted; absent: the chart stands still, and only its values are read. */
  readonly onRange: ((from_s: number, to_s: number) => void) | undefined;
}
interface Latest {
  readonly current: Moves;
}

const WHEEL_ZOOM = 1.3;
const WHEEL_MOVE = 0.15;
const KEY_ZOOM = 2;
const KEY_MOVE = 0.25;

/** Shows more or less around a moment, which stays where it is. */
function zoom({ range, onRange }: Moves, at_s: number, factor: number): void {
  if (range) onRange?.(at_s - (at_s - range[0]) * factor, at_s + (range[1] - at_s) * factor);
}

/** @param share of what is visible */
function move({ range, onRange }: Moves, share: number): void {
  if (!range) return;
  const by_s = (range[1] - range[0]) * share;
  onRange?.(range[0] + by_s, range[1] + by_s);
}

/** The wheel with Ctrl or Shift zooms or pans; alone it scrolls the page, as everywhere. */
export function listenToWheel(plot: uPlot, latest: Latest): void {
  plot.over.addEventListener(
    "wheel",
    (event) => {
      const { range, onRange } = latest.current;
      if (!onRange || !range || !(event.ctrlKey || event.shiftKey)) return;
      event.preventDefault();
      const step = Math.sign(event.deltaY || event.deltaX);
      if (event.shiftKey) move(latest.current, step * WHEEL_MOVE);
      else zoom(latest.current, plot.posToVal(event.offsetX, "x"), step > 0 ? WHEEL_ZOOM : 1 / WHEEL_ZOOM);
    },
    { passive: false },
  );
}

/** Less is no movement. */
const SLOP_PX = 6;

/** A finger on the chart: where it is, and what moment it holds. */
interface Finger {
  x: number;
  readonly at_s: number;
}

/** The stretch that has the moments of the fingers under them. @param span_s of what is visible now */
function underFingers(
  [one, two]: readonly Finger[],
  width: number,
  span_s: number,
): readonly [from_s: number, to_s: number] | null {
  if (!one) return null;
  const second_per_px = two ? (two.at_s - one.at_s) / (two.x - one.x) : span_s / width;
  if (!Number.isFinite(second_per_px) || second_per_px <= 0) return null;
  const from_s = one.at_s - one.x * second_per_px;
  return [from_s, from_s + width * second_per_px];
}

/**
 * One finger moves the chart sideways, two zoom it: what is under them stays under them. Only once all are lifted is
 * the stretch asked for. Up and down is left to the page, which the browser scrolls (`touch-action` in charts.css), and
 * a tap tells values as a pointer does.
 */
export function listenToFingers(plot: uPlot, latest: Latest): void {
  const { over } = plot;
  const fingers = new Map<number, Finger>();
  let wanted: readonly [number, number] | null = null;
  const hold = () => {
    for (const [id, { x }] of fingers) fingers.set(id, { x, at_s: plot.posToVal(x, "x") });
  };
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || !latest.current.onRange) return;
    fingers.set(event.pointerId, { x: event.offsetX, at_s: 0 });
    over.setPointerCapture(event.pointerId);
    hold();
  });
  over.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    const { min, max } = plot.scales.x ?? {};
    if (!finger || min == null || max == null) return;
    // A tap is never quite still
    if (!wanted && Math.abs(event.offsetX - finger.x) < SLOP_PX) return;
    finger.x = event.offsetX;
    wanted = underFingers([...fingers.values()], over.clientWidth, max - min) ?? wanted;
    if (wanted) plot.setScale("x", { min: wanted[0], max: wanted[1] });
  });
  const lift = ({ pointerId }: PointerEvent) => {
    if (!fingers.delete(pointerId)) return;
    hold();
    if (fingers.size > 0 || !wanted) return;
    latest.current.onRange?.(wanted[0], wanted[1]);
    wanted = null;
  };
  over.addEventListener("pointerup", lift);
  over.addEventListener("pointercancel", lift);
}

/** Index of the value to tell next; the column of times and gaps between values are passed over. */
function stepFrom({ data, series }: uPlot, from: number | null, step: number): number | null {
  const [first = 0, last = -1] = series[0]?.idxs ?? [];
  const hasValue = (index: number) => data.slice(1).some((column) => column[index] != null);
  let at = from === null ? (step > 0 ? first : last) : from + step;
  while (at >= first && at <= last && !hasValue(at)) at += step;
  return at >= first && at <= last ? at : null;
}

/** Puts the cursor on a value. @returns false when there is none that way */
function point(plot: uPlot, from: number | null, step: number): boolean {
  const index = stepFrom(plot, from, step);
  const at_s = index === null ? undefined : plot.data[0][index];
  if (at_s === undefined) return false;
  plot.setCursor({ left: plot.valToPos(at_s, "x"), top: plot.over.clientHeight / 2 });
  return true;
}

/**
 * What a key does on a chart that has the focus.
 * @returns what is to be told: the values where the cursor is now, or nothing; null: the key means something else
 */
export function pressOnChart(
  plot: uPlot,
  moves: Moves,
  { key, shiftKey }: Pick<KeyboardEvent, "key" | "shiftKey">,
): "values" | "moved" | null {
  const { range, onRange } = moves;
  if (range && onRange) {
    const middle_s = (range[0] + range[1]) / 2;
    if (key === "+" || key === "=") zoom(moves, middle_s, 1 / KEY_ZOOM);
    else if (key === "-" || key === "_") zoom(moves, middle_s, KEY_ZOOM);
    else if (shiftKey && key === "ArrowLeft") move(moves, -KEY_MOVE);
    else if (shiftKey && key === "ArrowRight") move(moves, KEY_MOVE);
    else return tell(plot, key);
    return "moved";
  }
  return shiftKey ? null : tell(plot, key);
}

function tell(plot: uPlot, key: string): "values" | null {
  const at = (plot.cursor.left ?? -1) < 0 ? null : (plot.cursor.idx ?? null);
  if (key === "ArrowLeft") point(plot, at, -1);
  else if (key === "ArrowRight") point(plot, at, 1);
  else if (key === "Home") point(plot, null, 1);
  else if (key === "End") point(plot, null, -1);
  else return null;
  return "values";
}
