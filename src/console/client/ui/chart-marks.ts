/** What is drawn over a chart's curves: the limits of the sensor, and the moment that the page is about. */
import type uPlot from "uplot";
import { number } from "../lib/format.ts";
import type { Palette } from "./palette.ts";

/** The lowest and the highest good value, inclusive; null: none. */
export interface Limits {
  readonly min: number | null;
  readonly max: number | null;
}

interface Marked {
  readonly limits?: Limits;
  /** s since the epoch. */
  readonly mark_s?: number | null;
  /** The unit. */
  readonly axis: string;
}

export function drawMarks(plot: uPlot, { limits, mark_s, axis }: Marked, palette: Palette): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.strokeStyle = palette.bad;
  ctx.fillStyle = palette.bad;
  if (limits) drawLimits(plot, limits, axis);
  if (mark_s != null) {
    const x = plot.valToPos(mark_s, "x", true);
    ctx.strokeStyle = palette.muted;
    line(ctx, x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.restore();
}

/** How strongly the stretch of refused values is shaded. */
const SHADE = 0.07;
/** Height of the words at a limit, with the air around them. */
const WORDS_PX = 18;

/** The lines of the limits with their words, and what is beyond them. */
function drawLimits({ ctx, bbox, valToPos }: uPlot, { min, max }: Limits, unit: string): void {
  const bottom = bbox.top + bbox.height;
  const within = (limit: number) => Math.min(bottom, Math.max(bbox.top, valToPos(limit, "y", true)));
  const high = max === null ? bbox.top : within(max);
  const low = min === null ? bottom : within(min);
  ctx.globalAlpha = SHADE;
  ctx.fillRect(bbox.left, bbox.top, bbox.width, high - bbox.top);
  ctx.fillRect(bbox.left, low, bbox.width, bottom - low);
  ctx.globalAlpha = 1;
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  const room = WORDS_PX * devicePixelRatio;
  const isThin = low - high < 3 * room;
  /** Words stand beyond the limit, where no curve is; without room there, on the other side, if it has some. */
  const mark = (y: number, beyond: "above" | "below", text: string) => {
    if (y <= bbox.top || y >= bottom) return;
    line(ctx, bbox.left, y, bbox.left + bbox.width, y);
    const hasRoom = beyond === "above" ? y - bbox.top >= room : bottom - y >= room;
    if (!hasRoom && isThin) return;
    const above = hasRoom === (beyond === "above");
    const gap = 4 * devicePixelRatio;
    ctx.textBaseline = above ? "bottom" : "top";
    ctx.fillText(text, bbox.left + gap, above ? y - gap : y + gap);
  };
  if (max !== null) mark(high, "above", `highest good ${number(max)} ${unit}`);
  if (min !== null) mark(low, "below", `lowest good ${number(min)} ${unit}`);
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
